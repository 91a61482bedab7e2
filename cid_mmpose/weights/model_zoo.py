"""The tables of ``docs/model_zoo.md``, from the model index that openmim reads too.

The index says of every figure who published it: ``Dataset: COCO val (paper, table 1)``. The page has one marked block a
source, ``<!-- table: paper, table 1 -->`` to ``<!-- end -->``; between the marks everything is written anew, the prose
around them is left alone. Where a model of the index has weights, its first figure is theirs.
"""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from cid_mmpose.errors import BadInput

BLOCK = re.compile(r'(<!-- table: (.+?) -->\n).*?(<!-- end -->)', re.DOTALL)
DATASET = re.compile(r'(.+) \((.+)\)')
NOBODY = dict(Dataset='- (nobody)', Metrics={})  # of a config without a published figure
NEVER_SHOWN = 'Architecture'


class Row(NamedTuple):
    """What one source publishes of one config.

    ``metadata`` is the model's in the index, with 'Tested On'. ``metrics`` are AP and AR in [0, 1], all else in the
    unit that its name gives. ``weights`` is the URL of what was tested, or ''.
    """

    name: str
    config: str
    source: str
    weights: str
    metadata: dict[str, Any]
    metrics: dict[str, float]


def read_rows(index: Path) -> list[Row]:
    """All published figures of a model index, in its order.

    Raises:
        BadInput: a file is missing, or a result does not say who published it.
    """
    paths = [index.parent / name for name in read_yaml(index)['Import']]
    return [row for path in paths for model in read_yaml(path)['Models'] for row in rows_of(model, path)]


def rows_of(model: dict, path: Path) -> list[Row]:
    """The figures of one model of the metafile ``path``."""
    rows = []
    for number, result in enumerate(model.get('Results', [NOBODY])):
        found = DATASET.fullmatch(result['Dataset'])
        if not found:
            raise BadInput(
                f'{path}: {model["Name"]}: Dataset {result["Dataset"]!r} must end with who published the '
                "figure, as in 'COCO val (paper, table 1)'"
            )
        weights = model.get('Weights', '') if number == 0 else ''
        metadata = {**model['Metadata'], 'Tested On': found[1]}
        rows.append(Row(model['Name'], model['Config'], found[2], weights, metadata, result['Metrics']))
    return rows


def read_yaml(path: Path) -> dict:
    """The content of a YAML file; BadInput if there is none."""
    if not path.is_file():
        raise BadInput(f'{path}: no such file; it is part of the model index')
    return yaml.safe_load(path.read_text(encoding='utf-8'))


def render(rows: list[Row]) -> str:
    """A Markdown table: the config, what the rows differ in, their figures, the weights."""
    first = rows[0].metadata
    labels = [key for key in first if key != NEVER_SHOWN and any(row.metadata.get(key) != first[key] for row in rows)]
    figures = list(dict.fromkeys(name for row in rows for name in row.metrics))
    weights = ['Weights'] * any(row.weights for row in rows)
    lines = [['Config', *labels, *figures, *weights], ['---'] * (1 + len(labels) + len(figures) + len(weights))]
    for row in rows:
        link = [f'[{row.source}]({row.weights})' if row.weights else ''] * len(weights)
        lines.append(
            [
                f'[`{row.name}`](../{row.config})',
                *(str(row.metadata[key]) for key in labels),
                *(show(name, row.metrics) for name in figures),
                *link,
            ]
        )
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


def show(name: str, metrics: dict[str, float]) -> str:
    """A figure as the papers print it: AP and AR in percent; '' where there is none."""
    if name not in metrics:
        return ''
    return f'{100 * metrics[name]:.1f}' if name.startswith(('AP', 'AR')) else str(metrics[name])


def fill_page(text: str, rows: list[Row]) -> str:
    """The page with every block's table written anew.

    Args:
        text: of the page. rows: of the index.

    Raises:
        BadInput: a block names a source that the index does not know, or a source has no block.
    """
    sources, blocks = {row.source for row in rows}, {source for _, source, _ in BLOCK.findall(text)}
    if sources != blocks:
        raise BadInput(
            f'the page has no block for {sorted(sources - blocks)}, and the model index no figures for '
            f'{sorted(blocks - sources)}'
        )
    return BLOCK.sub(
        lambda found: ''.join([found[1], render([row for row in rows if row.source == found[2]]), found[3]]), text
    )


def update_page(page: str, index: str) -> None:
    """Brings the tables of a page up to date.

    Args:
        page: Markdown file, replaced as a whole. index: ``model-index.yml``.

    Raises:
        BadInput: as ``read_rows`` and ``fill_page``, or the page is missing.
    """
    path = Path(page)
    if not path.is_file():
        raise BadInput(f'{page}: no such page; it holds the prose and the marks of the tables')
    text = fill_page(path.read_text(encoding='utf-8'), read_rows(Path(index)))
    new = path.with_suffix('.new')
    new.write_text(text, encoding='utf-8')
    os.replace(new, path)
