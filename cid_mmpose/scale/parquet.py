"""Parquet by pyarrow: the columns, and the way from rows to a file."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

from cid_mmpose.errors import BadInput

from .rows import KEY, Row

ROWS_OF_GROUP = 10_000  # images of a row group: with three people each some 6 MB
ROWS_AT_ONCE = 1000  # rows that are Python's objects at a time
COMPRESSION = 'zstd'


def arrow_of() -> ModuleType:
    """The package; BadInput where it is missing."""
    try:
        import pyarrow
    except ImportError as error:
        raise BadInput(f"Parquet needs pyarrow ({error}): pip install 'cid_mmpose[parquet]'") from error
    return pyarrow


def pyarrow_parquet() -> ModuleType:
    """``pyarrow.parquet``; BadInput where it is missing."""
    arrow_of()
    import pyarrow.parquet

    return pyarrow.parquet


def opened(path: str | Path) -> Any:
    """A file of rows, as a ``pyarrow.parquet.ParquetFile`` that the caller closes.

    Args:
        path: of the file.

    Raises:
        BadInput: pyarrow is missing, or the file is none that ``cid predict`` wrote.
    """
    try:
        file = pyarrow_parquet().ParquetFile(path)
    except (OSError, arrow_of().ArrowException) as error:
        reason = str(error).partition('\n')[0]
        raise BadInput(f'{path}: cannot be read as Parquet ({reason:.150}); write it again by cid predict') from error
    schema = file.schema_arrow
    if KEY.encode() not in (schema.metadata or {}):
        file.close()
        raise BadInput(f'{path}: is no file of cid predict: its metadata have no entry {KEY}')
    return file


def schema_of(about: dict[str, Any]) -> Any:
    """The columns, a ``pyarrow.Schema`` that carries what the file says of itself.

    Args:
        about: of ``about.about_of``.
    """
    arrow = arrow_of()
    numbers = arrow.list_(arrow.float32())
    person = [
        ('score', arrow.float32()),
        ('center', numbers),
        ('box', numbers),
        ('keypoints', arrow.list_(numbers)),
        ('keypoint_scores', numbers),
    ]
    columns = [
        arrow.field('path', arrow.string(), nullable=False),
        arrow.field('frame', arrow.int64()),
        arrow.field('time', arrow.float64()),
        arrow.field('width', arrow.int32()),
        arrow.field('height', arrow.int32()),
        arrow.field('people', arrow.list_(arrow.struct(person))),
        arrow.field('error', arrow.string()),
    ]
    return arrow.schema(columns, metadata={KEY: json.dumps(about)})


def table_of(rows: Iterable[Row], schema: Any) -> Any:
    """Rows as a ``pyarrow.Table``.

    Args:
        rows: of ``rows.rows_of``.
        schema: of ``schema_of``.
    """
    return arrow_of().Table.from_pylist([_in_utf8(row) for row in rows], schema=schema)


def _in_utf8(row: Row) -> Row:
    """A row whose texts are UTF-8."""
    texts = {name: utf8_text(row[name]) for name in ('path', 'error') if row.get(name) is not None}
    return {**row, **texts}


def utf8_text(name: str) -> str:
    """A text in which bytes that are no UTF-8, as names of files may have them, are written as \\xff.

    Args:
        name: of a file, or a text with one.
    """
    return name.encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')


def write_parquet(path: Path, tables: Iterable[Any], schema: Any) -> None:
    """Writes tables; the same rows give the same bytes, whatever tables they come in.

    Args:
        path: of the file.
        tables: of ``table_of``.
        schema: of ``schema_of``.
    """
    arrow = arrow_of()
    with pyarrow_parquet().ParquetWriter(path, schema, compression=COMPRESSION) as writer:
        waiting = schema.empty_table()
        for table in tables:
            waiting = arrow.concat_tables([waiting, table.cast(schema)])
            while len(waiting) >= ROWS_OF_GROUP:
                writer.write_table(waiting.slice(0, ROWS_OF_GROUP).combine_chunks())
                waiting = waiting.slice(ROWS_OF_GROUP)
        if len(waiting):
            writer.write_table(waiting.combine_chunks())


def tables_of(rows: Iterable[Row], schema: Any) -> Iterator[Any]:
    """Rows as tables of a thousand: as Python's objects they take ten times the memory.

    Args:
        rows: of ``rows.rows_of``.
        schema: of ``schema_of``.
    """
    waiting = iter(rows)
    while some := list(islice(waiting, ROWS_AT_ONCE)):
        yield table_of(some, schema)
