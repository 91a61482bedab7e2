"""The command: examine, print, repair, draw; the exit status says what was found."""

import json
import os.path as osp
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional

from cid_mmpose.data.annotations import read_annotations
from cid_mmpose.errors import BadInput
from cid_mmpose.files import write_whole

from .case import Case
from .examine import Repaired, findings_of, image_files, open_cases, repair
from .images import images_below
from .report import as_dict, as_text, repairs_text, severities, totals
from .source import Source, check_folder, config_sources, file_source
from .table import ERROR, FINDINGS, SEVERITIES

if TYPE_CHECKING:  # a file alone is examined without the stack
    from mmengine.config import Config

LEAST_LEFT = 0.5  # of the labelled people; a repair that loses more is none


def diagnose(
    sources: Sequence[Source],
    *,
    against: Sequence[str] = (),
    sample: int | None = None,
    fix: str | None = None,
    only: Sequence[str] = (),
    report: str | None = None,
    plots: str | None = None,
) -> int:
    """Examines annotation files and prints a report on each.

    Args:
        sources: of ``file_source`` or ``config_sources``.
        against: paths of images that must be in none of the files.
        sample: images of each file to decode; None is all.
        fix: file for a repaired copy of the only source.
        only: findings to repair; () is all.
        report: file for the report as JSON.
        plots: folder for PNGs.

    Returns:
        1 if there are errors in the files as they are, else 0.

    Raises:
        BadInput: a file cannot be read, ``fix`` exists, is asked for of several files or would hold hardly anybody,
            or ``only`` names what cannot be repaired.
    """
    check_fix(len(sources), fix, only)
    cases = open_cases(sources, against, sample)
    findings = [findings_of(case) for case in cases]
    texts = map(as_text, cases, findings)
    print('\n\n'.join(texts))

    counts = severities([])
    for found in findings:
        counts += severities(found)
    if len(cases) > 1:
        print(f'\nall files: {totals(counts)}')

    if plots:
        draw_all(cases, plots)
    if report:
        files = list(map(as_dict, cases, findings))
        grades = {grade: counts[grade] for grade in SEVERITIES}
        write_json(report, dict(files=files, **grades))
    if fix:
        print(f'\n{write_repaired(cases[0], fix, only)}')
    return int(counts[ERROR] > 0)


def draw_all(cases: Sequence[Case], folder: str) -> None:
    """Draws the plots of all files and prints their paths."""
    from .plots import draw  # takes matplotlib and torch, which a report does not

    paths = []
    for case in cases:
        paths += draw(case, folder)

    print('\ndrawn:')
    for path in paths:
        print(f'  {path}')


def check_fix(files: int, fix: str | None, only: Sequence[str]) -> None:
    """BadInput unless a repair can be made as asked for.

    Args:
        files: how many are examined.
        fix: file for the copy, if one is wanted.
        only: names of findings.
    """
    if fix and files != 1:
        raise BadInput(f'--fix repairs one annotation file; the config names {files}: give one of them instead')
    if fix and osp.exists(fix):
        raise BadInput(f'--fix {fix}: is there already; name a new file')

    known = [finding.name for finding in FINDINGS if finding.repair]
    for name in only:
        if name not in known:
            raise BadInput(f'--only {name}: no finding that can be repaired; there are: {", ".join(known)}')
    if only and not fix:
        raise BadInput('--only chooses what is repaired: name the repaired copy with --fix')


def write_repaired(case: Case, path: str, only: Sequence[str]) -> str:
    """Writes a repaired copy of the file; returns the text on what was done.

    Args:
        case: its data is changed.
        path: of the copy.
        only: as for ``repair``.

    Raises:
        BadInput: hardly anybody would be left.
    """
    before = int(case.is_labelled.sum())
    repaired, log = repair(case, only)
    after = int(repaired.is_labelled.sum())
    if after <= before * LEAST_LEFT:
        raise BadInput(
            f'--fix {path}: not written, because {after} of {before} labelled people would be left '
            f'({_cause_of_loss(log)}); mend that in the file first, or choose other findings with --only'
        )

    write_json(path, repaired.data)
    left = findings_of(repaired)
    return f'{path}: {repairs_text(log, left)}'


def _cause_of_loss(log: Sequence[Repaired]) -> str:
    """Which repair changed most."""
    if not log:
        return 'the file has none to begin with'
    worst = max(log, key=_number_of_changes)
    return f'most goes by {worst.finding.name}'


def _number_of_changes(step: Repaired) -> int:
    return sum(step.done.values())


def write_json(path: str, content: Any) -> None:
    """Writes a JSON file; until it is complete, there is none of this name or the old one."""
    try:
        text = json.dumps(content)
    except RecursionError:
        raise BadInput(
            f'{path}: cannot be written, the annotation file holds lists in lists without end; mend it'
        ) from None
    write_whole(path, text.encode())


def images_against(names: Sequence[str], configs: Sequence['Config']) -> list[str]:
    """Paths of images that must be kept apart from what is examined.

    Args:
        names: folders of images.
        configs: whose evaluation sets are meant.

    Raises:
        BadInput: there is no such folder, or an annotation file of a config cannot be read.
    """
    for folder in names:
        check_folder(folder)

    paths = []
    for folder in names:
        paths += images_below(folder)
    for cfg in configs:
        for source in config_sources(cfg):
            if source.is_for_evaluation:
                data = read_annotations(source.path, needs_people=False)
                paths += image_files(source, data).values()
    return paths


def sources_of(path: str, images: str | None, cfg: Optional['Config']) -> list[Source]:
    """What to examine: the files of a config, or one annotation file.

    Args:
        path: of the file.
        images: folder of its images.
        cfg: the config; None for an annotation file.

    Raises:
        BadInput: ``images`` beside a config, which names its own.
    """
    if cfg is None:
        return [file_source(path, images)]
    if images is not None:
        raise BadInput('--images goes with an annotation file; a config names the folders of its images')
    return config_sources(cfg)
