"""The page in a headless Chromium: give images in every way, click people, move sliders, download.

`make test-web` has Gradio and Playwright for it; CHROMIUM names the browser where it is not found.
"""

import csv
import gc
import io
import json
import os
import re
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

import cid_mmpose
from cid_mmpose.web.candidates import Sliders
from cid_mmpose.web.server import launch
from tests.helpers.chromium import DROP, NO_CAMERA, launch_chromium

pytest.importorskip('gradio', reason='Gradio is not installed (make test-web has it)')
playwright = pytest.importorskip('playwright.sync_api', reason='Playwright is not installed (make test-web has it)')
pytestmark = pytest.mark.slow

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
TOO_LARGE = 21 * 2**20  # bytes

written: list[str] = []
is_watching = [False]


def watch(event: str, arguments: tuple) -> None:
    """An audit hook, which cannot be removed: notes which files this process opens for writing."""
    if is_watching[0] and event == 'open':
        path, mode, flags = arguments
        opened_to_write = bool(set(mode) & set('wax+')) if isinstance(mode, str) else bool(flags & WRITES)
        if opened_to_write and isinstance(path, (str, bytes)):
            written.append(os.fsdecode(path))


sys.addaudithook(watch)


@pytest.fixture(scope='module')
def model(work_folder):
    return cid_mmpose.load(work_folder, device='cpu')


@pytest.fixture(scope='module')
def server(model):
    page = launch(model, None, share=False)
    yield page
    page.close(verbose=False)


@pytest.fixture(scope='module')
def browser():
    with playwright.sync_playwright() as driver:
        browser = launch_chromium(driver)
        yield browser
        browser.close()


@pytest.fixture
def page(server, browser):
    """A new page, which may ask this machine alone."""
    context = browser.new_context(viewport=dict(width=1400, height=1000), accept_downloads=True)
    page = context.new_page()
    asked: list[str] = []
    page.on('request', lambda request: asked.append(request.url))
    page.goto(server.local_url)
    page.wait_for_selector('.cid-give')
    yield page
    context.close()
    assert [url for url in asked if not url.startswith((server.local_url, 'data:', 'blob:'))] == []


def png(image: np.ndarray) -> bytes:
    return cv2.imencode('.png', image)[1].tobytes()


def give(page, name: str, data: bytes) -> None:
    page.set_input_files('#cid-give input', dict(name=name, mimeType='image/png', buffer=data))


def wait_for_line(page, text: str) -> str:
    """The line of the page once it has a text in it."""
    page.wait_for_function('text => document.querySelector("#cid-line").innerText.includes(text)', arg=text)
    return page.inner_text('#cid-line').strip()


def maps_of(page) -> list[str]:
    """The pictures of the maps, but for that of the person."""
    return page.eval_on_selector_all('#cid-maps img', 'all => all.slice(1).map(each => each.src)')


def move_to(page, slider: str, value: float) -> None:
    """Types a value beside a slider."""
    number = page.locator(f'{slider} input[type=number]')
    number.fill(str(value))
    number.press('Enter')


def click_at(page, x: float, y: float, size: tuple[int, int] = (160, 120)) -> None:
    """Clicks a place in pixels of the image."""
    picture = page.locator('img.cid-people')
    box = picture.bounding_box()
    width, height = size
    picture.click(position=dict(x=(x + 0.5) / width * box['width'], y=(y + 0.5) / height * box['height']))


