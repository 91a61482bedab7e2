"""People on their own image: where it comes from, and the file that it becomes."""

import cv2
import numpy as np
import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.inference import KeypointSet, People
from cid_mmpose.visualization import draw_crowd

PAIR = KeypointSet(('top', 'foot'), ((0, 1),))
WIDTH, HEIGHT = 120, 80


def image(width=WIDTH, height=HEIGHT):
    """A ramp, so that no two places look alike."""
    ramp = np.arange(width * height * 3) % 251
    return ramp.reshape(height, width, 3).astype(np.uint8)


def person(**about):
    return People(
        [[[60, 20], [60, 70]]],
        [[0.9, 0.8]],
        [0.85],
        [[50, 20, 70, 70]],
        [[60, 45]],
        PAIR,
        image_size=(WIDTH, HEIGHT),
        **about,
    )


def drawn(on, **options):
    found = person()
    return draw_crowd(on, found.keypoints, found.keypoint_scores, PAIR, found.scores, found.boxes, **options)


@pytest.fixture
def file(tmp_path) -> str:
    path = tmp_path / 'a.png'
    cv2.imwrite(str(path), image())
    return str(path)


def test_the_image_is_the_one_given_or_the_one_kept_or_that_of_the_file(file):
    other = image() // 2
    np.testing.assert_array_equal(person(path=file).draw(), drawn(image()))
    np.testing.assert_array_equal(person(path=file, image=other).draw(), drawn(other))
    np.testing.assert_array_equal(person(path=file, image=other).draw(image() // 3), drawn(image() // 3))
    np.testing.assert_array_equal(person(path='clip.mp4', frame=3, image=other).draw(), drawn(other))
    np.testing.assert_array_equal(other, image() // 2)


def test_options_are_those_of_drawing():
    people = person(image=image())
    np.testing.assert_array_equal(people.draw(labels='none'), drawn(image(), labels='none'))
    with pytest.raises(BadInput, match="there is no option 'moon'"):
        people.draw(moon=1)


def test_nobody_is_drawn_too():
    nobody = person(image=image())[[]]
    assert (nobody.draw() != image()).any() and (nobody.draw(legend=False) == image()).all()


@pytest.mark.parametrize('size', [(WIDTH, HEIGHT), (HEIGHT, WIDTH)])
def test_a_file_that_says_how_it_is_turned_is_drawn_as_the_people_were_found(tmp_path, size):
    pillow = pytest.importorskip('PIL.Image')
    path = tmp_path / 'turned.jpg'
    turned = pillow.Exif()
    turned[0x0112] = 6  # a quarter to the right: stored with width 120, seen with width 80
    pillow.fromarray(image()).save(path, exif=turned, quality=95)
    people = People([[[40, 20], [40, 60]]], [[1, 1]], [1], [[9, 9, 40, 60]], [[9, 9]], PAIR, size, path=str(path))
    assert people.draw().shape == (size[1], size[0], 3)


@pytest.mark.parametrize(
    'about, said',
    [
        (dict(), 'draw: these people came from an array that was not kept; give it, as in people.draw(image)'),
        (
            dict(path='clip.mp4', frame=3),
            'clip.mp4, frame 3: was not kept; give its image, as in people.draw(image)',
        ),
        (
            dict(image=np.zeros((80, 121, 3), np.uint8)),
            'draw: the image is 121 x 80 px, but the people were found in one of 120 x 80 px',
        ),
    ],
)
def test_what_has_no_image_or_another_one_says_what_to_do(about, said):
    with pytest.raises(BadInput) as error:
        person(**about).draw()
    assert str(error.value) == said


def test_a_file_that_has_gone_or_changed_says_so(file, tmp_path):
    people = person(path=file)
    cv2.imwrite(file, image(60, 40))
    with pytest.raises(BadInput) as error:
        people.draw()
    now = f'{file}: is 60 x 40 px now, but the people were found in one of 120 x 80 px; give that image'
    assert str(error.value) == now

    (tmp_path / 'a.png').write_bytes(cv2.imencode('.png', image())[1].tobytes()[:300])
    with pytest.raises(BadInput, match='a.png: not a complete image'):
        people.draw()
    (tmp_path / 'a.png').write_text('moon')
    with pytest.raises(BadInput, match='a.png: not an image of a kind that is read'):
        people.draw()
    (tmp_path / 'a.png').unlink()
    with pytest.raises(BadInput, match='a.png: no such image'):
        people.draw()


def test_a_file_is_written_whole_into_a_folder_that_is_made(tmp_path):
    path = tmp_path / 'new' / 'b.png'
    person(image=image()).save(path, labels='none')
    np.testing.assert_array_equal(cv2.imread(str(path)), drawn(image(), labels='none'))
    person().save(path, image() // 2)
    np.testing.assert_array_equal(cv2.imread(str(path)), drawn(image() // 2))
    assert [file.name for file in path.parent.iterdir()] == ['b.png']


def test_a_jpeg_is_written_by_its_ending_whatever_the_case(tmp_path):
    person(image=image()).save(tmp_path / 'b.JPG')
    assert (tmp_path / 'b.JPG').read_bytes()[:3] == b'\xff\xd8\xff'


@pytest.mark.parametrize('name', ['b.moon', 'b', '.png', 'b.mp4'])
def test_a_file_of_no_kind_that_is_written_is_refused_before_anything_is_drawn(tmp_path, name):
    with pytest.raises(BadInput) as error:
        person().save(tmp_path / name)
    assert str(error.value) == (
        f'{tmp_path / name}: no kind of image that OpenCV writes; let the name end in .png or .jpg'
    )
    assert list(tmp_path.iterdir()) == []
