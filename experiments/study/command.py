"""What ``cid study`` does: runs of a study one after the other, their list, one run again, the page."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from types import SimpleNamespace

from cid_mmpose.benchmark.arguments import TUNED
from cid_mmpose.errors import BadInput

from .lines import PACE, REPEATS, append, as_dict, key_of, line_at, read, read_file, run_of
from .one_run import THREADS
from .plans import STUDIES, Plan, Run, plan_of
from .worker import BUSY

EXPERIMENTS = Path(__file__).resolve().parents[1]
ROOT = EXPERIMENTS.parent


def study(args: SimpleNamespace) -> int | None:
    """Does what was asked; returns the exit status, None for 0.

    Args:
        args: ``name``, ``seed``, ``only``, ``list``, ``line``, ``page``, ``results`` and ``work_dir`` of the command.

    Raises:
        BadInput: nothing was asked, there is no such study, row or line, or a run failed.
    """
    if args.name and args.name not in [*STUDIES, PACE]:
        raise BadInput(f'study {args.name}: there is none of this name; there are {", ".join([*STUDIES, PACE])}')
    if args.line:
        repeat(args.line, args.results, args.work_dir)
    elif args.list:
        names = [args.name] if args.name in STUDIES else list(STUDIES)
        print('\n'.join(listing(names, args)))
    elif args.name == PACE:
        measure_pace(args.results)
    elif args.name:
        plan = plan_of(args.name, read(args.results), args.seed, args.only)
        run_all(plan, args.name, args.results, args.work_dir)
    elif not args.page:
        raise BadInput(f'nothing to do: name a study ({", ".join([*STUDIES, PACE])}), or give --list or --page')
    if args.page:
        from .page import write_page

        print(f'{write_page(args.results)}: written from {len(read(args.results))} lines')
    return None


def run_all(plan: Plan, name: str, results: Path, work_dir: Path) -> None:
    """Does the runs that are not done and that no other process does, one after the other.

    Args:
        plan: of the study.
        name: of the study, after which the file of its lines is named.
        results: folder of the lines.
        work_dir: where each run has its folder.

    Raises:
        BadInput: some runs failed; the others were done.
    """
    for waiting in plan.waiting:
        print(f'{waiting.row}: {waiting.why}', flush=True)
    failed = []
    for run in plan.runs:
        if key_of(run) in done_in(results):
            continue
        print(f'{run.row}, seed {run.seed} ({key_of(run)})', flush=True)
        try:
            status = start(run, results / f'{name}.jsonl', work_dir)
        except BadInput as error:  # the others may do well
            print(f'  {error}', flush=True)
            failed.append(error)
            continue
        if status == BUSY:
            print('  another process does it', flush=True)
    left = sum(key_of(run) not in done_in(results) for run in plan.runs)
    print(f'study {name}: {len(plan.runs) - left} of {len(plan.runs)} runs are done', flush=True)
    if failed:
        raise BadInput(f'{len(failed)} runs failed; the first: {failed[0]}')


def done_in(results: Path) -> set[str]:
    """The keys of the runs that are done."""
    return {line['key'] for line in read(results)}


def start(run: Run, file: Path, work_dir: Path) -> int:
    """Does a run in a process of its own; returns 0, or ``BUSY`` where another process does it.

    Args:
        run: which.
        file: for its line.
        work_dir: where its folder is made; its output goes into ``log.txt`` there.

    Raises:
        BadInput: the run failed.
    """
    folder = work_dir.resolve() / key_of(run)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / 'log.txt'
    said = json.dumps(as_dict(run))
    words = [sys.executable, '-m', 'study.worker', said, str(file.resolve()), str(work_dir.resolve())]
    path = os.pathsep.join([str(ROOT), str(EXPERIMENTS), os.environ.get('PYTHONPATH', '')])
    # its threads would wait for each other in a busy loop wherever two runs share two cores
    # and the allocator keeps what it has, which makes a run shorter by a sixth
    environment = {**TUNED, **os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': str(THREADS)}
    with log.open('a', encoding='utf-8') as output:
        status = subprocess.run(words, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT).returncode
    if status not in (0, BUSY):
        last = (log.read_text(encoding='utf-8', errors='replace').strip().splitlines() or [''])[-1]
        raise BadInput(f'{run.row}, seed {run.seed}: stopped with status {status} ({last}); see {log}')
    return status


def repeat(place: str, results: Path, work_dir: Path) -> None:
    """Does the run of a line again, keeps its line in ``repeats.jsonl``, and prints both APs.

    Args:
        place: FILE:N.
        results: folder of the lines.
        work_dir: the run gets a folder of its own below it.
    """
    line = line_at(place)
    file = results / f'{REPEATS}.jsonl'
    before = len(read_file(file))
    if start(run_of(line), file, work_dir / REPEATS) == BUSY:
        raise BadInput(f'--line {place}: another process does this run; wait for its end')
    again = read_file(file)[before]
    ours, theirs = again['bins']['all']['ap'], line['bins']['all']['ap']
    print(f'{line["row"]}, seed {line["seed"]}: AP {ours:.1f}; the line has {theirs:.1f} ({line["commit"]})')


def measure_pace(results: Path) -> None:
    """Measures how long each method takes for an iteration, in turns, and keeps it in ``pace.jsonl``.

    It is measured once: the lengths of runs of equal time follow from it.
    """
    from .pace import seconds_per_iteration

    if any(line['study'] == PACE for line in read(results)):
        raise BadInput(f'{results / PACE}.jsonl: has the pace; the lengths of runs follow from it, so it stays')
    line = seconds_per_iteration()
    append(results / f'{PACE}.jsonl', line)
    for method, seconds in line['pace'].items():
        print(f'{method:32} {seconds:.3f} s an iteration')


def listing(names: Sequence[str], args: SimpleNamespace) -> list[str]:
    """What is done and what is left of studies, with the time that it will take.

    Args:
        names: of the studies.
        args: with ``results``, ``seed`` and ``only``.
    """
    found = read(args.results)
    taken = {line['key']: line for line in found}
    text, left = [], 0.0
    for name in names:
        plan = plan_of(name, found, args.seed, args.only)
        done = [run for run in plan.runs if key_of(run) in taken]
        text.append(f'{name}: {STUDIES[name].title}; {len(done)} of {len(plan.runs)} runs done')
        for run in plan.runs:
            line = taken.get(key_of(run))
            if line:
                about = f'AP {line["bins"]["all"]["ap"]:5.1f}, {line["all_seconds"] / 60:.1f} min'
            else:
                seconds = estimate(run, found)
                left += seconds or 0.0
                about = 'left' + (f', about {seconds / 60:.0f} min' if seconds else ', how long is not known yet')
            text.append(f'  seed {run.seed}  {run.row:48} {about}')
        text += [f'          {waiting.row:48} {waiting.why}' for waiting in plan.waiting]
    text.append(f'left: about {left / 3600:.1f} hours, one run after the other')
    return text


def estimate(run: Run, found: Sequence[dict]) -> float | None:
    """Seconds that a run will take: by the iterations of those done with its config; None if there are none.

    Args:
        run: which.
        found: the lines that are there.
    """
    paces = [line['all_seconds'] / line['iterations'] for line in found if line.get('config') == run.config]
    return median(paces) * run.options['train_cfg.max_iters'] if paces else None
