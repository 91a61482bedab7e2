"""Data workers that find no shared memory: the run ends in one line, where it would wait for ever."""

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData, PixelData
from mmpose.structures import PoseDataSample
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cid_mmpose.engine.hooks.data_workers import share_batches
from cid_mmpose.engine.interrupts import outside_cause

# what torch 2.14 says when /dev/shm has 64 MB, as in a container
FULL = 'unable to allocate shared memory(shm) for file </torch_14435_1226942477_84>: No space left on device (28)'


class Samples(Dataset):
    """Samples as a pipeline makes them."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict:
        sample = PoseDataSample(metainfo=dict(img_id=index))
        sample.gt_instances = InstanceData(keypoints=torch.full((2, 17, 2), float(index)), bboxes=torch.zeros(2, 4))
        sample.gt_fields = PixelData(heatmaps=torch.full((3, 4, 4), float(index)))
        sample.gt_instance_labels = InstanceData(roots=torch.zeros(0, 2))  # nobody
        return dict(inputs=torch.full((3, 8, 8), index, dtype=torch.uint8), data_samples=sample)


def tensors_of(batch: dict) -> list[Tensor]:
    found = list(batch['inputs'])
    for sample in batch['data_samples']:
        found += [sample.gt_instances.keypoints, sample.gt_instances.bboxes, sample.gt_fields.heatmaps]
        found.append(sample.gt_instance_labels.roots)
    return found


def loader(num_workers: int) -> DataLoader:
    made = DataLoader(Samples(), batch_size=2, num_workers=num_workers, collate_fn=pseudo_collate)
    share_batches(made)
    share_batches(made)  # once more, as before each validation, changes nothing
    return made


def test_a_batch_is_the_same_and_all_of_it_was_moved_by_the_worker_itself():
    for ours, plain in zip(loader(1), loader(0), strict=True):
        pairs = list(zip(tensors_of(ours), tensors_of(plain), strict=True))
        assert len(pairs) == 10 and all(torch.equal(one, other) for one, other in pairs)

    batch = loader(1).collate_fn([Samples()[index] for index in range(2)])
    assert all(tensor.is_shared() for tensor in tensors_of(batch) if tensor.numel())
    assert not any(tensor.is_shared() for tensor in tensors_of(next(iter(loader(0)))) if tensor.numel())


def test_a_worker_without_shared_memory_ends_the_run_with_its_reason(monkeypatch, capfd):
    def nothing_left(tensor: Tensor):
        raise RuntimeError(FULL)

    monkeypatch.setattr(Tensor, 'share_memory_', nothing_left)
    with pytest.raises(RuntimeError) as caught:
        list(loader(1))
    assert outside_cause(caught.value).startswith('a data worker found no shared memory (/dev/shm)')
    assert 'Traceback' not in capfd.readouterr().err
