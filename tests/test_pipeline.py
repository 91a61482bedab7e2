"""The pipelines of the configs, whole: real images in, compact targets out, the same under one seed."""

import pickle

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmengine.runner import Runner

from cid_mmpose.data import ResizeImage
from cid_mmpose.errors import BadInput
from tests.helpers.images import (
    build_data,
    build_model,
    coco,
    coco_mini,
    data_set,
    person,
    pipeline,
    step,
    tiny_config,
    write_coco,
)
from tests.helpers.slow import slow_but

LOSSES = {'loss_crowd', 'loss_person', 'loss_contrastive'}


def mini(side: int = 64):
    """A tiny model's config on the real images of coco_mini."""
    return coco_mini(tiny_config(side))


def transformed(data, index: int, seed: int, last: str = 'PackPeople'):
    """Item ``index`` through its pipeline up to the step ``last``, under numpy's global seed as a worker has it."""
    np.random.seed(seed)
    steps = data.pipeline.transforms
    kinds = [type(step).__name__ for step in steps]
    return Compose(steps[: kinds.index(last) + 1])(data.get_data_info(index))


@pytest.mark.parametrize('index', slow_but([0, 12], range(0, 28, 4)))
def test_target_cells_are_the_moved_keypoints_of_the_same_people(index):
    data = build_data(mini(256))
    moved = transformed(data, index, seed=index, last='RandomMirror')
    labels = transformed(data, index, seed=index)['data_samples'].gt_instance_labels
    cells = np.trunc(moved['keypoints'] / 4)
    inside = ((cells >= 0) & (cells < 64)).all(-1) & (moved['keypoints_visible'] > 0)
    assert np.array_equal(labels.keypoint_drawn, inside)
    assert np.array_equal(labels.keypoint_cell[inside], cells[inside])
    assert len(labels.radius) == len(data.get_data_info(index)['id'])


def test_what_travels_beside_a_512_px_image_is_below_20_kb_and_one_tensor():
    data = build_data(mini(512))
    samples = [transformed(data, i, seed=i)['data_samples'] for i in range(28)]
    assert max(len(pickle.dumps(sample)) for sample in samples) < 20_000  # 16 384 of them are the loss mask
    for sample in samples:
        parts = [sample.gt_instances, sample.gt_instance_labels, sample.gt_fields]
        tensors = [key for part in parts for key, value in part.items() if isinstance(value, torch.Tensor)]
        assert tensors == ['heatmap_mask'] and sample.gt_fields.heatmap_mask.dtype == torch.bool
        assert sample.gt_instances.keys() == []


def test_a_narrow_image_that_would_fill_the_memory_is_one_line_before_it_is_enlarged():
    step = ResizeImage(input_size=(512, 512), size_factor=64, resize_mode='expand')
    item = dict(img=np.zeros((1500, 4, 3), np.uint8), ori_shape=(1500, 4), img_path='thin.png')
    with pytest.raises(
        BadInput,
        match=r'thin.png: is 4 x 1500 pixels, for which the network\'s input would be 512 x '
        r'192000 pixels, more than the 16777216 of max_input_pixels',
    ):
        step.transform(item)
    wide = dict(img=np.zeros((100, 3000, 3), np.uint8), ori_shape=(100, 3000), img_path='wide.png')
    assert step.transform(wide)['img'].shape == (512, 15360, 3)  # a panorama


def test_an_input_that_is_not_square_keeps_its_sides():
    cfg = mini()
    step(cfg.train_dataloader, 'RandomAffine').input_size = (128, 64)
    item = build_data(cfg)[0]
    assert item['inputs'].shape == (3, 64, 128)
    assert item['data_samples'].gt_fields.heatmap_mask.shape == (1, 16, 32)


def epochs(cfg, seed: int, workers: int) -> list:
    """Two epochs of batches, each as (ids of its images, all its pixels, all its cells)."""
    cfg.train_dataloader.update(batch_size=7, num_workers=workers, persistent_workers=workers > 0)
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=seed)

    def seen(batch: dict) -> tuple:
        samples = batch['data_samples']
        return (
            [s.img_id for s in samples],
            torch.stack(batch['inputs']),
            np.concatenate([s.gt_instance_labels.seed_cell for s in samples]),
        )

    return [[seen(batch) for batch in loader] for _ in range(2)]


