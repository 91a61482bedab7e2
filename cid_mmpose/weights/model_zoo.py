"""The tables of ``docs/model_zoo.md``, from the model index that openmim reads too.

The index says of every figure who published it: ``Dataset: COCO val (paper, table 1)``. The page has one marked block a
source, ``<!-- table: paper, table 1 -->`` to ``<!-- end -->``; between the marks everything is written anew, the prose
around them is left alone. Where a model of the index has weights, its first figure is theirs.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from cid_mmpose.errors import BadInput
from cid_mmpose.files import write_whole

BLOCK = re.compile(r'(<!-- table: (.+?) -->\n).*?(<!-- end -->)', re.DOTALL)
DATASET = re.compile(r'(.+) \((.+)\)')
NOBODY = dict(Dataset='- (nobody)', Metrics={})  # of a config without a published figure
NEVER_SHOWN = 'Architecture'


class Row(NamedTuple):
    """What one source publishes of one config."""

    name: str
    config: str
    source: str
    weights: str  # URL of what was tested, or ''
    metadata: dict[str, Any]  # the model's in the index, with 'Tested On'
    metrics: dict[str, float]  # AP and AR in [0, 1], all else in the unit that its name gives


def read_rows(index: Path) -> list[Row]:
    """All published figures of a model index, in its order.

    Args:
        index: ``model-index.yml``.

    Raises:
        BadInput: a file is missing, or a result does not say who published it.
    """
    rows = []
    for name in read_yaml(index)['Import']:
        path = index.parent / name
        for model in read_yaml(path)['Models']:
            rows.extend(rows_of(model, path))
    return rows


def rows_of(model: dict, path: Path) -> list[Row]:
    """The figures of one model of the metafile ``path``."""
    rows = []
    results = model.get('Results', [NOBODY])
    for number, result in enumerate(results):
        found = DATASET.fullmatch(result['Dataset'])
        if not found:
            raise BadInput(
                f'{path}: {model["Name"]}: Dataset {result["Dataset"]!r} must end with who published the '
                "figure, as in 'COCO val (paper, table 1)'"
            )
        weights = model.get('Weights', '') if number == 0 else ''
        metadata = {**model['Metadata'], 'Tested On': found[1]}
        row = Row(model['Name'], model['Config'], found[2], weights, metadata, result['Metrics'])
        rows.append(row)
    return rows


def read_yaml(path: Path) -> dict:
    """The content of a YAML file; BadInput if there is none."""
    if not path.is_file():
        raise BadInput(f'{path}: no such file; it is part of the model index')
    return yaml.safe_load(path.read_text(encoding='utf-8'))


def render(rows: list[Row]) -> str:
    """A Markdown table: the config, what the rows differ in, their figures, the weights."""
    labels = _differing_labels(rows)
    figures = _names_of_figures(rows)
    with_weights = any(row.weights for row in rows)

    head = ['Config'] + labels + figures
    if with_weights:
        head.append('Weights')
    lines = [head, ['---'] * len(head)]

    for row in rows:
        line = [f'[`{row.name}`](../{row.config})']
        for label in labels:
            line.append(str(row.metadata[label]))
        for name in figures:
            line.append(show(name, row.metrics))
        if with_weights:
            line.append(f'[{row.source}]({row.weights})' if row.weights else '')
        lines.append(line)

    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


def _differing_labels(rows: list[Row]) -> list[str]:
    """The keys of the metadata in which rows differ from the first one."""
    labels = []
    for label, value in rows[0].metadata.items():
        if label != NEVER_SHOWN and any(row.metadata.get(label) != value for row in rows):
            labels.append(label)
    return labels


def _names_of_figures(rows: list[Row]) -> list[str]:
    """The names of all figures of the rows, each once, in their order."""
    names: list[str] = []
    for row in rows:
        for name in row.metrics:
            if name not in names:
                names.append(name)
    return names


def show(name: str, metrics: dict[str, float]) -> str:
    """A figure as the papers print it: AP and AR in percent; '' where there is none."""
    if name not in metrics:
        return ''
    if name.startswith(('AP', 'AR')):
        return f'{100 * metrics[name]:.1f}'
    return str(metrics[name])


def fill_page(text: str, rows: list[Row]) -> str:
    """The page with every block's table written anew.

    Args:
        text: of the page.
        rows: of the index.

    Raises:
        BadInput: a block names a source that the index does not know, or a source has no block.
    """
    sources = {row.source for row in rows}
    blocks = {found[2] for found in BLOCK.finditer(text)}
    if sources != blocks:
        raise BadInput(
            f'the page has no block for {sorted(sources - blocks)}, and the model index no figures for '
            f'{sorted(blocks - sources)}'
        )

    def filled(found: re.Match) -> str:
        published = [row for row in rows if row.source == found[2]]
        return found[1] + render(published) + found[3]

    return BLOCK.sub(filled, text)


def update_page(page: str, index: str) -> None:
    """Brings the tables of a page up to date.

    Args:
        page: Markdown file, replaced as a whole.
        index: ``model-index.yml``.

    Raises:
        BadInput: as ``read_rows`` and ``fill_page``, or the page is missing.
    """
    path = Path(page)
    if not path.is_file():
        raise BadInput(f'{page}: no such page; it holds the prose and the marks of the tables')

    rows = read_rows(Path(index))
    text = fill_page(path.read_text(encoding='utf-8'), rows)
    write_whole(path, text.encode())
