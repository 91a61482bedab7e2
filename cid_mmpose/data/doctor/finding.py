"""What a finding is: a check, its grade, what it leads to, and how it is repaired."""

from collections.abc import Callable
from typing import NamedTuple

from .case import Case, FoundEntries
from .repairs import Repair

ERROR = 'error'
WARNING = 'warning'
NOTE = 'note'
SEVERITIES = (ERROR, WARNING, NOTE)


class Finding(NamedTuple):
    """One thing that can be wrong with an annotation file."""

    name: str
    severity: str  # error: training or evaluation stops or is wrong; warning: something is lost; note: to know
    counts: str  # what is counted
    means: str  # what it leads to in training or AP
    find: Callable[[Case], FoundEntries]
    repair: Repair | None = None
    fix: str = ''  # what the repair does
