"""Writes the CSV that PostgreSQL's COPY sends as a Parquet file, block by block. Needs pyarrow (an optional extra)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Buffer  # type: ignore[attr-defined,unused-ignore]

# A row must fit into a block. Payloads of fixtures are well below a megabyte.
BLOCK_BYTES = 16 * 1024 * 1024
NUMERIC = 1700
_MODIFIER_HEAD = 4  # bytes that PostgreSQL counts into the modifier of numeric


def require() -> Any:
    """The module pyarrow. LocalError with how to install it."""
    try:
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError:
        raise LocalError(
            "--format parquet needs pyarrow, which is not installed",
            hint="install it: .venv/bin/python -m pip install pyarrow; or use --format csv",
        ) from None
    return pyarrow


def write(
    chunks: Iterable[bytes | bytearray | memoryview], columns: Iterable[tuple[str, int, int]], target: BinaryIO
) -> int:
    """Write the rows of a CSV with header; returns their number. `columns`: name, type and type modifier of each, as in
    pg_attribute. Raises LocalError for a value that Parquet has no place for, such as an infinite time."""
    pyarrow = require()
    schema = pyarrow.schema([(name, arrow_type(pyarrow, kind, modifier)) for name, kind, modifier in columns])
    rows = 0
    try:
        reader = pyarrow.csv.open_csv(
            io.BufferedReader(_Chunks(iter(chunks))),
            read_options=pyarrow.csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
            # A table of one column has empty lines where it is null.
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=schema,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
        with pyarrow.parquet.ParquetWriter(target, schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)
                rows += batch.num_rows
    except pyarrow.ArrowInvalid as error:
        message = str(error).splitlines()[0][:200]
        raise LocalError(f"a value does not fit into Parquet: {message}", hint="use --format csv") from None
    return rows


def arrow_type(pyarrow: Any, kind: int, modifier: int) -> Any:
    """The type of a column by the number of PostgreSQL's; what Parquet has no type for (JSON, lists) is text."""
    simple = {
        16: pyarrow.bool_(),
        20: pyarrow.int64(),
        21: pyarrow.int16(),
        23: pyarrow.int32(),
        700: pyarrow.float32(),
        701: pyarrow.float64(),
        1082: pyarrow.date32(),
        1114: pyarrow.timestamp("us"),
        1184: pyarrow.timestamp("us", tz="UTC"),
    }
    if kind == NUMERIC:
        precision, scale = (modifier - _MODIFIER_HEAD) >> 16, (modifier - _MODIFIER_HEAD) & 0x7FF
        fits = modifier >= _MODIFIER_HEAD and precision <= 38 and scale <= precision
        return pyarrow.decimal128(precision, scale) if fits else pyarrow.float64()
    return simple.get(kind, pyarrow.string())


class _Chunks(io.RawIOBase):
    """A readable file over the chunks of a COPY."""

    def __init__(self, chunks: Iterator[bytes | bytearray | memoryview]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        room = memoryview(buffer).cast("B")
        while not self._rest:
            following = next(self._chunks, None)
            if following is None:
                return 0
            self._rest = memoryview(following)
        size = min(len(room), len(self._rest))
        room[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
