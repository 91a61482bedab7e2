"""What the page does without the model, by Node: images are resized as OpenCV does it, people are those of Python."""

import json
import shutil
import subprocess

import cv2
import numpy as np
import pytest

from cid_mmpose.data.resize import Resizing, place, placing_of
from cid_mmpose.export.browser_page import SOURCES
from cid_mmpose.oks import best_people

node = shutil.which('node')
pytestmark = pytest.mark.skipif(node is None, reason='there is no Node')

RESIZE = """
import {readFileSync, writeFileSync} from 'node:fs';
const {cases, folder} = JSON.parse(readFileSync(0));
const answers = [];
for (const [number, {width, height, about}] of cases.entries()) {
  const placing = people.placingOf(width, height, about);
  const image = {width, height, data: readFileSync(`${folder}/${number}.in`)};
  writeFileSync(`${folder}/${number}.out`, people.inputOf(image, placing, about.resizing.padding));
  answers.push(placing);
}
console.log(JSON.stringify(answers));
"""
FIND = """
import {readFileSync} from 'node:fs';
const {rows, placing, about} = JSON.parse(readFileSync(0));
console.log(JSON.stringify(people.peopleOf(rows, placing, about)));
"""
REFUSE = """
try { people.placingOf(10, 9000, JSON.parse(await new Response(process.stdin).text())); }
catch (error) { console.log(JSON.stringify(error.message)); }
"""
EXPAND = Resizing((256, 256), 32, 'expand')
# (w, h) of the image, how it is resized
SIZES = [
    ((640, 480), EXPAND),
    ((256, 256), EXPAND),
    ((333, 500), EXPAND._replace(factor=64)),
    ((1920, 1080), EXPAND),
    ((300, 200), Resizing((704, 512), 32, 'fit', (10.0, 20.0, 30.0))),
    ((97, 411), Resizing((96, 64), 32, 'fit', (255.0, 0.0, 127.0))),
    ((7, 5), EXPAND),
]


def by_node(program: str, given: object) -> object:
    """What a program says that has ``people.js`` as ``people``; both speak JSON."""
    module = (SOURCES / 'people.js').as_uri()
    source = f"const people = await import('{module}');\n{program}"
    lines = source.splitlines()
    lines.sort(key=lambda line: not line.startswith('import '))  # imports come first
    command = [node, '--input-type=module', '-e', '\n'.join(lines)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope='module')
def resized(tmp_path_factory) -> tuple[list[np.ndarray], list[dict], list[np.ndarray]]:
    """Images of noise, and how and to what Node resizes them."""
    folder = tmp_path_factory.mktemp('resized')
    images, cases = [], []
    for number, ((width, height), how) in enumerate(SIZES):
        image = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
        opaque = np.full((height, width, 1), 255, np.uint8)
        (folder / f'{number}.in').write_bytes(np.concatenate([image[..., ::-1], opaque], -1).tobytes())
        images.append(image)
        cases.append(dict(width=width, height=height, about=dict(resizing=how._asdict())))
    placings = by_node(RESIZE, dict(cases=cases, folder=str(folder)))
    inputs = [np.frombuffer((folder / f'{number}.out').read_bytes(), np.uint8) for number in range(len(SIZES))]
    return images, placings, inputs


@pytest.mark.skipif(int(cv2.__version__.partition('.')[0]) > 4, reason='OpenCV 5 resizes otherwise')
@pytest.mark.parametrize('number', range(len(SIZES)), ids=[f'{size} {how.mode}' for size, how in SIZES])
def test_every_pixel_of_the_input_is_that_of_opencv(resized, number):
    size, how = SIZES[number]
    images, placings, inputs = resized
    placing = placing_of(size, how)
    assert tuple(placings[number]['size']) == placing.size
    np.testing.assert_array_equal(placings[number]['center'], placing.center)
    np.testing.assert_array_equal(placings[number]['scale'], placing.scale)
    expected = place(images[number], placing, how.padding)
    np.testing.assert_array_equal(inputs[number].reshape(expected.shape), expected)


def test_people_are_found_once_best_first_and_in_pixels_of_the_image():
    rng = np.random.default_rng(0)
    count, points = 12, 5
    keypoints = rng.uniform(0, 100, (count, points, 2)).astype(np.float32)
    keypoints[6:9] = keypoints[:3] + rng.normal(0, 1, (3, points, 2))  # three people twice
    keypoint_scores = rng.uniform(0.1, 1, (count, points)).astype(np.float32)
    keypoint_scores[10] = 0  # and one row without anybody
    centers = keypoints.mean(1)
    sigmas = np.full(points, 0.1, np.float32)
    placing = placing_of((640, 480), EXPAND)
    rows = dict(
        keypoints=keypoints.ravel().tolist(),
        keypoint_scores=keypoint_scores.ravel().tolist(),
        scores=keypoint_scores.mean(1).tolist(),
        centers=centers.ravel().tolist(),
    )
    about = dict(keypoint_set=dict(names=list('abcde'), sigmas=sigmas.tolist()), max_people=count, nms=0.5)
    where = dict(size=placing.size, center=placing.center.tolist(), scale=placing.scale.tolist())
    found = by_node(FIND, dict(rows=rows, placing=where, about=about))

    there = np.delete(np.arange(count), 10)
    expected = best_people(keypoints[there], keypoint_scores[there], centers[there], sigmas, 0.5)
    assert len(found) == len(expected.scores) == 8
    np.testing.assert_allclose([person['score'] for person in found], expected.scores, atol=1e-6)
    np.testing.assert_allclose(
        [person['keypoints'] for person in found], placing.to_image(expected.keypoints), atol=1e-4
    )
    np.testing.assert_allclose([person['center'] for person in found], placing.to_image(expected.centers), atol=1e-4)
    boxes = placing.to_image(expected.boxes.reshape(-1, 2, 2)).reshape(-1, 4)
    np.testing.assert_allclose([person['box'] for person in found], boxes, atol=1e-4)


def test_an_image_that_is_too_narrow_is_refused():
    message = by_node(REFUSE, dict(resizing=EXPAND._asdict()))
    assert message == 'is 10 x 9000 pixels, too narrow for this page; cut it into pieces'
