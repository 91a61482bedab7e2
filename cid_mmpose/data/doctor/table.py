"""All findings in one table: the report, the repairs and the list in ``docs/doctor.md`` come from it.

Repairs are made in this order: what a later one needs, such as the right keypoints, is in order by then.
"""

from .finding import ERROR, NOTE, SEVERITIES, WARNING, Finding
from .findings_of_files import CATEGORIES_IMAGES_IDS, WHOLE_FILE
from .findings_of_people import PEOPLE, PEOPLE_NOTES

__all__ = ['ERROR', 'FINDINGS', 'NOTE', 'SEVERITIES', 'WARNING', 'Finding', 'markdown_table']

FINDINGS = CATEGORIES_IMAGES_IDS + PEOPLE + WHOLE_FILE + PEOPLE_NOTES


def markdown_table() -> str:
    """The findings as a table in Markdown."""
    lines = ['| finding | grade | counts | what it means | `--fix` |', '|---|---|---|---|---|']
    for finding in FINDINGS:
        fix = finding.fix or '-'
        lines.append(f'| `{finding.name}` | {finding.severity} | {finding.counts} | {finding.means} | {fix} |')
    return '\n'.join(lines)
