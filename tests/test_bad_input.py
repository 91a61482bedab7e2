"""What users hand over by mistake, through a whole run: one clear error, and no checkpoint half-written.

What each part says of its input is tested with the part; checkpoints and work folders with the commands.
"""

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from mmengine.runner import Runner
from PIL import Image

from cid_mmpose.engine.config.steps import numbered
from cid_mmpose.errors import BadInput
from tests.helpers.images import coco, person, tiny_config, use_data, without, write_coco

IMAGES = 3
SIZE = (96, 72)  # width, height in pixels


def good() -> dict:
    return coco([person(i, i, box=(20, 10, 50, 50)) for i in range(1, IMAGES + 1)], IMAGES, size=SIZE)


def runner(folder: Path, workers: int = 0, **changes) -> Runner:
    """One epoch of a tiny model on ``people.json`` of a folder, with a validation on the same images."""
    cfg = use_data(tiny_config(), folder, ('people.json', ''), ('people.json', ''))
    loaders = dict(num_workers=workers, persistent_workers=workers > 0)
    cfg.train_dataloader.update(batch_size=2, **loaders)
    cfg.test_dataloader.update(**loaders)
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    cfg.env_cfg.dist_cfg.backend = 'gloo'
    cfg.update(
        val_dataloader=cfg.test_dataloader,
        work_dir=str(folder / 'work'),
        log_level='WARNING',
        experiment_name=str(folder).replace('/', '_'),
    )
    cfg.merge_from_dict({numbered(name, cfg): value for name, value in changes.items()})
    return Runner.from_cfg(cfg)


def error_of(run) -> str:
    """The text of the one error that a run stops with."""
    with pytest.raises(BadInput) as caught:
        run()
    return str(caught.value)


def assert_stops(folder: Path, data: dict, *says: str) -> None:
    """A training run on this file stops with one line that holds each text, and leaves no checkpoint."""
    write_coco(folder, data)
    text = error_of(lambda: runner(folder).train())
    assert '\n' not in text and [part for part in ('people.json', *says) if part not in text] == []
    assert list(folder.glob('work/**/*.pth')) == []


BAD_PEOPLE = {
    'no keypoints': (without(person(9), 'keypoints'), "field 'keypoints' is missing"),
    'no size': (person(9, bbox=[3, 3, 0, 0]), "field 'bbox' has no size"),
    'not a number': (person(9, keypoints=[math.nan] * 51), "field 'keypoints' has a number that is not finite"),
    'infinite': (person(9, keypoints=[math.inf] * 51), "field 'keypoints' has a number that is not finite"),
    '14 keypoints': (person(9, keypoints=[1, 1, 2] * 14), "field 'keypoints' has 42 numbers"),
    'no image': (person(9, 77), "field 'image_id' names no image"),
}


@pytest.mark.parametrize('kind', BAD_PEOPLE)
def test_a_bad_annotation_stops_a_run_with_its_field(tmp_path, kind):
    bad, says = BAD_PEOPLE[kind]
    data = good()
    data['annotations'].append(bad)
    assert_stops(tmp_path, data, 'annotation 9', says, "bad_annotations='skip'")


@pytest.mark.parametrize(
    'text, says',
    [
        ('', 'is empty'),
        ('{"images": [{"id"', 'not valid JSON'),
        ('{"a": 1}', 'not a COCO annotation file'),
        (None, 'no such annotation file'),
    ],
)
def test_a_file_that_is_no_annotation_file_stops_a_run(tmp_path, text, says):
    if text is not None:
        (tmp_path / 'people.json').write_text(text)
    message = error_of(lambda: runner(tmp_path).train())
    assert str(tmp_path / 'people.json') in message and says in message and '\n' not in message


def test_a_missing_data_root_stops_a_run(tmp_path):
    options = {'train_dataloader.dataset.data_root': str(tmp_path / 'gone')}
    assert f'{tmp_path / "gone"}: no such folder; put the data set there' in error_of(
        lambda: runner(tmp_path, **options).train()
    )


def cut_off(folder: Path, name: str) -> None:
    """Puts half a JPEG under an image's name."""
    stream = io.BytesIO()
    Image.fromarray(np.full((*SIZE[::-1], 3), 99, np.uint8)).save(stream, 'JPEG')
    (folder / name).write_bytes(stream.getvalue()[:-40])


def complaint(path: Path) -> str:
    """What is said of an image that is not complete."""
    return (
        f'{path}: not a complete image of a kind OpenCV reads; get it again, or leave it out (of the annotation file)'
    )


