"""Rows of a graph become people; a session of made-up rows stands in for a runtime."""

from dataclasses import replace

import numpy as np
import pytest

import cid_mmpose
from cid_mmpose.errors import BadInput
from cid_mmpose.inference.keypoints import KeypointSet
from cid_mmpose.inference.options import PredictOptions
from cid_mmpose.runtime.predictor import ExportedPredictor, least_side
from cid_mmpose.runtime.session import Rows
from tests.helpers.about import ABOUT

SMALL = replace(ABOUT, max_people=3, size=None, min_score=0.0)


class Session:
    """Says of each image that its second row is empty, and of the others where it says they are."""

    where = 'nothing'

    def __init__(self, about, scores=(0.9, 0.0, 0.5)):
        self.about = about
        self.scores = np.array(scores, np.float32)
        self.shapes = []

    def run(self, images):
        self.shapes.append(images.shape)
        batch = len(images)
        keypoints = np.array([[[0, 0], [64, 32], [128, 64]], [[9, 9], [9, 9], [9, 9]], [[8, 8], [8, 16], [16, 8]]])
        scores = np.repeat(self.scores[:, None], 3, 1)
        centers = keypoints[:, 1]
        rows = Rows(keypoints.astype(np.float32), scores, self.scores, centers.astype(np.float32))
        return Rows(*(np.repeat(each[None], batch, 0) for each in rows))


def model(session=None, **options) -> ExportedPredictor:
    return ExportedPredictor(
        session or Session(SMALL), PredictOptions(**dict(dict(min_score=0.0), **options)), 'a.onnx'
    )


def image(width=1600, height=800):
    return np.zeros((height, width, 3), np.uint8)


def test_rows_with_a_score_are_people_in_pixels_of_the_image():
    people = model()(image())[0]
    # the input is 1024 x 512 for 1600 x 800: 1.5625 pixels of the image for one of the input
    assert np.allclose(people.scores, [0.9, 0.5])
    assert np.allclose(people.keypoints[0], [[0, 0], [100, 50], [200, 100]])
    assert np.allclose(people.boxes[1], [12.5, 12.5, 25, 25])
    assert np.allclose(people.centers[1], [12.5, 25])
    assert people.names == ('nose', 'left_eye', 'right_eye') and people.image_size == (1600, 800)


def test_scores_numbers_of_people_and_oks_are_limits():
    assert len(model(min_score=0.6)(image())[0]) == 1
    assert len(model(max_people=1)(image())[0]) == 1
    assert len(model(nms=1e-4)(image())[0]) == 1  # the OKS of the two is 0.001, and the file's own limit 0.8


def test_a_fixed_batch_is_filled_up_and_the_filling_says_nothing():
    session = Session(replace(SMALL, batch=4))
    found = model(session)([image(), image(), image(), image(), image()])
    assert session.shapes == [(4, 512, 1024, 3)] * 2
    assert [len(people) for people in found] == [2] * 5


def test_nan_is_an_error_and_not_an_empty_image():
    with pytest.raises(BadInput, match='a.onnx: gave NaN for an image'):
        model(Session(SMALL, (0.9, np.nan, 0.5)))(image())


def test_an_image_that_is_too_narrow_is_refused():
    with pytest.raises(BadInput, match='image: is 10 x 9000 pixels, for which .* 512 x 460800 pixels'):
        model()(image(10, 9000))


@pytest.mark.parametrize(
    'about, options, message',
    [
        (dict(), dict(flip=False), 'flip=False: its graph looks at the mirror image; export the model again'),
        (dict(flip=False), dict(flip=True), 'flip=True: its graph does not look at the mirror image'),
        (dict(), dict(precision='float16'), 'precision=float16: its graph computes in float32'),
        (dict(), dict(max_people=4), 'max_people=4: its graph has 3 rows'),
        (dict(min_score=0.01), dict(min_score=0.0), 'min_score=0: its graph leaves out people below 0.01'),
        (dict(batch=2), dict(batch_size=4), 'batch_size=4: its graph takes 2 at a time'),
        (dict(size=(640, 512)), dict(size=256), 'size=256: its graph takes images of 640 x 512 pixels'),
        (dict(max_people=300), dict(size=64), 'size=64: its 300 rows need sides of at least 96 pixels'),
    ],
)
def test_what_is_fixed_in_a_file_cannot_be_chosen(about, options, message):
    with pytest.raises(BadInput, match=f'a.onnx: {message}'):
        model(Session(replace(SMALL, **about)), **options)


def test_sides_have_a_cell_for_each_row():
    # 64 pixels are 16 cells, so 256 people fit; 96 are 24, so 576 do
    assert [least_side(people, 4) for people in (1, 256, 257, 576)] == [64, 64, 96, 96]


def test_another_short_side_is_taken():
    session = Session(SMALL)
    model(session, size=128)(image())
    assert session.shapes == [(1, 128, 256, 3)]


def test_a_file_shows_nothing_of_its_way():
    with pytest.raises(BadInput, match='a.onnx: is an exported file, which shows nothing of its way'):
        model().explain('a.png')


def test_what_load_does_not_know_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"load: unknown options \['speed'\]"):
        cid_mmpose.load(tmp_path / 'a.onnx', speed=2)
    with pytest.raises(BadInput, match='a.xml: is an exported file, which holds its weights'):
        cid_mmpose.load(tmp_path / 'a.xml', 'b.pth')


def test_the_keypoints_are_those_of_the_file():
    assert isinstance(model().keypoint_set, KeypointSet)
    assert repr(model()) == 'CID exported to a.onnx, 3 keypoints, on nothing'
