"""The page in a headless Chromium: the people of Python, the camera, errors as one line, and nothing is sent.

`make test-browser` has what it needs: the exporter, Playwright and onnxruntime-web, whose folder ONNXRUNTIME_WEB names.
"""

import functools
import json
import os
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

import cid_mmpose
from tests.helpers.chromium import DROP, NO_CAMERA, launch_chromium
from tests.helpers.exported import needs_exporter, smooth_images
from tests.helpers.images import tiny_config
from tests.helpers.random_weights import random_checkpoint

WHY = 'needs what make test-browser brings'
playwright = pytest.importorskip('playwright.sync_api', reason=WHY)
package = os.environ.get('ONNXRUNTIME_WEB', '')
if not Path(package, 'dist').is_dir():
    pytest.skip(f'{WHY}: the npm package onnxruntime-web', allow_module_level=True)
needs_exporter()
from cid_mmpose.export.browser_page import export_page  # noqa: E402  where the exporter is installed
from cid_mmpose.export.options import ExportOptions  # noqa: E402

pytestmark = pytest.mark.slow

SIZES = [(160, 120), (96, 96), (300, 200), (333, 90)]  # (w, h) of images
SLIDE = """value => {
    document.getElementById('score').value = value;
    document.getElementById('score').dispatchEvent(new Event('input'));
}"""


PIXELS = """() => {
    const canvas = document.getElementById('picture');
    return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
}"""


class Quiet(SimpleHTTPRequestHandler):
    """A static host that prints nothing."""

    def log_message(self, *_) -> None:
        """Nothing."""


@pytest.fixture(scope='module')
def site(tmp_path_factory) -> Path:
    """A page with a small network of random weights, which finds people everywhere."""
    folder = tmp_path_factory.mktemp('page')
    weights = random_checkpoint(folder / 'tiny.pth', tiny_config(96))
    options = ExportOptions(min_score=0.0, max_people=12)
    return export_page(weights, folder / 'site', package=package, options=options).folder


@pytest.fixture(scope='module')
def address(site):
    server = ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}/'
    server.shutdown()


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    """Its camera shows smooth noise."""
    film = tmp_path_factory.mktemp('film') / 'camera.y4m'
    (image,) = smooth_images((320, 240))
    planes = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420).tobytes()
    film.write_bytes(b'YUV4MPEG2 W320 H240 F10:1 Ip A1:1 C420jpeg\n' + (b'FRAME\n' + planes) * 10)
    with playwright.sync_playwright() as driver:
        browser = launch_chromium(driver, f'--use-file-for-fake-video-capture={film}')
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    """A new page whose model is loaded; it may ask its own host alone, and send nothing."""
    context = new_context(browser, viewport=dict(width=1200, height=900), accept_downloads=True)
    asked = []
    context.on('request', lambda request: asked.append(request))
    page = context.new_page()
    problems = []
    page.on('pageerror', lambda error: problems.append(error))
    page.goto(address)
    wait_for_line(page, 'Give an image')
    yield page
    context.close()
    assert problems == []
    others = [each.url for each in asked if not each.url.startswith((address, 'data:', f'blob:{address}'))]
    sent = [each.url for each in asked if each.method != 'GET' or each.post_data]
    assert others == [] and sent == []


def new_context(browser, **options):
    """Pages that wait long: the machine may be busy."""
    context = browser.new_context(**options)
    context.set_default_timeout(120_000)
    return context


def wait_for_line(page, text: str) -> str:
    """The line of the page once it has a text in it."""
    page.wait_for_function('text => document.getElementById("line").innerText.includes(text)', arg=text)
    return page.inner_text('#line').strip()


def png(image: np.ndarray) -> bytes:
    return cv2.imencode('.png', image)[1].tobytes()


def give(page, name: str, data: bytes) -> None:
    page.set_input_files('#file', dict(name=name, mimeType='image/png', buffer=data))


def saved(page) -> dict:
    """What the link gives."""
    with page.expect_download() as waiting:
        page.click('#save')
    assert waiting.value.suggested_filename == 'people.json'
    return json.loads(Path(waiting.value.path()).read_text())


def test_people_of_low_scores_who_are_asked_for_are_drawn(page):
    (image,) = smooth_images((160, 120))
    page.evaluate(SLIDE, 0)
    give(page, 'image.png', png(image))
    wait_for_line(page, 'in image.png,')
    scores = [score for person in saved(page)['people'] for score in person['keypoint_scores']]
    assert 0 < max(scores) < 0.3

    shown = np.array(page.evaluate(PIXELS), np.uint8).reshape(120, 160, 4)
    assert (shown[..., 2::-1] != image).any(-1).mean() > 0.05