def test_an_image_its_people_their_maps_sliders_and_downloads(page, image, work_folder, model, monkeypatch):
    people = cid_mmpose.load(work_folder, device='cpu')(image)[0]
    give(page, 'noise.png', png(image))
    assert wait_for_line(page, 'noise.png').startswith(f'{len(people)} people above 0.30 in noise.png, 160 x 120 px')

    first, last = (people.centers[number].tolist() for number in (0, len(people) - 1))
    click_at(page, *first)
    page.wait_for_selector('#cid-maps figure')
    of_first = maps_of(page)
    assert len(of_first) == 4 + len(people.names)
    click_at(page, *last)
    page.wait_for_function('before => document.querySelectorAll("#cid-maps img")[1].src !== before', arg=of_first[0])
    assert len(maps_of(page)) == len(of_first)

    runs = []
    monkeypatch.setattr(model.network, 'extract_feat', lambda *_, **__: runs.append(1))
    move_to(page, '#cid-score', 0.37)
    expected = cid_mmpose.load(work_folder, device='cpu', min_score=0.37)(image)[0]
    assert 0 < len(expected) < len(people)
    wait_for_line(page, f'{len(expected)} people above 0.37' if len(expected) > 1 else '1 person above 0.37')
    move_to(page, '#cid-nms', 1)
    expected = cid_mmpose.load(work_folder, device='cpu', min_score=0.37, nms=1.0)(image)[0]
    wait_for_line(page, f'{len(expected)} people above 0.37')
    assert runs == []

    found = json.loads(downloaded(page, 'people.json'))
    assert found['path'] == 'noise.png' and len(found['people']) == len(expected)
    np.testing.assert_allclose([person['keypoints'] for person in found['people']], expected.keypoints, atol=0.01)
    rows = list(csv.reader(io.StringIO(downloaded(page, 'people.csv').decode())))
    assert rows[0] == expected.header() and len(rows) == 1 + len(expected)
    drawn = cv2.imdecode(np.frombuffer(downloaded(page, 'people.png'), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(drawn, expected.draw(image))


def downloaded(page, name: str) -> bytes:
    """The content of a file that the page offers."""
    with page.expect_download() as waiting:
        page.click(f'a[download="{name}"]')
    assert waiting.value.suggested_filename == name
    return Path(waiting.value.path()).read_bytes()


def test_a_person_is_chosen_from_the_list_as_well(page, image):
    give(page, 'noise.png', png(image))
    wait_for_line(page, 'noise.png')
    labels = page.inner_text('#cid-person').split('\n')
    page.locator('#cid-person input').nth(1).check()
    page.wait_for_selector('#cid-maps figure')
    score = next(label for label in labels if label.startswith('1: ')).removeprefix('1: ')
    assert page.inner_text('#cid-maps h2') == f'The person in the box, score {score}'


@pytest.mark.parametrize('kind', ['drop', 'paste'])
def test_an_image_is_dropped_or_pasted_anywhere(page, image, kind):
    page.evaluate(DROP, [list(png(image)), 'given.png', kind])
    wait_for_line(page, 'people above 0.30 in given.png, 160 x 120 px')


def test_the_camera_gives_an_image_and_is_closed(page):
    page.click('button[data-do=camera]')
    page.wait_for_function('document.querySelector("video").videoWidth > 0')
    page.click('button[data-do=take]')
    assert re.search(r'in camera\.png, \d+ x \d+ px', wait_for_line(page, 'camera.png'))
    assert not page.is_visible('video') and page.evaluate('document.querySelector("video").srcObject === null')


def test_without_a_camera_the_page_says_so(page):
    page.evaluate(NO_CAMERA)
    page.click('button[data-do=camera]')
    assert wait_for_line(page, 'camera') == 'camera: there is none, or it is in use'


def test_a_crowd_is_drawn_and_looked_at(page):
    page.click('#cid-example')
    assert re.search(r'in synth_crowd_\d+\.png, 640 x 480 px', wait_for_line(page, 'synth_crowd_'))
    page.wait_for_selector('img.cid-people')


@pytest.mark.parametrize(
    'name, data, says',
    [
        ('broken.png', b'\x89PNG\r\n\x1a\nabc', 'broken.png: not a complete image of a kind OpenCV reads'),
        ('letter.png', b'Dear', 'letter.png: not an image of a kind that is read (JPEG, PNG, '),
        ('empty.png', b'', 'empty.png: empty, 0 bytes'),
        (
            'heavy.png',
            b'\x89PNG\r\n\x1a\n' + bytes(TOO_LARGE),
            'heavy.png: 21.0 MiB are more than the 20 MiB of this page',
        ),
        (
            'wide.png',
            png(np.zeros((5000, 5001), np.uint8)),
            'wide.png: 5001 x 5000 pixels are more than the 25 megapixels',
        ),
        ('<img src=x onerror=alert(1)>.png', b'?', '<img src=x onerror=alert(1)>.png: not an image of a kind'),
        ('${1+1}{{name}}.png', b'?', '${1+1}{{name}}.png: not an image of a kind'),
    ],
    ids=['broken', 'text', 'empty', 'too many bytes', 'too many pixels', 'a name with markup', 'a name as a template'],
)
def test_what_cannot_be_taken_is_one_line_and_the_last_image_stays(page, image, name, data, says):
    give(page, 'noise.png', png(image))
    wait_for_line(page, 'noise.png')
    give(page, name, data)
    line = wait_for_line(page, says)
    assert line.startswith(says) and '\n' not in line and 'Traceback' not in page.content()
    assert page.locator('#cid-line [role=alert]').count() == 1 and page.locator('img.cid-people').count() == 1


def test_two_pages_do_not_see_each_other_s_images(page, server, browser, image):
    other = browser.new_context().new_page()
    other.goto(server.local_url)
    give(page, 'mine.png', png(image))
    wait_for_line(page, 'mine.png')
    assert 'mine.png' not in other.content() and other.locator('img.cid-people').count() == 0
    give(other, 'yours.png', png(image[::-1]))
    wait_for_line(other, 'yours.png')
    move_to(page, '#cid-score', 0.36)
    assert 'mine.png' in wait_for_line(page, 'above 0.36')
    links = [each.locator('a[download="people.json"]').get_attribute('href') for each in (page, other)]
    assert links[0] != links[1]
    assert json.loads(downloaded(other, 'people.json'))['path'] == 'yours.png'
    other.context.close()


def test_a_page_that_is_closed_leaves_nothing_behind(server, browser, image):
    page = browser.new_context().new_page()
    page.goto(server.local_url)
    name = 'left_behind.png'
    give(page, name, png(image))
    wait_for_line(page, name)
    assert shown_to_somebody(name)
    address = server.local_url + page.locator('a[download="people.json"]').get_attribute('href')
    context = browser.new_context()
    assert context.request.get(address).status == 200
    page.context.close()
    for _ in range(60):
        if not shown_to_somebody(name):
            break
        time.sleep(0.5)
    assert not shown_to_somebody(name)
    assert context.request.get(address).status == 404
    context.close()


def shown_to_somebody(name: str) -> bool:
    """Whether this process still holds HTML in which the name of an image stands."""
    gc.collect()
    holders = [each for each in gc.get_objects() if type(each) is dict]
    texts = [value for each in holders for value in list(each.values()) if type(value) is str]
    return any(text.startswith('<p') and name in text for text in texts)


def test_nothing_is_written_while_the_page_works(page, image, tmp_path):
    written.clear()
    is_watching[0] = True
    try:
        (tmp_path / 'seen.txt').write_text('the hook works')
        give(page, 'noise.png', png(image))
        wait_for_line(page, 'noise.png')
        page.locator('#cid-person input').first.check()
        page.wait_for_selector('#cid-maps figure')
        move_to(page, '#cid-score', 0.36)
        wait_for_line(page, 'above 0.36')
        address = page.url + page.locator('a[download="people.png"]').get_attribute('href')
        assert page.request.get(address).status == 200
        give(page, 'broken.png', b'?')
        wait_for_line(page, 'broken.png')
    finally:
        is_watching[0] = False
    assert [path for path in written if not path.startswith('/dev/')] == [str(tmp_path / 'seen.txt')]


@pytest.mark.parametrize('theme', ['light', 'dark'])
@pytest.mark.parametrize('width', [390, 1400])
def test_nothing_is_wider_than_the_window(server, browser, image, width, theme):
    page = browser.new_context(viewport=dict(width=width, height=844)).new_page()
    page.goto(f'{server.local_url}?__theme={theme}')
    give(page, 'noise.png', png(image))
    page.locator('#cid-person input').first.check()
    page.wait_for_selector('#cid-maps figure')
    assert page.evaluate('document.documentElement.scrollWidth') <= width
    assert page.evaluate('document.body.classList.contains("dark")') == (theme == 'dark')
    page.context.close()


def test_sliders_start_at_the_model_s_options(page):
    shown = [page.input_value(f'{slider} input[type=number]') for slider in ('#cid-score', '#cid-nms')]
    assert Sliders(*map(float, shown)) == Sliders(0.3, 0.8)
