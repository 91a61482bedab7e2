"""Data workers that cannot hand over a batch: the run ends in one line, where it would wait for ever."""

import errno
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.runner import IterBasedTrainLoop
from mmengine.structures import InstanceData, PixelData
from mmpose.structures import PoseDataSample
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cid_mmpose.engine.data_workers import PackingRunner
from cid_mmpose.engine.interrupts import outside_cause

# what torch 2.14 says when /dev/shm has 64 MB, as in a container
FULL = 'unable to allocate shared memory(shm) for file </torch_14435_1226942477_84>: No space left on device (28)'
NO_MEMORY = RuntimeError(FULL)
NO_FILES = OSError(errno.EMFILE, 'Too many open files')


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


class Unhandable:
    """What cannot be handed over, as a tensor where there is no shared memory."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __reduce__(self):
        raise self.error


class MakesUnhandable:
    """A collate function; ``error`` is a name of this module, so that a worker that is not forked can have it."""

    def __init__(self, error: str) -> None:
        self.error = error

    def __call__(self, samples: list) -> Unhandable:
        return Unhandable(globals()[self.error])


def loader(num_workers: int, collate=pseudo_collate) -> DataLoader:
    """As a run has it, which builds one of a config and takes one that is built."""
    built = DataLoader(Samples(), batch_size=2, num_workers=num_workers, collate_fn=collate)
    return PackingRunner.build_dataloader(PackingRunner.build_dataloader(built))


def test_a_batch_is_the_same_whether_it_was_packed_or_not():
    for packed, plain in zip(loader(1), loader(0), strict=True):
        pairs = list(zip(tensors_of(packed), tensors_of(plain), strict=True))
        assert len(pairs) == 10 and all(torch.equal(one, other) for one, other in pairs)
        ids = [[sample.img_id for sample in batch['data_samples']] for batch in (packed, plain)]
        assert ids[0] == ids[1]


@pytest.mark.parametrize(
    'error, says', [('NO_MEMORY', 'a data worker found no shared memory (/dev/shm)'), ('NO_FILES', 'ulimit -n')]
)
def test_a_batch_that_cannot_be_packed_ends_the_run_with_its_reason(capfd, error, says):
    with pytest.raises((RuntimeError, OSError)) as caught:
        list(loader(1, MakesUnhandable(error)))
    assert says in outside_cause(caught.value)
    assert 'Traceback' not in capfd.readouterr().err


def test_so_it_does_in_a_run_by_iterations_whose_workers_start_when_its_loop_is_built():
    runner = SimpleNamespace(_randomness_cfg={}, seed=0, build_dataloader=PackingRunner.build_dataloader)
    sampler = dict(type='DefaultSampler', shuffle=False)
    collate = MakesUnhandable('NO_MEMORY')
    given = dict(dataset=Samples(), batch_size=2, num_workers=1, sampler=sampler, collate_fn=collate)
    loop = IterBasedTrainLoop(runner, given, max_iters=1)
    with pytest.raises(RuntimeError) as caught:
        next(loop.dataloader_iterator)
    assert 'no shared memory' in outside_cause(caught.value)
