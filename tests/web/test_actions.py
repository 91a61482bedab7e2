"""What the page does: give an image, move the sliders, click a person; and what it says when something is wrong."""

import base64
import re

import cv2
import numpy as np
import pytest

import cid_mmpose
from cid_mmpose.inference.keypoints import KeypointSet
from cid_mmpose.inference.people import People
from cid_mmpose.web.actions import attempt, person_at
from cid_mmpose.web.candidates import Sliders
from cid_mmpose.web.html import jpeg_url, maps_html
from cid_mmpose.web.sessions import Session

START = Sliders(0.3, 0.8)


@pytest.fixture
def runs(actions, monkeypatch) -> list:
    """Takes a number each time that the backbone runs."""
    found = []
    extract = actions.predictor.network.extract_feat
    monkeypatch.setattr(actions.predictor.network, 'extract_feat', lambda *a, **k: found.append(1) or extract(*a, **k))
    return found


def images_in(html: str) -> list:
    return re.findall(r'src="(data:image/jpeg;base64,[^"]+)"', html)


def test_an_image_is_shown_with_the_people_whom_the_model_finds(actions, session, upload, work_folder, image):
    view = actions.give(session, upload)
    direct = cid_mmpose.load(work_folder, device='cpu')(image)[0]
    assert view.line.text.startswith(f'{len(direct)} people above 0.30 in noise.png, 160 x 120 px; found in ')
    assert images_in(view.picture) == [jpeg_url(direct.draw(labels='number'))]
    assert view.people == [(f'{number}: {score:.2f}', number) for number, score in enumerate(direct.scores)]
    assert view.chosen is None and view.maps == ''


def test_sliders_act_without_the_network(actions, session, upload, runs):
    before = actions.give(session, upload)
    num_runs = len(runs)
    fewer = actions.slide(session, 0.37, 0.8)
    more = actions.slide(session, 0.3, 0.9)
    assert len(runs) == num_runs > 0
    assert 0 < len(fewer.people) < len(before.people) < len(more.people)
    assert fewer.picture != before.picture != more.picture
    assert fewer.maps is None and fewer.line.text.startswith(f'{len(fewer.people)} people above 0.37 in noise.png')


def test_an_image_is_shown_as_the_sliders_stand(actions, session, upload):
    assert actions.slide(session, 0.37, 0.9).picture is None  # there is no image yet
    view = actions.give(session, upload)
    assert 'above 0.37' in view.line.text
    assert view.picture == actions.slide(session, 0.37, 0.9).picture


def test_a_person_s_maps_are_those_of_explain(actions, session, upload, work_folder, image):
    before = actions.give(session, upload)
    view = actions.choose(session, 1)
    assert view.picture != before.picture  # a box around the person
    direct = cid_mmpose.load(work_folder, device='cpu').explain(image)
    for name in ('similarity', 'masks', 'channel_weights', 'features', 'keypoints'):
        shown, expected = getattr(session.explained.maps, name), getattr(direct.maps, name)
        np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-5)
    assert view.maps == maps_html(session.explained, 1) and view.chosen == 1
    assert 'person 1' in view.line.text


def test_another_person_has_other_maps_and_needs_no_network(actions, session, upload, runs):
    actions.give(session, upload)
    first = actions.choose(session, 0)
    num_runs = len(runs)
    second = actions.choose(session, 1)
    assert len(runs) == num_runs
    assert images_in(first.maps)[1:] != images_in(second.maps)[1:]
    assert (first.chosen, second.chosen) == (0, 1)


def test_after_a_slider_moved_the_maps_are_those_of_who_has_the_number_now(actions, session, upload):
    actions.give(session, upload)
    actions.slide(session, 0.3, 1.0)
    actions.choose(session, 1)
    actions.slide(session, 0.3, 0.8)
    view = actions.choose(session, 1)
    assert len(session.explained.people) == len(view.people) < 30
    score = session.shown().scores[1]
    assert f'score {score:.2f}</h2>' in view.maps
    assert session.explained.people.scores[1] == score and view.maps == maps_html(session.explained, 1)


def test_a_click_chooses_the_person_at_its_place(actions, session, upload):
    actions.give(session, upload)
    people = session.shown()
    for number in range(len(people)):
        x, y = people.centers[number].tolist()
        assert actions.point(session, x, y).chosen == person_at(people, x, y, 0.3)
    assert {person_at(people, *center, 0.3) for center in people.centers} == set(range(len(people)))


@pytest.mark.parametrize('x', [10**400, -(10**30), float('nan'), float('inf'), '1', None, [1]])
def test_a_click_that_is_no_place_is_one_line(actions, session, upload, x, capsys):
    actions.give(session, upload)
    view = attempt(actions.point, session, x, 1)
    assert view.line.is_error and view.line.text.startswith('a place in the image is two numbers, got ')
    assert capsys.readouterr().err == ''


