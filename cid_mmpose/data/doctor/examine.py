"""From sources to reports and repaired data."""

import os.path as osp
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cid_mmpose.data.annotations import read_annotations

from .case import Case, Found
from .images import look_at, same_content
from .source import TRAIN, Source
from .table import FINDINGS, SEVERITIES, Finding

Findings = list[tuple[Finding, Found]]


class Repaired(NamedTuple):
    """What was done about one finding."""

    finding: Finding
    done: Counter  # what, how often


def open_cases(sources: Sequence[Source], against: Iterable[str] = (), sample: int | None = None) -> list[Case]:
    """Reads the annotation files, looks at their images and compares the images' contents.

    Args:
        sources: files to examine; what serves for training is compared with what serves for evaluation.
        against: paths of images that must be in none of them.
        sample: images of each file that are decoded; None decodes all, 0 none.

    Raises BadInput: a file cannot be read.
    """
    data = [read_annotations(s.path, needs_people=not s.roles or TRAIN in s.roles) for s in sources]
    files = [image_files(source, content) for source, content in zip(sources, data)]
    digests = same_content([path for names in files for path in names.values()] + list(against))
    return [
        Case(
            source,
            data[i],
            looks=look_at(data[i]['images'], source.folder, sample) if files[i] else None,
            twice=twice(files[i], digests),
            elsewhere=elsewhere(i, sources, files, against, digests),
        )
        for i, source in enumerate(sources)
    ]


def image_files(source: Source, data: dict) -> dict[str, str]:
    """Path by file name; empty where the folder is not known or not on this machine's disks."""
    if source.folder is None or '://' in source.folder:
        return {}
    return {p['file_name']: osp.normpath(osp.join(source.folder, p['file_name'])) for p in data['images']}


def twice(files: dict[str, str], digests: dict[str, bytes]) -> dict[str, str]:
    """Images with the content of an earlier one of the same data set, by file name.

    Args: files: path by file name. digests: of ``same_content``.
    """
    first, found = {}, {}
    for name, path in files.items():
        if path in digests and first.setdefault(digests[path], name) != name:
            found[name] = first[digests[path]]
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

    Args: number: of the source. sources, files, digests: as above.
    """
    apart = list(against)
    if TRAIN in sources[number].roles:
        apart += [
            path for source, names in zip(sources, files) if set(source.roles) - {TRAIN} for path in names.values()
        ]
    where = {digests.get(path, path): path for path in reversed(apart)}
    found = {name: where.get(digests.get(path, path)) for name, path in files[number].items()}
    return {name: path for name, path in found.items() if path}


def findings_of(case: Case) -> Findings:
    """What is found in a file, errors first, in the order of the table."""
    found = [(finding, finding.find(case)) for finding in FINDINGS]
    found.sort(key=lambda pair: SEVERITIES.index(pair[0].severity))
    return [(finding, result) for finding, result in found if result.entries]


def repair(case: Case, only: Sequence[str] = ()) -> tuple[Case, list[Repaired]]:
    """Repairs what can be repaired; changes the data of the case, which must not be used any more.

    Args:
        case: what to repair. only: names of findings; () repairs all.

    Returns:
        The case of the repaired data, and what was done in which order.
    """
    log = []
    for finding in FINDINGS:
        if finding.repair is None or (only and finding.name not in only):
            continue
        found = finding.find(case)
        if found.entries:
            log.append(Repaired(finding, finding.repair(case, found.entries)))
            case = case.anew()
    return case, log
