"""From sources to reports and repaired data."""

import os.path as osp
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cid_mmpose.data.annotations import read_annotations

from .case import Case, FoundEntries
from .images import look_at, same_content
from .source import Source
from .table import FINDINGS, SEVERITIES, Finding


class Result(NamedTuple):
    """What one finding found in a file."""

    finding: Finding
    found: FoundEntries


Findings = list[Result]


class Repaired(NamedTuple):
    """What was done about one finding."""

    finding: Finding
    done: Counter  # what, how often


class Repairs(NamedTuple):
    """A repaired file."""

    case: Case  # of the repaired data
    log: list[Repaired]  # what was done, in this order


def open_cases(sources: Sequence[Source], against: Iterable[str] = (), sample: int | None = None) -> list[Case]:
    """Reads the annotation files, looks at their images and compares the images' contents.

    Args:
        sources: files to examine; what serves for training is compared with what serves for evaluation.
        against: paths of images that must be in none of them.
        sample: images of each file that are decoded; None decodes all, 0 none.

    Returns:
        A case for each source.

    Raises:
        BadInput: a file cannot be read.
    """
    against = list(against)
    contents = [_read(source) for source in sources]
    files = list(map(image_files, sources, contents))
    paths = []
    for path_of_name in files:
        paths += path_of_name.values()
    digests = same_content(paths + against)

    cases = []
    for number, (source, data) in enumerate(zip(sources, contents)):
        case = Case(
            source,
            data,
            looks=look_at(data['images'], source.folder, sample) if files[number] else None,
            twice=twice(files[number], digests),
            elsewhere=elsewhere(number, sources, files, against, digests),
        )
        cases.append(case)
    return cases


def _read(source: Source) -> dict:
    """The content of an annotation file; only one for evaluation alone may do without people."""
    needs_people = source.is_for_training or not source.roles
    return read_annotations(source.path, needs_people=needs_people)


def image_files(source: Source, data: dict) -> dict[str, str]:
    """Path by file name; empty where the folder is not known or not on this machine's disks."""
    if source.folder is None or '://' in source.folder:
        return {}
    paths = {}
    for image in data['images']:
        path = osp.join(source.folder, image['file_name'])
        paths[image['file_name']] = osp.normpath(path)
    return paths


def twice(files: dict[str, str], digests: dict[str, bytes]) -> dict[str, str]:
    """Images with the content of an earlier one of the same data set, by file name.

    Args:
        files: path by file name.
        digests: of ``same_content``.
    """
    first_name: dict[bytes, str] = {}
    found = {}
    for name, path in files.items():
        if path not in digests:
            continue
        first = first_name.setdefault(digests[path], name)
        if first != name:
            found[name] = first
    return found


def elsewhere(
    number: int,
    sources: Sequence[Source],
    files: Sequence[dict[str, str]],
    against: Iterable[str],
    digests: dict[str, bytes],
) -> dict[str, str]:
    """Images of one source that must not be there, by file name: path of the same content elsewhere.

    Of a training set these are images of evaluation sets; of any, those that it is compared ``against``.

    Args:
        number: of the source.
        sources: all that are examined.
        files: path by file name, of each source.
        against: paths of images that must be in none of them.
        digests: of ``same_content``.
    """
    apart = list(against)
    if sources[number].is_for_training:
        for source, path_of_name in zip(sources, files):
            if source.is_for_evaluation:
                apart += path_of_name.values()

    # a path stands for itself where no other file has its content; of copies the first counts
    path_of_content = {digests.get(path, path): path for path in reversed(apart)}
    found = {}
    for name, path in files[number].items():
        content = digests.get(path, path)
        if content in path_of_content:
            found[name] = path_of_content[content]
    return found


def findings_of(case: Case) -> Findings:
    """What is found in a file, errors first, in the order of the table."""
    results = []
    for finding in sorted(FINDINGS, key=_place_of_severity):
        found = finding.find(case)
        if found.entries:
            results.append(Result(finding, found))
    return results


def _place_of_severity(finding: Finding) -> int:
    return SEVERITIES.index(finding.severity)


def repair(case: Case, only: Sequence[str] = ()) -> Repairs:
    """Repairs what can be repaired; changes the data of the case, which must not be used any more.

    Args:
        case: what to repair.
        only: names of findings; () repairs all.

    Returns:
        The case of the repaired data, and what was done in which order.
    """
    log = []
    for finding in FINDINGS:
        is_asked_for = not only or finding.name in only
        if finding.repair is None or not is_asked_for:
            continue
        found = finding.find(case)
        if found.entries:
            done = finding.repair(case, found.entries)
            log.append(Repaired(finding, done))
            case = case.anew()
    return Repairs(case, log)
