"""./etl export: what is written equals what the warehouse holds, and nothing half-written is left behind."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.cli import parquet
from tests.harness.paths import REPO
from tests.local.cli.conftest import Called

Cli = Callable[..., Called]


def test_a_table_as_csv(seeded_cli: Cli, seeded: psycopg.Connection[Any], tmp_path: Path) -> None:
    season, count = seeded.execute("SELECT season_id, count(*) FROM football.fixtures GROUP BY 1").fetchall()[0]
    done = seeded_cli("export", "football.fixtures", "--season", str(season))
    assert done.code == 0, done.err
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert len(rows) == count
    assert {row["season_id"] for row in rows} == {str(season)}
    assert f"{count} rows of football.fixtures" in done.err
    file = tmp_path / "all.csv"
    assert seeded_cli("export", "chunks", "--to", str(file)).code == 0
    stored = seeded.execute("SELECT chunk_id FROM etl.chunks").fetchall()
    assert sorted(row["chunk_id"] for row in csv.DictReader(file.read_text().splitlines())) == sorted(
        row[0] for row in stored
    )
    assert file.stat().st_mode & 0o777 == 0o666 & ~_umask()
    # A view, with the season found through the fixture.
    assert seeded_cli("export", "raw.fixtures", "--season", str(season)).code == 0


def _umask() -> int:
    import os

    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["standing"], 2, "did you mean standings"),
        (["football.fixture"], 2, "football.fixtures"),
        (['fixtures"; DROP TABLE football.fixtures; --'], 2, "there is no table or view"),
        (["fixtures"], 2, "is in several schemas"),
        (["etl_alerts", "--season", "nine"], 2, "--season nine is not an integer"),
        (["football.states", "--season", "SEASON"], 2, "--season has no effect on football.states"),
        (["football.fixtures", "--season", "99"], 1, "there is no season 99"),
        (["football.fixtures", "--format", "xlsx"], 2, "--format xlsx is not known"),
        (["football.fixtures", "--to", "/no/such/folder/x.csv"], 2, "there is no folder /no/such/folder"),
        (["football.fixtures", "--to", "/"], 2, "this is a folder"),
    ],
)
def test_mistakes_are_named(
    seeded_cli: Cli, seeded: psycopg.Connection[Any], words: list[str], code: int, reason: str
) -> None:
    season = seeded.execute("SELECT season_id FROM etl.chunks").fetchall()[0][0]
    done = seeded_cli("export", *[str(season) if word == "SEASON" else word for word in words])
    assert (done.code, done.out) == (code, "")
    assert reason in done.err
    assert seeded.execute("SELECT count(*) > 0 FROM football.fixtures").fetchone() == (True,)


def test_a_failure_leaves_neither_a_file_nor_a_draft(
    seeded_cli: Cli, seeded: psycopg.Connection[Any], tmp_path: Path
) -> None:
    seeded.execute("CREATE VIEW etl.broken AS SELECT 1 / (total_fixtures - total_fixtures) AS x FROM etl.chunks")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "kept.csv").write_text("before")
    done = seeded_cli("export", "etl.broken", "--to", str(folder / "kept.csv"))
    assert done.code == 1
    assert "division by zero" in done.err
    assert [file.name for file in folder.iterdir()] == ["kept.csv"]
    assert (folder / "kept.csv").read_text() == "before"


def test_memory_does_not_grow_with_the_table(
    warehouse: psycopg.Connection[Any], warehouse_dsn: str, tmp_path: Path
) -> None:
    """150 MB go through a process that may use far less beyond what it needs for an empty table."""
    warehouse.execute(
        "CREATE TABLE etl.wide AS SELECT n, repeat(md5(n::text), 30) AS text FROM generate_series(1, 150000) AS n"
    )
    warehouse.execute("CREATE TABLE etl.empty AS SELECT * FROM etl.wide LIMIT 0")
    peaks = {table: _peak(table, warehouse_dsn, tmp_path) for table in ("etl.empty", "etl.wide")}
    assert (tmp_path / "etl.wide.csv").stat().st_size > 140_000_000
    assert peaks["etl.wide"] - peaks["etl.empty"] < 20 * 1024


def _peak(table: str, dsn: str, folder: Path) -> int:
    """Peak memory in KiB of an export."""
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    place = f"{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}"
    code = (
        "import resource, sys; from local.cli.main import main; code = main(sys.argv[1:]);"
        " print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "export", table, "--to", str(folder / f"{table}.csv")],
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": f"{REPO}:{REPO / 'plugins'}",
            "SUPABASE_CONNECTION_STRING": f"postgresql://{place}",
            "ETL_HOME": str(folder / "home"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


def test_parquet_without_pyarrow_says_how_to_get_it(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.csv", None)
    done = cli("export", "standings", "--to", str(tmp_path / "x.parquet"))
    assert done.code == 1
    assert "pyarrow" in done.err
    assert "pip install" in done.err


def test_parquet_holds_the_same_values(
    seeded_cli: Cli, seeded: psycopg.Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    seeded.execute(
        """CREATE TABLE etl.every_type AS SELECT
             1::smallint AS a, 2 AS b, 9007199254740993 AS c, true AS d, 1.5::real AS e, 0.1::double precision AS f,
             12.345::numeric(14,3) AS g, 0.5::numeric AS h, date '2026-08-15' AS i,
             timestamptz '2026-08-15 12:00:00.123456+02' AS j, timestamp '2026-08-15 12:00:00' AS k,
             E'line\nbreak, "quoted" and ü'::text AS l, ''::text AS m, '{"n": [1]}'::jsonb AS n, ARRAY[1, 2] AS o"""
    )
    seeded.execute("INSERT INTO etl.every_type (a) VALUES (null)")
    seeded.execute("CREATE TABLE etl.one_column AS SELECT * FROM (VALUES (1), (null), (3)) AS v (x)")
    seeded.execute("CREATE TABLE etl.no_rows AS SELECT 1 AS x LIMIT 0")
    for name in ("every_type", "one_column", "no_rows"):
        file = tmp_path / f"{name}.parquet"
        done = seeded_cli("export", f"etl.{name}", "--to", str(file))
        assert done.code == 0, done.err
    first, second = table.read_table(tmp_path / "every_type.parquet").to_pylist()
    stored = seeded.execute("SELECT * FROM etl.every_type WHERE a IS NOT NULL").fetchone()
    assert stored
    expected = dict(zip("abcdefghijklmno", stored, strict=True))
    expected |= {"h": 0.5, "n": '{"n": [1]}', "o": "{1,2}"}
    assert first == expected
    assert set(second.values()) == {None}
    assert table.read_table(tmp_path / "one_column.parquet").to_pydict() == {"x": [1, None, 3]}
    assert table.read_table(tmp_path / "no_rows.parquet").num_rows == 0
    seeded.execute("CREATE TABLE etl.forever AS SELECT 'infinity'::timestamptz AS x")
    done = seeded_cli("export", "etl.forever", "--to", str(tmp_path / "x.parquet"))
    assert (done.code, "does not fit into Parquet" in done.err) == (1, True)
    # A row of several megabytes, and more than one block.
    monkeypatch.setattr(parquet, "BLOCK_BYTES", 4 * 1024 * 1024)
    seeded.execute("CREATE TABLE etl.long AS SELECT n, repeat('x', 3000000) AS x FROM generate_series(1, 4) AS n")
    assert seeded_cli("export", "etl.long", "--to", str(tmp_path / "long.parquet")).code == 0
    assert table.read_table(tmp_path / "long.parquet").column("n").to_pylist() == [1, 2, 3, 4]
