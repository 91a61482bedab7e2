"""What came out of the runs: a JSON line each, in ``experiments/results/*.jsonl``; all files of the folder count."""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cid_mmpose.errors import BadInput
from cid_mmpose.files import write_whole

from .plans import STUDIES, Run

RESULTS = Path(__file__).resolve().parents[1] / 'results'
REPEATS = 'repeats'  # the name of the file of runs that were done again from their line
OF_RUN = ('key', 'study', 'row', 'config', 'options', 'seed')
OF_MACHINE = ('commit', 'machine', 'torch', 'date')
NEEDED = (*OF_RUN, *OF_MACHINE, 'seconds', 'cpu_seconds', 'all_seconds', 'iterations', 'bins')
PACE = 'pace'  # the study of lines that hold seconds an iteration and no run


def key_of(run: Run) -> str:
    """The name of a run by what it does: the same in every study, on every machine."""
    start = key_of(run.start) if run.start else None
    text = json.dumps([run.config, run.options, run.seed, start], sort_keys=True)
    return hashlib.sha1(text.encode()).hexdigest()[:12]


def as_dict(run: Run) -> dict:
    """A run as its line has it."""
    start = as_dict(run.start) if run.start else None
    return dict(key=key_of(run), **run._asdict() | dict(start=start))


def run_of(line: dict) -> Run:
    """The run of a line."""
    start = run_of(line['start']) if line.get('start') else None
    return Run(line['study'], line['row'], line['config'], line['options'], line['seed'], start)


def read(folder: Path = RESULTS) -> list[dict]:
    """The lines of all files of a folder, each run once: of two lines of one run the first counts.

    Args:
        folder: need not exist.

    Raises:
        BadInput: a line is no line of a run.
    """
    found = []
    seen = set()
    for path in sorted(folder.glob('*.jsonl')):
        if path.stem == REPEATS:
            continue
        for line in read_file(path):
            if line['key'] not in seen:
                seen.add(line['key'])
                found.append(line)
    return found


def read_file(path: Path) -> list[dict]:
    """The lines of one file.

    Args:
        path: need not exist.

    Raises:
        BadInput: a line is no line of a run.
    """
    if not path.is_file():
        return []
    found = []
    for number, text in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
        try:
            line = json.loads(text)
        except json.JSONDecodeError as error:
            raise BadInput(f'{path}:{number}: is no JSON ({error}); remove the line to do its run again') from None
        check(line, f'{path}:{number}')
        found.append(line)
    return found


def check(line: dict, where: str) -> None:
    """BadInput if a line lacks what the page needs.

    Args:
        line: as read.
        where: file and number, for the message.
    """
    needed = ('key', 'study', 'pace') if isinstance(line, dict) and line.get('study') == PACE else NEEDED
    missing = [name for name in needed if not isinstance(line, dict) or name not in line]
    if missing:
        raise BadInput(f'{where}: field {missing[0]!r} is missing; remove the line to do its run again')
    if line['study'] != PACE and line['study'] not in STUDIES:
        raise BadInput(f"{where}: field 'study': there is no {line['study']!r}; remove the line")


def line_at(place: str) -> dict:
    """The line that ``FILE:N`` names, the first being 1.

    Raises:
        BadInput: there is none.
    """
    name, _, number = place.rpartition(':')
    path = Path(name)
    if not path.is_file() or not number.isdigit():
        raise BadInput(f'--line {place}: give FILE:N, a file of lines and the number of one')
    lines = read_file(path)
    if not 1 <= int(number) <= len(lines) or 'row' not in lines[int(number) - 1]:
        raise BadInput(f'--line {place}: the file has {len(lines)} lines; name one of a run')
    return lines[int(number) - 1]


def append(path: Path, line: dict) -> None:
    """Adds a line to a file, whole or not at all; several processes may do so at once.

    Args:
        path: its folder is made.
        line: plain numbers, texts, lists and dicts.
    """
    text = json.dumps(line, ensure_ascii=False) + '\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path.parent):
        before = path.read_bytes() if path.is_file() else b''
        if before and not before.endswith(b'\n'):
            before += b'\n'
        write_whole(path, before + text.encode())


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Waits until no other process writes into a folder, and keeps others waiting."""
    with (folder / '.lock').open('a') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