def test_it_finds_whom_python_finds(page, site):
    model = cid_mmpose.load(site / 'model.onnx', min_score=0.0, device='cpu')
    page.evaluate(SLIDE, 0)
    for number, image in enumerate(smooth_images(*SIZES)):
        give(page, f'{number}.png', png(image))
        people = model(image)[0]
        height, width = image.shape[:2]
        line = wait_for_line(page, f'in {number}.png,')
        assert line.startswith(f'{len(people)} people above 0.00 in {number}.png, {width} x {height} px: ')

        found = saved(page)
        expected = people.to_dict(exact=True)
        assert [found[key] for key in ('path', 'width', 'height')] == [f'{number}.png', width, height]
        assert found['names'] == expected['names'] and len(people) > 3
        for key, tolerance in dict(keypoints=0.01, box=0.01, center=0.01, keypoint_scores=1e-5, score=1e-5).items():
            pairs = [[person[key] for person in each['people']] for each in (found, expected)]
            np.testing.assert_allclose(*pairs, rtol=0, atol=tolerance)


def test_the_drawn_crowds_are_those_of_python(page, site):
    model = cid_mmpose.load(site / 'model.onnx', min_score=0.0, device='cpu')
    page.evaluate(SLIDE, 0)
    page.locator('#samples button').nth(1).click()
    people = model(site / 'samples' / '2.png')[0]
    line = wait_for_line(page, 'samples/2.png, ')
    assert line.startswith(f'{len(people)} people above 0.00 in samples/2.png, 640 x 480 px') and len(people) > 3
    expected = [person['keypoints'] for person in people.to_dict(exact=True)['people']]
    np.testing.assert_allclose([person['keypoints'] for person in saved(page)['people']], expected, rtol=0, atol=0.01)


def test_each_person_is_drawn_in_a_color_of_their_own(browser, address, site):
    settings = json.loads((site / 'page.json').read_text())
    settings.update(min_score=0, min_keypoint_score=0)
    context = new_context(browser)
    context.route('**/page.json', lambda route: route.fulfill(json=settings))
    page = context.new_page()
    page.goto(address)
    wait_for_line(page, 'Give an image')
    (image,) = smooth_images((160, 120))
    give(page, 'a.png', png(image))
    wait_for_line(page, 'in a.png,')
    values = page.evaluate(PIXELS)
    colors = {f'rgb({red} {green} {blue})' for red, green, blue, _ in np.reshape(values, (-1, 4))}
    drawn = colors & set(settings['palette'])
    people = saved(page)['people']
    context.close()
    assert len(drawn) == len(people) > 3


