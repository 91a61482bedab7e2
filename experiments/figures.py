"""Run the commands behind the figures of docs/figures.md and write there what they print, on what, and when.

.venv/bin/python experiments/figures.py agreement synth
.venv/bin/python experiments/figures.py overfit --log overfit.log    # of a run that was kept
"""

import argparse
import datetime
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from cid_mmpose.cli.user_errors import user_errors
from cid_mmpose.errors import BadInput

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / 'docs' / 'figures.md'
CPU_INFO = Path('/proc/cpuinfo')
# flags of x86, the best first
INSTRUCTIONS = {'avx512_bf16': 'AVX-512 with bfloat16', 'avx512f': 'AVX-512', 'avx2': 'AVX2'}
WITHOUT_AVX512 = 'ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2'
CROWDED = '--people 30 30 --person-height 0.2 0.5 --overlap 1'


class Check(NamedTuple):
    """A command that prints figures."""

    command: str  # as a shell takes it, in the repository
    figures: str  # pattern of the lines with figures


CHECKS = dict(
    demo=Check('make demo', r'Trained .*held-out.*'),
    demo_avx2=Check(f'{WITHOUT_AVX512} make demo', r'Trained .*held-out.*'),
    test=Check('make test', r'\d+ passed.*'),
    agreement=Check('make agreement', r'=+ recipe .*|\S.*  +\S+  +\S+'),
    overfit=Check('make overfit DATA=/path/to/coco_mini', r'(head|cid_mmpose|MMPose) +[\w.]+ +[\w.]+'),
    synth=Check('cid synth --speed', r'\d+ images/s.*'),
    synth_crowd=Check(f'cid synth --speed {CROWDED}', r'\d+ images/s.*'),
)
# of which random case a row of `make agreement` is, and of which weight
CASE = re.compile(r',? (crowd|features|people|fused|spatial|channel)\b(?=,|$| \d+$)( \d+)?')
WEIGHT = re.compile(r'(?<=^gradient of )\w+(\.\w+)+')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('names', nargs='+', choices=CHECKS, metavar='NAME', help=', '.join(CHECKS))
    parser.add_argument('--log', type=Path, help='what one command printed on this machine; its figures are taken')
    return parser.parse_args()


def figures_in(output: str, check: Check) -> list[str]:
    """The lines of an output that hold figures.

    Args:
        output: what the command has printed.
        check: the command.

    Raises:
        BadInput: there are none.
    """
    lines = [line.strip() for line in output.splitlines()]
    found = [line for line in lines if re.fullmatch(check.figures, line)]
    if not found:
        raise BadInput(f'{check.command}: no line with figures in its output; see what it prints')
    return found


def largest_differences(lines: list[str]) -> list[str]:
    """One line for each quantity of a table of differences: the largest over all random cases, with its limit.

    Args:
        lines: titles, which begin with '=', and rows of name, difference and limit.
    """
    largest: dict[tuple[str, str], tuple[float, str]] = {}
    title = ''
    for line in lines:
        if line.startswith('='):
            title = line.strip('= ')
            continue
        name, difference, limit = re.split(r' {2,}', line)
        quantity = title, WEIGHT.sub('a weight', CASE.sub('', name))
        known, _ = largest.get(quantity, (0.0, ''))
        largest[quantity] = max(known, float(difference)), limit

    written = []
    for (table, name), (difference, limit) in largest.items():
        if table != title or not written:
            written.append(f'{table}:')
            title = table
        written.append(f'  {name:<52} {difference:8.2g} {limit:>8}')
    return written


def machine() -> str:
    """What figures of time depend on: cores, processor and its instructions."""
    processor = platform.processor() or platform.machine()
    known = ''
    if CPU_INFO.is_file():
        about = CPU_INFO.read_text(encoding='utf-8', errors='replace')
        names = re.findall(r'^model name\s*: (.+)$', about, re.M)
        processor = names[0] if names else processor
        known = next((text for flag, text in INSTRUCTIONS.items() if flag in about.split()), '')
    instructions = f' ({known})' if known else ''
    return f'{os.cpu_count()} cores of {processor}{instructions}'


def section(check: Check, figures: list[str], day: datetime.date) -> str:
    """The text of the page about one command.

    Args:
        check: the command.
        figures: lines that it printed.
        day: on which.
    """
    date = day.strftime('%d %B %Y').lstrip('0')
    return '\n'.join([f'`{check.command}`', f'on {machine()}, {date}:', '', '```', *figures, '```', ''])


def read_log(path: Path) -> tuple[str, datetime.date]:
    """An output that was kept, and the day on which it was.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        output = path.read_text(encoding='utf-8', errors='replace')
        written = path.stat().st_mtime
    except OSError as error:
        raise BadInput(f'--log {path}: cannot be read ({error.strerror}); name a file with the output') from None
    return output, datetime.date.fromtimestamp(written)


def put(page: str, name: str, text: str) -> str:
    """The page with another text between the marks of a check.

    Raises:
        BadInput: the page has no such marks.
    """
    marks = re.compile(rf'(<!-- figures: {name} -->\n).*?(<!-- end -->)', re.S)
    changed, times = marks.subn(lambda found: found[1] + text + found[2], page)
    if times != 1:
        raise BadInput(f'{PAGE}: no place for {name}; put <!-- figures: {name} --> and <!-- end --> there')
    return changed


def output_of(command: str) -> str:
    """What a command prints in the repository, with the commands of this environment at hand.

    Raises:
        BadInput: it fails.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get('PATH', '')])
    done = subprocess.run(
        command, shell=True, cwd=ROOT, env={**os.environ, 'PATH': path}, text=True, stdout=subprocess.PIPE
    )
    print(done.stdout)
    if done.returncode:
        raise BadInput(f'{command}: exit status {done.returncode}; nothing is written')
    return done.stdout


def main(args: argparse.Namespace) -> None:
    """Brings the sections up to date, one after the other, so that a command that fails leaves the others written."""
    if args.log and len(args.names) > 1:
        raise BadInput(f'--log {args.log}: is the output of one command, and {len(args.names)} are named')
    for name in args.names:
        check = CHECKS[name]
        if args.log:
            output, day = read_log(args.log)
        else:
            output, day = output_of(check.command), datetime.date.today()
        figures = figures_in(output, check)
        if name == 'agreement':
            figures = largest_differences(figures)
        page = put(PAGE.read_text(encoding='utf-8'), name, section(check, figures, day))
        PAGE.write_text(page, encoding='utf-8')
        print(f'{PAGE}: {name} is up to date')


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        main(args)