def same(one: list, other: list) -> bool:
    return all(a[0] == b[0] and torch.equal(a[1], b[1]) and a[2].tolist() == b[2].tolist() for a, b in zip(one, other))


@pytest.mark.slow
def test_one_seed_gives_the_same_batches_from_persistent_workers_and_epochs_differ():
    first, again, other = epochs(mini(), 5, 2), epochs(mini(), 5, 2), epochs(mini(), 6, 2)
    assert [len(epoch) for epoch in first] == [4, 4]
    assert same(first[0], again[0]) and same(first[1], again[1])
    assert not same(first[0], first[1]) and not same(first[0], other[0])
    order = [sum((ids for ids, *_ in epoch), []) for epoch in first]
    assert len(set(order[0])) == 28 and set(order[0]) == set(order[1])


def test_workers_do_not_repeat_each_other():
    cfg = mini()
    cfg.train_dataloader.dataset.indices = [0] * 4  # the same image four times
    cfg.train_dataloader.update(batch_size=1, num_workers=2)
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    images = [batch['inputs'][0].numpy().tobytes() for batch in loader]
    assert len(set(images)) == 4


def losses_of(cfg, sample: dict) -> dict:
    """Losses of one image, finite, with finite gradients for every parameter."""
    torch.manual_seed(0)
    model = build_model(cfg)
    losses = model.loss(**model.data_preprocessor({key: [value] for key, value in sample.items()}, True))
    sum(losses.values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert all(value.isfinite() for value in losses.values())
    return losses


@pytest.mark.parametrize('people', [0, 1, 60])
def test_an_image_with_nobody_or_60_people_trains(tmp_path, people):
    size = 640, 480
    crowd = [person(i + 1, box=(20 + 60 * (i % 10), 15 + 75 * (i // 10), 55, 70)) for i in range(people)]
    items = data_set(write_coco(tmp_path, coco(crowd, size=size)), test_mode=True)
    cfg = tiny_config(256)
    step(cfg.train_dataloader, 'RandomAffine').update(rotation=0, scale=(1.4, 1.4), shift=0)
    step(cfg.train_dataloader, 'GenerateTarget').encoder.small_person_area = 0
    np.random.seed(0)
    sample = pipeline(cfg)(items.get_data_info(0) | dict(dataset=items))
    assert len(sample['data_samples'].gt_instance_labels.radius) == people
    assert sample['data_samples'].gt_instance_labels.seeded.sum() == people
    losses = losses_of(cfg, sample)
    assert set(losses) == LOSSES and (losses['loss_person'] > 0) == (people > 0)


@pytest.mark.parametrize('flip', [False, True])
def test_testing_finds_at_most_the_set_number_of_people_in_the_image_s_own_pixels(tmp_path, flip):
    path = write_coco(tmp_path, coco([person(1)], size=(640, 480)))
    cfg = tiny_config(128)
    cfg.model.head.test = dict(max_people=60, min_score=0.0, nms=1.0)
    cfg.model.test_cfg.flip_test = flip
    items = data_set(path, test_mode=True)
    sample = pipeline(cfg, 'test_dataloader')(items.get_data_info(0))
    model = build_model(cfg)
    model.train(False)
    with torch.no_grad():
        found = model.test_step({key: [value] for key, value in sample.items()})[0].pred_instances
    assert 0 < len(found.keypoints) <= 60 and found.keypoints.shape[1:] == (17, 2)
    # 640 x 480 at a short side of 128 is 171 wide, padded to 192: 40 of the image's pixels more on each side
    assert (found.keypoints >= [-40, 0]).all() and (found.keypoints <= [680, 480]).all()
    assert len(found.bbox_scores) == len(found.keypoints)


def test_an_input_that_the_branches_of_hrnet_do_not_fit_is_refused_with_its_sides():
    model = build_model(tiny_config())
    shapes = [branch.shape[1:] for branch in model.extract_feat(torch.zeros(1, 3, 96, 64))]
    assert shapes == [(4, 24, 16), (8, 12, 8), (16, 6, 4), (32, 3, 2)]
    for height, width in ((100, 64), (64, 80)):
        with pytest.raises(BadInput) as caught:
            model.extract_feat(torch.zeros(1, 3, height, width))
        assert str(caught.value) == (
            f'input of {width} x {height} pixels: HRNet takes sides that are multiples of 32; '
            'set such an input_size in the pipeline'
        )
