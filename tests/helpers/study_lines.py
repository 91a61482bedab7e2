"""Runs of a study that take seconds, and lines that nobody ran."""

from study.lines import as_dict, key_of
from study.plans import Run, length

TINY = {
    **length(4),
    'param_scheduler.0.end': 1,
    'param_scheduler.1.begin': 1,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'train_dataloader.batch_size': 2,
    'test_dataloader.dataset.length': 3,
    'default_hooks.logger.interval': 1,
}


def tiny_run(config: str = 'crowd', seed: int = 0, **options) -> Run:
    """A run of four iterations."""
    return Run('pilot', 'a row', config, {**TINY, **options}, seed)


def made_up(run: Run, ap: float, easy: float = 0.0, hard: float = 0.0, **more) -> dict:
    """The line of a run with these APs; of 200 people 50 missed, of 1000 keypoints 30 on the wrong person."""

    def figures(of_bin: float) -> dict:
        counts = dict(images=100, people=200, missed=50, keypoints=1000, wrong=30)
        return dict(ap=of_bin, ap50=of_bin + 10, ap75=of_bin / 2, **counts)

    bins = {'all': figures(ap), 'easy': figures(easy), 'hard': figures(hard), '3 people': figures(ap)}
    about = dict(commit='abc', machine='2 cores of X', torch='2.14', date='2026-11-27', seconds=60.0)
    about.update(parameters=1500000, cpu_seconds=1800.0, all_seconds=90.0, inside=dict(undecided=40.0, alike=50.0))
    return {**as_dict(run), **about, 'iterations': 4, 'bins': bins, 'losses': [[4, 1.0]], 'key': key_of(run), **more}