def test_a_cut_off_image_stops_a_test_by_name(tmp_path):
    write_coco(tmp_path, good())
    cut_off(tmp_path, '2.png')
    assert error_of(lambda: runner(tmp_path).test()) == complaint(tmp_path / '2.png')


def test_an_error_in_a_worker_is_the_same_one_line(tmp_path):
    write_coco(tmp_path, good())
    cut_off(tmp_path, '2.png')
    run = runner(tmp_path, workers=2)
    batches = iter(run.build_dataloader(run._test_dataloader))
    assert error_of(lambda: list(batches)) == complaint(tmp_path / '2.png')
    for worker in batches._workers:  # after an error torch would wait 5 s for each
        worker.terminate()


def test_a_cut_off_image_stops_training_when_asked(tmp_path):
    write_coco(tmp_path, good())
    cut_off(tmp_path, '2.png')
    options = {'train_dataloader.dataset.pipeline.LoadImage.unreadable': 'error'}
    assert '2.png: not a complete image' in error_of(lambda: runner(tmp_path, **options).train())
    assert list(tmp_path.glob('work/**/*.pth')) == []


def test_a_cut_off_image_is_skipped_in_training_and_counted(tmp_path):
    write_coco(tmp_path, good())
    cut_off(tmp_path, '2.png')
    run, lines = runner(tmp_path), []
    run.logger.addFilter(lambda record: lines.append(record.getMessage()) or True)
    loader = run.build_dataloader(run._train_dataloader)
    ids = [sample.img_id for batch in loader for sample in batch['data_samples']]
    assert len(ids) == IMAGES and set(ids) <= {1, 3}
    assert f'{tmp_path / "2.png"}: not a complete image of a kind OpenCV reads, left out (1 so far)' in lines


@pytest.mark.slow
def test_a_data_set_of_which_no_image_can_be_read_is_one_line(tmp_path):
    write_coco(tmp_path, good())
    for number in range(1, IMAGES + 1):
        cut_off(tmp_path, f'{number}.png')
    options = {'train_dataloader.dataset.max_refetch': 5}
    assert 'people.json: none of its images that were tried can be read; the log names them' in error_of(
        lambda: runner(tmp_path, **options).train()
    )


@pytest.mark.slow
def test_a_missing_image_stops_training_even_when_others_are_skipped(tmp_path):
    write_coco(tmp_path, good())
    (tmp_path / '3.png').unlink()
    says = '3.png: no such image; give the path of one, or set data_root and data_prefix'
    assert says in error_of(lambda: runner(tmp_path).train())


def odd_images(folder: Path) -> dict:
    """Six images of six kinds, each 96 x 72 as annotated, with one person."""
    grey = np.random.default_rng(0).integers(0, 256, SIZE[::-1], np.uint8)
    kinds = [
        Image.fromarray(grey),
        Image.fromarray(np.dstack([grey] * 4), 'RGBA'),
        Image.fromarray(grey).convert('P'),
        Image.fromarray(grey.astype(np.uint16) * 257),
    ]
    for number, kind in enumerate(kinds, 1):
        kind.save(folder / f'{number}.png')
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.fromarray(grey).save(folder / '5.jpg', exif=exif)  # annotated as stored
    Image.fromarray(grey.T.copy()).save(folder / '6.jpg', exif=exif)  # annotated as shown
    data = coco([person(i, i, box=(20, 10, 50, 50)) for i in range(1, 7)], 6, size=SIZE)
    for image in data['images'][4:]:
        image['file_name'] = f'{image["id"]}.jpg'
    return data


@pytest.mark.slow
def test_grey_alpha_palette_16_bit_and_turned_images_train_and_evaluate(tmp_path):
    (tmp_path / 'people.json').write_text(json.dumps(odd_images(tmp_path)))
    run = runner(tmp_path)
    run.train()
    assert (tmp_path / 'work' / 'epoch_1.pth').exists()
    assert 0 <= run.message_hub.get_scalar('val/coco/AP').current() <= 1


@pytest.mark.slow
def test_images_with_nobody_and_with_60_people_of_another_category_train_and_evaluate(tmp_path):
    places = [(20 + 60 * (i % 10), 15 + 75 * (i // 10), 55, 70) for i in range(60)]
    crowd = [person(i + 1, 1, box=place, category_id=5) for i, place in enumerate(places)]
    write_coco(tmp_path, coco(crowd, 2, [dict(id=5, name='athlete')], size=(640, 480)))
    run = runner(tmp_path, **{'model.head.test': dict(max_people=60)})
    run.train()
    assert (tmp_path / 'work' / 'epoch_1.pth').exists()
    assert 0 <= run.message_hub.get_scalar('val/coco/AP').current() <= 1
