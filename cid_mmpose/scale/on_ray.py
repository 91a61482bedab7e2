"""``cid predict --engine ray``: a cluster reads, decodes, finds and writes, by Ray Data.

Names become blocks; tasks read and decode the images; workers that have loaded the model once find the people; tasks
write files of rows, each whole or not at all. What a process that dies had in hand Ray does again, and the name of a
file follows from the images in it: so a file that was written before is written over, and no row is there twice.
"""

import logging
import os
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from tqdm import tqdm

from cid_mmpose.errors import BadInput, RunStopped
from cid_mmpose.files import only_run_in, remove_partial, write_whole
from cid_mmpose.inference.finder import PeopleFinder
from cid_mmpose.inference.journal import remove_folder
from cid_mmpose.inference.predict import writing_to
from cid_mmpose.inference.screen import tell

from .about import about_of, agree
from .lines import Counts
from .names import is_video
from .parquet import opened, utf8_text
from .ray_steps import IMAGES_AT_ONCE, IN_HAND, LOCK, RUN, Finder, blocks_of, read_images, rows_of_file, write_file
from .run import QUIET, summary

READING = 0.5  # CPUs of a task that reads and decodes
WRITING = 0.25
FILES_OF_ROWS = 'people-*.parquet'
ADDRESS = 'RAY_ADDRESS'  # of a cluster, as Ray itself reads it


def ray_data() -> ModuleType:
    """Ray, with ``ray.data``; BadInput where it is missing."""
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')  # nothing is told to others
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise BadInput(f"--engine ray needs Ray Data ({error}): pip install 'cid_mmpose[ray]'") from error
    return ray


def check_names(names: Sequence[str]) -> None:
    """BadInput if there are videos: their frames are found one after the other.

    Args:
        names: of ``names_of_shard``.
    """
    for name in names:
        if is_video(name):
            raise BadInput(f'{name}: --engine ray takes images; give videos to --shard')