def test_of_two_people_the_one_whose_keypoint_is_nearest_is_clicked():
    keypoints = np.array([[[10, 10], [90, 10]], [[50, 50], [70, 50]]], float)
    people = People(
        keypoints=keypoints,
        keypoint_scores=np.array([[0.9, 0.9], [0.9, 0.1]]),
        scores=np.array([0.9, 0.5]),
        boxes=np.zeros((2, 4)),
        centers=np.array([[50, 10], [60, 50]], float),
        keypoint_set=KeypointSet(('head', 'foot')),
        image_size=(100, 60),
    )
    assert [person_at(people, x, y, 0.3) for x, y in ((88, 12), (52, 48), (50, 12), (60, 40))] == [0, 1, 0, 1]
    assert person_at(people, 80, 32, 0.3) == 0  # the foot of the other one is nearer, but not drawn
    assert person_at(people, 80, 32, 0.1) == 1  # where the slider stands at 0.1 it is


def test_the_maps_stay_as_long_as_their_person_is_shown(actions, session, upload):
    actions.give(session, upload)
    last = len(session.shown()) - 1
    chosen = session.shown().scores[last]
    actions.choose(session, last)
    more = actions.slide(session, 0.3, 1.0)
    assert more.maps is None and session.shown().scores[more.chosen] == chosen
    gone = actions.slide(session, 0.5, 1.0)
    assert gone.maps == '' and gone.chosen is None and gone.people == []
    assert actions.slide(session, 0.3, 1.0).chosen is None


def test_a_new_image_leaves_nothing_of_the_one_before(actions, session, upload, image):
    actions.give(session, upload)
    actions.choose(session, 0)
    other = cv2.imencode('.png', image[::-1])[1].tobytes()
    view = actions.give(session, dict(name='other.png', size=len(other), data=base64.b64encode(other).decode()))
    assert view.maps == '' and view.chosen is None
    assert session.explained is None and session.explained_numbers == ()
    np.testing.assert_array_equal(session.candidates.people.image, image[::-1])


def test_two_pages_see_their_own_images(actions, upload):
    one, two = Session(START), Session(START)
    actions.give(one, upload)
    actions.draw_example(two, 7)
    assert one.shown().path == 'noise.png' and two.shown().path == 'synth_crowd_7.png'
    assert 'noise.png' in actions.slide(one, 0.3, 0.8).line.text
    assert 'synth_crowd_7.png' in actions.slide(two, 0.3, 0.8).line.text


def test_an_example_is_drawn_of_its_seed(actions, session):
    actions.draw_example(session, 7)
    first = session.shown().image
    actions.draw_example(session, 8)
    assert first.shape == (480, 640, 3) and (session.shown().image != first).any()
    actions.draw_example(session, 7)
    np.testing.assert_array_equal(session.shown().image, first)


def test_nobody_above_the_score_is_said_with_the_way_out(actions, session, upload):
    actions.give(session, upload)
    view = actions.slide(session, 0.9, 0.8)
    assert view.line.text == 'nobody above 0.90 in noise.png, 160 x 120 px. Lower the score to see who comes next'
    clicked = attempt(actions.point, session, 5, 5)
    assert clicked.line == ('nobody above 0.90 in noise.png, 160 x 120 px; lower the score', True)


@pytest.mark.parametrize(
    'action, arguments, says',
    [
        ('point', (3, 4), 'there is no image'),
        ('choose', (0,), 'there is no image'),
        ('slide', ('a', 0.5), 'min_score must be a number from 0 to 1'),
        ('give', ({},), 'image: did not arrive whole'),
    ],
)
def test_what_is_wrong_is_a_line_and_leaves_the_page_as_it_is(actions, session, action, arguments, says):
    view = attempt(getattr(actions, action), session, *arguments)
    assert view.line.is_error and view.line.text.startswith(says)
    assert view[1:] == (None, None, None, None) and session.candidates is None


@pytest.mark.parametrize(
    'action, arguments', [('point', ('x', None)), ('point', (float('nan'), 3)), ('choose', ('a',))]
)
def test_words_that_no_click_sends_are_answered_in_a_line(actions, session, upload, action, arguments):
    actions.give(session, upload)
    assert attempt(getattr(actions, action), session, *arguments).line.is_error
    assert attempt(actions.choose, session, 99).line.text.startswith('person 99: there are ')


def test_what_nobody_foresaw_is_a_line_on_the_page_and_a_traceback_in_the_terminal(capsys):
    def fail():
        raise RuntimeError('secret words')

    view = attempt(fail)
    assert view.line == ('this did not work (RuntimeError); the terminal of cid web says more', True)
    assert 'secret words' in capsys.readouterr().err
