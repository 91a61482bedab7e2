"""Parts of the page as HTML: what users and files name is text in it, images are as large as they should be."""

import base64
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import cv2
import numpy as np
import pytest

import cid_mmpose
from cid_mmpose.inference.keypoints import KeypointSet
from cid_mmpose.inference.people import People
from cid_mmpose.visualization.maps import HEAT, Scale
from cid_mmpose.visualization.pages import Chart
from cid_mmpose.web.html import LONGEST, Line, _bars, _colour_bar, jpeg_url, maps_html, picture_html, reduced

SCRIPT = '<script>alert(1)</script>'


@pytest.fixture(scope='module')
def explained(work_folder, image):
    return cid_mmpose.load(work_folder, device='cpu').explain(image)


def image_at(url: str) -> np.ndarray:
    data = base64.b64decode(url.removeprefix('data:image/jpeg;base64,'))
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def test_a_line_is_text_of_one_line():
    line = Line(f'{SCRIPT}\n a "b" & c').html()
    assert line == '<p role="status">&lt;script&gt;alert(1)&lt;/script&gt; a &quot;b&quot; &amp; c</p>'
    assert Line('no', is_error=True).html() == '<p class="cid-error" role="alert">no</p>'


@pytest.mark.parametrize('size, shown', [((320, 200), (320, 200)), ((4000, 3000), (LONGEST, 1200)), ((1, 1), (1, 1))])
def test_a_picture_is_as_large_as_the_image_or_as_fits_and_knows_its_pixels(size, shown):
    width, height = size
    image = np.full((height, width, 3), 90, np.uint8)
    nobody = replace(People.nobody(KeypointSet(('head',)), size), image=image)
    picture = picture_html(nobody, None, 0.3)
    assert f'data-width="{width}" data-height="{height}"' in picture
    assert image_at(re.search('src="(.*?)"', picture)[1]).shape == (shown[1], shown[0], 3)


def test_an_image_in_a_url_is_the_image(image):
    assert np.abs(image_at(jpeg_url(image)).astype(int) - image).mean() < 3  # JPEG rounds


def test_the_maps_of_a_person_are_the_stages_of_the_paper_and_a_heatmap_a_keypoint(explained):
    maps = maps_html(explained, 0)
    captions = re.findall('<figcaption>(.*?)</figcaption>', maps)
    assert [re.sub('<.*?>', '', caption) for caption in captions[:6]] == [
        'the person',
        'similarity map Msim (eq. 10)',
        'spatial mask M (eq. 10)',
        'channel weights (eq. 11)',
        'feature map |F(i)| (eq. 12)',
        'all heatmaps H(i) (eq. 1)',
    ]
    peaks = explained.maps.keypoints[0].max(axis=(1, 2))
    assert captions[6:] == [f'{name} {peak:.2f}' for name, peak in zip(explained.people.names, peaks)]
    assert maps.count('<img') == 5 + len(explained.people.names) and maps.count('<svg') == 1


def test_a_stage_that_a_model_lacks_is_left_out(explained):
    height, width = explained.maps.features.shape[1:]
    channel_only = explained.maps._replace(similarity=np.empty((0, height, width)), masks=np.empty((0, height, width)))
    maps = maps_html(replace(explained, maps=channel_only), 0)
    assert 'spatial mask' not in maps and 'similarity' not in maps and 'channel weights' in maps


def test_names_of_keypoints_are_text(explained):
    names = (SCRIPT, *explained.people.names[1:])
    people = replace(explained.people, keypoint_set=replace(explained.people.keypoint_set, names=names))
    assert SCRIPT not in maps_html(replace(explained, people=people), 0)


def test_bars_are_as_long_as_their_values_and_stand_on_the_middle_line():
    svg = _bars(Chart('', np.array([1.0, -0.5, 3.0]), 2.0, (300, 100))).partition('</svg>')[0] + '</svg>'
    bars = ElementTree.fromstring(svg).findall('rect')
    found = [(bar.get('class'), float(bar.get('y')), float(bar.get('height'))) for bar in bars]
    assert found == [('cid-above', 25, 25), ('cid-below', 50, 12.5), ('cid-above', 0, 50)]


def test_a_colour_bar_goes_from_the_colour_of_the_low_end_to_that_of_the_high_end():
    bar = _colour_bar(Scale(0, 0.5))
    colours = re.findall(r'rgb\((\d+) (\d+) (\d+)\)', bar)
    assert [tuple(map(int, colour)) for colour in (colours[0], colours[-1])] == [
        tuple(HEAT[0, ::-1].tolist()),
        tuple(HEAT[-1, ::-1].tolist()),
    ]
    assert bar.startswith('<span class="cid-scale">0<span') and bar.endswith('</span>0.5</span>')


def test_people_on_a_smaller_image_are_on_the_same_places_of_it():
    keypoint_set = KeypointSet(('head', 'foot'))
    image = np.zeros((2400, 3200, 3), np.uint8)
    people = People(
        keypoints=[[[-0.5, -0.5], [3199.5, 2399.5]]],
        keypoint_scores=[[0.9, 0.8]],
        scores=[0.85],
        boxes=[[-0.5, -0.5, 3199.5, 2399.5]],
        centers=[[1599.5, 1199.5]],
        keypoint_set=keypoint_set,
        image_size=(3200, 2400),
        image=image,
    )
    smaller = reduced(people)
    assert smaller.image.shape == (1200, 1600, 3) and smaller.image_size == (1600, 1200)
    np.testing.assert_array_equal(smaller.keypoints, [[[-0.5, -0.5], [1599.5, 1199.5]]])
    np.testing.assert_array_equal(smaller.boxes, [[-0.5, -0.5, 1599.5, 1199.5]])
    np.testing.assert_array_equal(smaller.centers, [[799.5, 599.5]])
    assert reduced(smaller) is smaller
