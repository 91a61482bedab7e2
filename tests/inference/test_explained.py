"""Why keypoints are where they are: the maps belong to the people, lie over the image, and become pages."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

import cid_mmpose
from cid_mmpose.cli import main
from cid_mmpose.errors import BadInput
from cid_mmpose.inference import KeypointSet, People
from cid_mmpose.inference.explained import Explained
from cid_mmpose.visualization.explain import explain
from cid_mmpose.visualization.pages import WIDTH

OF_A_PERSON = ('skeleton', 'similarity', 'mask', 'channel_weights', 'feature_map', 'heatmaps', 'heatmaps_of_keypoints')


@pytest.fixture(scope='module')
def model(work_folder):
    return cid_mmpose.load(work_folder, min_score=0.05, device='cpu')


@pytest.fixture
def out(tmp_path):
    return tmp_path / 'out'


@pytest.fixture
def seen(model, images) -> Explained:
    return model.explain(images / '3.png')


def names(person: int) -> set[str]:
    """The files of one person."""
    return {f'person_{person}.png', *(f'person_{person}/{name}.png' for name in OF_A_PERSON)}


def written(folder) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob('*.png')}


@pytest.mark.parametrize('number', [0, 1, 3])  # wide, narrow, and padded at two sides
def test_the_maps_are_those_of_the_people_that_the_model_finds(model, images, number):
    path = images / f'{number}.png'
    seen = model.explain(path)
    (people,) = model(path)
    assert len(people) > 1
    np.testing.assert_array_equal(seen.people.keypoints, people.keypoints)
    np.testing.assert_allclose(seen.grid.middles(seen.maps.roots), people.centers, atol=0.01)
    network_maps = explain(model.network, model.pack(cv2.imread(str(path)))['inputs'], seen.maps.roots)
    np.testing.assert_array_equal(seen.maps.keypoints, network_maps.keypoints)
    np.testing.assert_array_equal(seen.image, cv2.imread(str(path)))


@pytest.mark.parametrize('number', [0, 1, 3])
def test_a_peak_made_by_hand_lies_on_the_pixel_to_which_mmpose_brings_its_keypoint(model, images, number):
    seen = model.explain(images / f'{number}.png')
    meta = model.pack(seen.image)['data_samples'].metainfo
    rows, columns = seen.maps.crowd.shape[1:]
    width, height = seen.people.image_size
    checked = 0
    for x, y in [(3, 4), (columns // 2, rows // 2), (columns - 4, rows - 3)]:
        in_input = (np.array([x, y]) + 0.5) * 4  # the stride
        # how MMPose's estimators bring keypoints back to the image
        place = in_input / meta['input_size'] * meta['input_scale'] + meta['input_center'] - 0.5 * meta['input_scale']
        if not (0 <= place[0] <= width - 1 and 0 <= place[1] <= height - 1):
            continue  # in the padding
        heatmap = np.zeros((rows, columns))
        heatmap[y, x] = 1
        over = seen.over_image(heatmap)
        assert over.shape == (height, width)
        peak_y, peak_x = np.unravel_index(over.argmax(), over.shape)
        assert abs(peak_x - place[0]) <= 0.5 and abs(peak_y - place[1]) <= 0.5
        checked += 1
    assert checked > 1


def test_roots_of_whom_nms_has_left_nobody_are_told(work_folder, images):
    options = dict(min_score=0.05, flip=False, device='cpu')
    everyone = cid_mmpose.load(work_folder, nms=1.0, **options).explain(images / '0.png')
    best = cid_mmpose.load(work_folder, nms=0.01, **options).explain(images / '0.png')
    roots = {tuple(root) for root in everyone.maps.roots}
    kept = {tuple(root) for root in best.maps.roots}
    told = {tuple(root) for root in best.nobodies}
    apart = {root for root in roots - kept if all(max(abs(np.subtract(root, other))) > 2 for other in kept)}
    assert len(kept) < len(roots) and kept < roots
    assert apart and apart <= told and not told & kept


def test_an_array_is_explained_like_its_file(model, images):
    array = model.explain(cv2.imread(str(images / '0.png'))[..., ::-1], channels='rgb')
    file = model.explain(str(images / '0.png'))
    assert array.people.path is None and file.people.path == str(images / '0.png')
    np.testing.assert_array_equal(array.maps.masks, file.maps.masks)


def test_the_nearest_person_is_the_one_whose_center_is(seen):
    for number, (x, y) in enumerate(seen.people.centers):
        assert seen.nearest(x + 0.1, y) == number
    two = np.array([[10.0, 50.0], [100.0, 20.0]])
    people = People(**{**vars(seen.people[:2]), 'centers': two})
    shown = Explained(people, seen.image, seen.maps, seen.nobodies, seen.grid, '', 0.3)
    assert [shown.nearest(0, 0), shown.nearest(60, 35), shown.nearest(54, 35)] == [0, 1, 0]


def test_a_chosen_person_has_pages_and_the_sheet_a_row(seen, out):
    paths = seen.save(out, [1])
    assert written(out) == {'sheet.png', 'center_map.png', 'people.png', *names(1)}
    assert [path.name for path in paths[:4]] == ['sheet.png', 'center_map.png', 'people.png', 'person_1.png']
    for path in paths:
        assert 500 < cv2.imread(str(path)).shape[1] <= WIDTH
    seen.save(out / 'two', [1, 0])
    assert {'person_0.png', 'person_1.png'} < written(out / 'two')
    one, two = (cv2.imread(str(folder / 'sheet.png')) for folder in (out, out / 'two'))
    assert len(two) > len(one)


@pytest.mark.slow
def test_without_a_choice_everyone_has_pages(model, images, out):
    seen = model.explain(images / '0.png')
    first = Explained(seen.people[:2], seen.image, _of(seen.maps, [0, 1]), seen.nobodies, seen.grid, 'w', 0.05)
    first.save(out)
    assert written(out) == {'sheet.png', 'center_map.png', 'people.png', *names(0), *names(1)}


def _of(maps, which):
    """Of some people."""
    fields = ('roots', 'scores', 'similarity', 'masks', 'channel_weights', 'features', 'keypoints')
    return maps._replace(**{name: getattr(maps, name)[which] for name in fields})


def test_a_second_model_stands_beside_the_first_with_its_nearest_person(seen, out):
    turned = [1, 0]
    other = Explained(
        seen.people[turned], seen.image, _of(seen.maps, turned), seen.nobodies, seen.grid, 'other.pth', 0.05
    )
    seen.save(out, [1], other)
    assert written(out) == {'sheet.png', 'center_map.png', 'people.png', *names(1)}
    page = cv2.imread(str(out / 'person_1' / 'heatmaps.png'))
    height = len(page) - 200
    left, right = page[-height:-12, 12:590], page[-height:-12, 606:1184]
    assert (left == right).all() and (left != 255).any()  # person 1 here is person 0 there: the same maps


def test_where_nobody_is_found_the_pages_say_so(work_folder, images, out):
    strict = cid_mmpose.load(work_folder, min_score=1.0, device='cpu')
    nobody = strict.explain(images / '0.png')
    assert len(nobody.people) == 0 and nobody.nearest(3, 4) is None
    assert nobody.maps.keypoints.shape[0] == nobody.maps.masks.shape[0] == 0
    nobody.save(out)
    assert written(out) == {'sheet.png', 'center_map.png', 'people.png'}


@pytest.mark.slow
def test_people_who_were_asked_for_with_a_low_score_are_drawn(seen, out):
    people = seen.people[:1]
    weak = replace(people, keypoint_scores=np.full_like(people.keypoint_scores, 0.1))
    for min_score, folder in ((0.05, out / 'drawn'), (0.2, out / 'left_out')):
        replace(seen, people=weak, min_score=min_score).save(folder, [0])
    drawn, left_out = (cv2.imread(str(out / name / 'people.png')) for name in ('drawn', 'left_out'))
    assert drawn.shape == left_out.shape and (drawn != left_out).any(2).sum() > 50


@pytest.mark.slow
def test_a_person_is_shown_alone_where_the_second_model_finds_nobody(work_folder, seen, images, out):
    nobody = cid_mmpose.load(work_folder, min_score=1.0, device='cpu').explain(images / '3.png')
    seen.save(out, [0], nobody)
    assert written(out) == {'sheet.png', 'center_map.png', 'people.png', *names(0)}


def test_what_cannot_be_explained_is_said_in_one_line(model, seen, images, tmp_path, out):
    with pytest.raises(BadInput, match='explain takes one image'):
        model.explain(images)
    with pytest.raises(BadInput, match='explain takes one image'):
        model.explain([])
    with pytest.raises(BadInput, match='no such file'):
        model.explain(tmp_path / 'moon.png')
    count = len(seen.people)
    with pytest.raises(BadInput, match=f'person {count}: {count} people above 0.05; the first is number 0'):
        seen.save(out, [count])
    fox = People.nobody(KeypointSet(('nose', 'tail')), seen.people.image_size)
    other = Explained(fox, seen.image, seen.maps, seen.nobodies, seen.grid, 'fox.pth', 0.3)
    with pytest.raises(BadInput, match='fox.pth: finds the keypoints nose, tail, but .*nose, left_eye.*of the same'):
        seen.save(out, [0], other)
    assert written(out) == set()


@pytest.mark.slow
def test_the_command_explains_the_person_at_a_place_beside_a_second_model(work_folder, seen, capsys, out):
    path = seen.people.path
    x, y = seen.people.centers[1]
    checkpoint = str(work_folder / 'best_coco_AP_epoch_1.pth')
    main(
        [
            'explain',
            path,
            '--model',
            str(work_folder),
            '--against',
            checkpoint,
            '--min-score',
            '0.05',
            '--device',
            'cpu',
        ]
        + ['--at', f'{x:.1f},{y:.1f}', '--out', str(out)]
    )
    assert written(out) == {'sheet.png', 'center_map.png', 'people.png', *names(1)}
    said = capsys.readouterr().out.splitlines()[-2:]
    assert said == [repr(seen.people), f'11 images; open {out}/sheet.png']


def test_saturated_masks_are_told(work_folder, seen, capsys, out, monkeypatch):
    assert not seen.masks_are_saturated
    saturated = seen.maps.masks.round()
    saturated[0, 0, 0] = 0.5
    assert replace(seen, maps=seen.maps._replace(masks=saturated)).masks_are_saturated
    assert not replace(seen, maps=seen.maps._replace(masks=saturated[:0])).masks_are_saturated  # no mask

    monkeypatch.setattr(Explained, 'masks_are_saturated', True)
    options = ['--min-score', '0.05', '--person', '0', '--out', str(out)]
    main(['explain', seen.people.path, '--model', str(work_folder), *options])
    (told,) = [line for line in capsys.readouterr().out.splitlines() if 'eq. 10' in line]
    assert told.startswith(f'{seen.weights}: its masks (eq. 10) are 0 or 1 in nearly every cell')


@pytest.mark.parametrize(
    'words, says',
    [
        (['--at', '3'], "argument --at: '3': give two numbers with a comma between them, such as 320,180"),
        (['--at', '3,nan'], "argument --at: '3,nan': give two numbers"),
        (['--at', '1,2', '--person', '3'], 'argument --person: not allowed with argument --at'),
        (['--person', '-1'], 'person -1: '),
    ],
)
def test_a_wrong_choice_of_a_person_is_one_line_and_status_2(work_folder, images, capfd, words, says, out):
    call = ['explain', str(images / '0.png'), '--model', str(work_folder), '--out', str(out), *words]
    with pytest.raises(SystemExit) as left:
        main(call)
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert left.value.code == 2 and says in last
    assert written(out) == set()