def find_on_ray(
    finder: PeopleFinder,
    names: Sequence[str],
    folder: Path,
    model: Sequence[str | None],
    load: dict[str, Any],
    workers: int | None = None,
) -> Counts:
    """Finds the people in images on a cluster, or on this machine if ``RAY_ADDRESS`` names none.

    Args:
        finder: of ``cid_mmpose.load``, which says what the workers' models are.
        names: of images.
        folder: of results, on a file system that every node has.
        model: what the user named the model by, and the checkpoint.
        load: arguments of ``cid_mmpose.load``, by name.
        workers: processes with a model; None for one a GPU, or one a CPU but one.

    Returns:
        What all rows amount to that this run has written.

    Raises:
        BadInput: the folder was begun with other settings, or another run writes into it.
        RunStopped: the cluster cannot go on.
    """
    ray = ray_data()
    about = about_of(finder, model, 'ray', 1, 'parquet')
    with writing_to(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        agree(folder, about)
        with only_run_in(str(folder / LOCK), doing='writing results'):
            run = uuid.uuid4().hex
            write_whole(folder / LOCK / RUN, run.encode())  # from here on what a dead run left behind writes no more
            start_ray(ray, workers)
            try:
                counts = _work(ray, names, folder, about, load, workers, run)
            except ray.exceptions.RayError as error:
                raise reason_of(error) from error
            finally:
                ray.shutdown()
            (folder / LOCK / RUN).unlink()
            for left_behind in (folder / LOCK).glob(f'*{IN_HAND}'):
                left_behind.unlink(missing_ok=True)
            remove_folder(folder / LOCK)
    tell(f'results: {folder}')
    return counts


def names_done(folder: Path) -> set[str]:
    """The images of which there is a row.

    Args:
        folder: of results.

    Raises:
        BadInput: a file among them is none of these.
    """
    done: set[str] = set()
    for path in sorted(folder.glob(FILES_OF_ROWS)):
        with opened(path) as file:
            done.update(file.read(columns=['path'])['path'].to_pylist())
    return done


def start_ray(ray: ModuleType, workers: int | None) -> None:
    """Connects to the cluster that ``RAY_ADDRESS`` names, or starts Ray on this machine.

    Args:
        ray: of ``ray_data``.
        workers: that must find a CPU each, beside one for reading and writing.

    Raises:
        BadInput: there is no such cluster.
    """
    quiet: dict[str, Any] = dict(logging_level='error', log_to_driver=False)
    address = os.environ.get(ADDRESS)
    try:
        if address:
            ray.init(**quiet)
        else:
            num_cpus = max(os.cpu_count() or 1, (workers or 1) + 1)
            ray.init('local', num_cpus=num_cpus, include_dashboard=False, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        text = str(error).strip().partition('\n')[0]
        where = f'{ADDRESS}={address}: no cluster answers' if address else 'Ray does not start here'
        raise BadInput(f'{where} ({text:.200}); start one, or take --shard') from error


class Places(NamedTuple):
    """Where workers run."""

    workers: int
    gpus: int  # of each, 0 or 1


def places_of(resources: dict[str, float], device: str | None, workers: int | None) -> Places:
    """How many workers a cluster has room for.

    Args:
        resources: of the cluster, by Ray's names.
        device: that the user names; None takes GPUs if there are some.
        workers: as many as the user wants; None for all that fit.

    Raises:
        BadInput: there is no room for so many.
    """
    num_gpus = int(resources.get('GPU', 0))
    num_cpus = int(resources.get('CPU', 0)) - 1  # one reads and writes
    takes_gpu = device == 'cuda' or (device is None and num_gpus > 0)
    if device is not None and device.startswith('cuda:'):
        raise BadInput(f'--device {device}: Ray gives each worker a GPU of its own; give cuda')
    room = min(num_gpus, num_cpus) if takes_gpu else num_cpus
    wanted = workers or room
    if not 1 <= wanted <= room:
        raise BadInput(
            f'--workers {wanted}: the cluster has {num_cpus + 1} CPUs and {num_gpus} GPUs, which is room for {room} '
            'workers and what reads and writes; give fewer workers, or add nodes'
        )
    return Places(wanted, int(takes_gpu))


def _work(
    ray: ModuleType,
    names: Sequence[str],
    folder: Path,
    about: dict[str, Any],
    load: dict[str, Any],
    workers: int | None,
    run: str,
) -> Counts:
    """The run itself, on a cluster that is there."""
    places = places_of(ray.cluster_resources(), load['device'], workers)
    remove_partial(folder)
    done = names_done(folder)
    left = [name for name in names if utf8_text(name) not in done]
    if len(left) < len(names):
        tell(f'{len(names) - len(left)} images from the run before')
    counts = Counts()
    if not left:
        return counts
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger('ray.data').setLevel(logging.ERROR)
    results = os.path.abspath(folder)
    decoded = ray.data.from_arrow(blocks_of(left, places.workers)).map_batches(
        read_images, fn_kwargs=dict(folder=os.getcwd(), results=results), batch_format='pyarrow', num_cpus=READING
    )
    rows = decoded.map_batches(
        Finder,
        fn_constructor_kwargs=dict(load=load, about=about, results=results),
        batch_size=IMAGES_AT_ONCE,
        batch_format='pyarrow',
        compute=ray.data.ActorPoolStrategy(size=places.workers),
        num_cpus=1,
        num_gpus=places.gpus,
    )
    written = rows.map_batches(
        write_file,
        fn_kwargs=dict(folder=results, about=about, run=run),
        batch_size=rows_of_file(len(left)),
        batch_format='pyarrow',
        num_cpus=WRITING,
    )

    start = time.monotonic()
    interval = 0.1 if sys.stderr.isatty() else QUIET
    with tqdm(total=len(left), unit=' images', mininterval=interval) as bar:
        for row in written.iter_rows():
            counts = Counts(*(old + int(row[name]) for name, old in counts._asdict().items()))
            bar.update(int(row['images'] + row['errors']))
    tell(summary(counts, 0, time.monotonic() - start))
    return counts


def reason_of(error: Exception) -> BadInput:
    """One line for what ended a run on a cluster.

    Args:
        error: of Ray, whose text has the traceback of the process that it comes from.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if 'BadInput: ' in line]
    if said:
        return BadInput(said[-1].rpartition('BadInput: ')[2])
    return RunStopped(
        f'Ray: {(lines or [type(error).__name__])[-1]:.300}; see to that, and give the same command again: it goes on '
        'where it was'
    )