def test_the_slider_chooses_among_the_people_without_running_the_model_again(page):
    (image,) = smooth_images((160, 120))
    page.evaluate(SLIDE, 0)
    give(page, 'a.png', png(image))
    before = wait_for_line(page, 'in a.png,')
    everyone = saved(page)['people']
    middle = sorted(person['score'] for person in everyone)[len(everyone) // 2]
    page.evaluate(SLIDE, round(middle, 2))
    after = wait_for_line(page, f'above {middle:.2f}')
    kept = saved(page)['people']
    assert kept == [person for person in everyone if person['score'] >= round(middle, 2)]
    assert 0 < len(kept) < len(everyone)
    assert before.rpartition(':')[2] == after.rpartition(':')[2]  # the time that the model took


@pytest.mark.parametrize('kind', ['drop', 'paste'])
def test_an_image_is_dropped_or_pasted_anywhere(page, kind):
    (image,) = smooth_images((160, 120))
    page.evaluate(DROP, [list(png(image)), 'given.png', kind])
    wait_for_line(page, 'in given.png, 160 x 120 px')


def test_of_two_images_the_last_one_is_shown(page):
    first, last = smooth_images((300, 200), (90, 140))
    give(page, 'first.png', png(first))
    give(page, 'last.png', png(last))
    wait_for_line(page, 'in last.png, 90 x 140 px')
    page.wait_for_timeout(300)
    assert 'in last.png' in page.inner_text('#line')


def test_the_camera_is_looked_at_until_it_is_stopped(page):
    page.evaluate(SLIDE, 0)
    page.click('#camera')
    line = wait_for_line(page, 'frames a second')
    assert re.fullmatch(r'\d+ (people|person) above 0.00 in camera, 320 x 240 px: \d+\.\d frames a second', line)
    assert int(line.split()[0]) > 3
    page.click('#camera')
    assert page.evaluate('() => document.getElementById("video").srcObject === null')
    assert page.inner_text('#camera') == 'Camera'


def test_without_a_camera_the_page_says_so(page):
    page.evaluate(NO_CAMERA)
    page.click('#camera')
    assert wait_for_line(page, 'camera:') == 'camera: there is none, or it is in use'


def test_a_page_to_which_the_browser_lends_no_camera_says_why(page):
    page.evaluate('() => Object.defineProperty(navigator, "mediaDevices", {value: undefined})')
    page.click('#camera')
    assert wait_for_line(page, 'camera:') == 'camera: browsers let only pages of https and of this machine use it'


def test_a_camera_that_is_closed_while_it_opens_is_no_error(page):
    (image,) = smooth_images((160, 120))
    page.evaluate('() => { for (let time = 0; time < 5; time += 1) document.getElementById("camera").click(); }')
    for milliseconds in (0, 20, 50, 100, 200):
        page.click('#camera')
        page.wait_for_timeout(milliseconds)
        give(page, f'{milliseconds}.png', png(image))
        wait_for_line(page, f'in {milliseconds}.png,')


def test_an_image_too_large_for_the_browser_is_one_line_and_the_next_has_its_people(page):
    (image,) = smooth_images((160, 120))
    page.evaluate(SLIDE, 0)
    give(page, 'a.png', png(image))
    wait_for_line(page, 'in a.png,')
    before = saved(page)['people']
    give(page, 'large.png', png(np.zeros((17000, 17000), np.uint8)))  # Chromium's canvas has at most 2**28 pixels
    line = wait_for_line(page, 'large.png: ')
    assert line == 'large.png: is 17000 x 17000 pixels, too large for this browser; make it smaller'
    give(page, 'b.png', png(image))
    wait_for_line(page, 'in b.png,')
    assert saved(page)['people'] == before and len(before) > 3


@pytest.mark.parametrize(
    'name, data, says',
    [
        ('letter.png', b'Dear', 'letter.png: is no image that this browser reads; convert it to JPEG or PNG'),
        ('broken.png', b'\x89PNG\r\n\x1a\nabc', 'broken.png: is no image that this browser reads'),
        ('empty.png', b'', 'empty.png: is no image that this browser reads'),
        ('thin.png', png(np.zeros((4, 9000, 3), np.uint8)), 'thin.png: is 9000 x 4 pixels, too narrow for this page'),
        ('<img src=x onerror=alert(1)>.png', b'?', '<img src=x onerror=alert(1)>.png: is no image'),
    ],
    ids=['text', 'broken', 'empty', 'thin', 'a name with markup'],
)
def test_what_cannot_be_taken_is_one_line_and_the_last_image_stays(page, name, data, says):
    (image,) = smooth_images((160, 120))
    give(page, 'a.png', png(image))
    wait_for_line(page, 'in a.png,')
    give(page, name, data)
    line = wait_for_line(page, says)
    assert '\n' not in line and page.get_attribute('#line', 'role') == 'alert'
    assert page.evaluate('() => document.getElementById("picture").width') == 160
    give(page, 'b.png', png(image))
    wait_for_line(page, 'in b.png,')
    assert page.get_attribute('#line', 'role') == 'status'


@pytest.mark.parametrize(
    'name, answer, says',
    [
        ('model.onnx', dict(status=404), 'model.onnx: is not there (404); put the whole folder on the server'),
        ('page.json', dict(status=404), 'page.json: is not there (404); put the whole folder on the server'),
        ('model.onnx', dict(body=b'other'), 'model.onnx: is not the file that this page was written with; copy the'),
        ('page.json', dict(body=b'<html>'), 'page.json: is not the file that this page was written with; copy the'),
        ('ort-wasm-simd-threaded.wasm', dict(status=404), 'ort-wasm-simd-threaded.wasm: is not there (404); put the'),
        ('ort-wasm-simd-threaded.wasm', dict(body=b'<!DOCTYPE html>'), 'ort-wasm-simd-threaded.wasm: is not the file'),
        ('worker.js', dict(status=404), 'the model cannot be loaded'),
    ],
)
def test_a_folder_that_is_not_whole_is_one_line(browser, address, name, answer, says):
    context = new_context(browser)
    context.route(f'**/{name}', lambda route: route.fulfill(**answer))
    page = context.new_page()
    page.goto(address)
    line = wait_for_line(page, says)
    assert '\n' not in line and page.get_attribute('#line', 'role') == 'alert'
    context.close()


@pytest.mark.parametrize('width', [360, 1200])
@pytest.mark.parametrize('theme', ['light', 'dark'])
def test_nothing_is_wider_than_the_window(browser, address, width, theme):
    context = new_context(browser, viewport=dict(width=width, height=800), color_scheme=theme)
    page = context.new_page()
    page.goto(address)
    wait_for_line(page, 'Give an image')
    page.locator('#samples button').first.click()
    wait_for_line(page, 'samples/1.png, ')
    assert page.evaluate('() => document.documentElement.scrollWidth') <= width
    box = page.locator('#picture').bounding_box()
    assert abs(box['width'] / box['height'] - 640 / 480) < 0.01  # not squeezed
    context.close()
