"""docs/reference/older-systems.md is true: every name in its columns *Now* and *Different* exists, with that default.

The kind of a name follows from the word in front of it (setting, key, parameter ...), or from its form (`./etl …`,
`schema.table.column`, `Class.method()`). A name of no known kind fails, so that nothing is left unchecked.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import is_dataclass
from functools import cache
from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec
import psycopg
import pytest

import sportmonks
from local.cli.main import build_parser
from local.errors import UsageError
from sportmonks.alerts.rules import RULES
from sportmonks.config.catalog import Catalog
from sportmonks.planning.run_params import RunRequest
from sportmonks.routes.spec import Route
from tests.harness.paths import REPO

PAGE = REPO / "docs" / "reference" / "older-systems.md"
TEXT = PAGE.read_text(encoding="utf-8")
SNAPSHOT = (REPO / "tests" / "warehouse" / "schema.snapshot.txt").read_text(encoding="utf-8")
EXAMPLE_TABLE = "raw.client_2151_orders"
# What is in front of a name and what is behind it.
SPAN = re.compile(r"(?:\b(\w+) )?`([^`]+)`(?: \(default ([^)]+)\))?")


class Row(NamedTuple):
    """A row of a table: the names of the first column, and the text of the other two."""

    before: tuple[str, ...]
    now: str
    different: str


class Name(NamedTuple):
    """A name as the page has it: the word in front of it, and the default behind it."""

    word: str
    text: str
    default: str


def rows() -> list[Row]:
    lines = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| Before |")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert all(len(row) == 3 for row in cells), "A row has other than three columns."
    return [Row(tuple(re.findall(r"`([^`]+)`", before)), now, different) for before, now, different in cells]


ROWS = rows()
NAMES = sorted(
    {
        Name(word or "", text, default or "")
        for row in ROWS
        for cell in (row.now, row.different)
        for word, text, default in SPAN.findall(cell)
    }
)


def objects(kind: str) -> dict[str, str]:
    """Tables or views of the snapshot by name, with the lines below them."""
    return {
        found[1]: found[2] for found in re.finditer(rf"^{kind} (\S+)\n((?:    .*\n)*)", SNAPSHOT + "\n", re.MULTILINE)
    }


RELATIONS = objects("table") | objects("view")
INDEXES = set(re.findall(r"INDEX (\w+) ON", SNAPSHOT))
FUNCTIONS = {
    name: re.findall(r"(p_\w+) ", parameters)
    for name, parameters in re.findall(r"^function (\S+?)\((.*?)\) ->", SNAPSHOT, re.MULTILINE)
}


def columns_of(relation: str) -> set[str]:
    return set(re.findall(r"^    ([a-z]\w*) [a-z]", RELATIONS[relation], re.MULTILINE))


@cache
def parser_of(command: str) -> argparse.ArgumentParser:
    """The parser of a command such as `routes run`."""
    parser: argparse.ArgumentParser = build_parser()
    for word in command.split():
        (actions,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
        parser = actions.choices[word]
    return parser


def check_command(name: Name) -> None:
    words = shlex.split(name.text)[1:]
    build_parser().parse_args(words)
    if name.default:
        options = [word for word in words if word.startswith("-")]
        parser = parser_of(" ".join(words[: 2 if words[0] == "routes" else 1]))
        (action,) = (action for action in parser._actions if options[-1] in action.option_strings)
        assert str(action.default) == name.default or f"default {name.default}" in (action.help or "")


def python_object(path: str) -> Any:
    """What `Class.method` of the public names, or `sportmonks.module.name`, leads to."""
    parts = path.split(".")
    if parts[0] in sportmonks.__all__:
        found, rest = getattr(sportmonks, parts[0]), parts[1:]
    else:
        split = next(place for place in range(len(parts) - 1, 0, -1) if is_module(".".join(parts[:place])))
        found, rest = importlib.import_module(".".join(parts[:split])), parts[split:]
    for part in rest:
        found = getattr(found, part)
    return found


def is_module(path: str) -> bool:
    try:
        return bool(importlib.import_module(path))
    except ModuleNotFoundError:
        return False


def check_python(name: Name) -> None:
    path, call, arguments = name.text.partition("(")
    found = python_object(path)
    if not call:
        return
    assert callable(found)
    parameters = inspect.signature(found).parameters
    for argument in filter(None, (each.strip() for each in arguments.removesuffix(")").split(","))):
        parameter, _, value = argument.partition("=")
        assert parameter in parameters, f"{path} has no parameter {parameter}."
        assert not value or repr(parameters[parameter].default) == value


def check_relation(name: Name) -> None:
    schema, relation, *column = name.text.split(".")
    assert f"{schema}.{relation}" in RELATIONS
    assert set(column) <= columns_of(f"{schema}.{relation}")


def check_function(name: Name) -> None:
    function, _, arguments = name.text.removesuffix(")").partition("(")
    given = [f"p_{argument.strip()}" for argument in arguments.split(",") if argument.strip()]
    assert FUNCTIONS[function][: len(given)] == given


def shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def check_default(name: Name, value: Any) -> None:
    assert not name.default or shown(value) == name.default, f"{name.text} is {value!r}."


def check_setting(name: Name) -> None:
    found: Any = Catalog()
    for part in name.text.split("."):
        found = getattr(found, part)
    check_default(name, found)


def check_key(name: Name) -> None:
    """A key of a route file is a field of `Route` or of one of its parts."""
    owner: Any = Route
    *parts, last = name.text.split(".")
    for part in parts:
        kind = get_type_hints(owner)[part]
        owner = next(each for each in (kind, *get_args(kind)) if is_dataclass(each))
    check_default(name, owner.__dataclass_fields__[last].default)


def check_parameter(name: Name) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(RunRequest)}
    check_default(name, fields[name.text].default)


def check_in(value: object, known: Iterable[Any]) -> None:
    assert value in known


def check_line(text: str, beginning: str) -> None:
    """Some line of the text begins so."""
    assert f"\n{beginning}" in f"\n{text}"


def check_literal(name: Name, *places: str) -> None:
    """A Python or SQL file below these folders has the name in quotes."""
    files = [file for place in places for file in (REPO / place).rglob("*") if file.suffix in (".py", ".sql")]
    assert any(re.search(rf"['\"]{re.escape(name.text)}['\"]", file.read_text(encoding="utf-8")) for file in files)


def text_of(path: str) -> str:
    return (REPO / path).read_text(encoding="utf-8")


EVENTS = ("include/sql/functions", "include/sql/tasks", "plugins/sportmonks/collect")
# The word in front of a name -> how to check it.
WORDS: dict[str, Callable[[Name], None]] = {
    "setting": check_setting,
    "key": check_key,
    "parameter": check_parameter,
    "variable": lambda name: check_line(text_of(".env.example"), f"{name.text}="),
    "alert": lambda name: check_in(name.text, {rule.kind for rule in RULES}),
    "DAG": lambda name: check_line(text_of("tests/public_behaviour.snapshot.txt"), f"{name.text}: "),
    "metric": lambda name: check_literal(name, *EVENTS),
    "component": lambda name: check_literal(name, *EVENTS),
    "connection": lambda name: check_literal(name, "plugins/sportmonks/config", "plugins/sportmonks/alerts"),
    "figure": lambda name: check_literal(name, "plugins/sportmonks/routes"),
}
# The form of another name -> the same.
FORMS: dict[str, Callable[[Name], None]] = {
    r"\./etl .+": check_command,
    r"make \w+": lambda name: check_line(text_of("Makefile"), f"{name.text.split()[1]}:"),
    r"etl\.\w+\(.*\)": check_function,
    r"(etl|football|raw)\.\w+(\.\w+)?": check_relation,
    r"idx_\w+": lambda name: check_in(name.text, INDEXES),
    r"[\w./-]+(/|\.(py|yaml|txt))": lambda name: check_in(True, {(REPO / name.text).exists()}),
    rf"(sportmonks|{'|'.join(sportmonks.__all__)})\b.*": check_python,
}


def is_of_example(text: str) -> bool:
    """Whether it belongs to the table of the example, which only a call makes."""
    return text.removeprefix("raw.").startswith(EXAMPLE_TABLE.removeprefix("raw."))


@pytest.mark.parametrize("name", [name for name in NAMES if not is_of_example(name.text)], ids=str)
def test_what_the_page_names_exists(name: Name) -> None:
    check = WORDS.get(name.word) or next((FORMS[form] for form in FORMS if re.fullmatch(form, name.text)), None)
    assert check, f"`{name.text}` is of no known kind: write setting, key, parameter ... in front of it."
    check(name)


@pytest.mark.parametrize(
    ("word", "text", "default"),
    [
        ("", "./etl run --batchsize 5", ""),
        ("", "./etl dashboard --logs --limit 20", "50"),
        ("", "etl.log_etl_event(component, level)", ""),
        ("", "etl.etl_logs.level_name", ""),
        ("", "football.fixture", ""),
        ("", "idx_etl_logs_message", ""),
        ("", "ETLMonitor.stop_execution()", ""),
        ("", "SportmonksClient(attempts=3)", ""),
        ("", "SportmonksClient(tries)", ""),
        ("", "docs/reference/newer-systems.yaml", ""),
        ("", "make sandwich", ""),
        ("setting", "alerts.error_rate_percent", "10"),
        ("setting", "alerts.error_rate", ""),
        ("key", "retry_max", "3"),
        ("key", "period.date_until", ""),
        ("parameter", "min_fixtures", "10"),
        ("variable", "ETL_LEVEL", ""),
        ("alert", "ERRORS", ""),
        ("DAG", "raw_2151_order", ""),
        ("metric", "chunk_length", ""),
        ("the", "unknown_thing", ""),
    ],
)
def test_what_does_not_exist_is_found(word: str, text: str, default: str) -> None:
    with pytest.raises((AssertionError, AttributeError, KeyError, UsageError)):
        test_what_the_page_names_exists(Name(word, text, default))


def test_the_page_is_read() -> None:
    assert len(ROWS) > 100
    assert len(NAMES) > 150
    assert len([name for name in NAMES if name.default]) > 25


SAME = re.compile(r"the same (names|columns|indexes|parameters)(?: in `([^`]+)`)?")


@pytest.mark.parametrize("row", [row for row in ROWS if SAME.match(row.now)], ids=lambda row: row.before[0])
def test_what_the_page_calls_the_same_is_the_same(row: Row) -> None:
    """Here the names of the first column are those of this package."""
    kind, place = SAME.match(row.now).groups()  # type: ignore[union-attr]
    if kind == "indexes":
        assert set(row.before) <= INDEXES
    elif kind == "names":
        methods = [name for name in row.before if name != place]
        assert methods
        assert all(callable(getattr(getattr(sportmonks, place), name)) for name in methods)
    elif kind == "columns":
        assert len(row.before) > 1
        assert set(row.before[1:]) <= columns_of(place)
    else:
        assert place == f"etl.{row.before[0]}()"
        expected = [f"p_{name}" for name in row.before[1:]]
        assert FUNCTIONS[f"etl.{row.before[0]}"][: len(expected)] == expected


def test_the_raw_table_is_as_described(warehouse: psycopg.Connection[Any]) -> None:
    warehouse.execute("SELECT etl.ensure_raw_table('2151', 'orders', ARRAY['id'])")
    table = EXAMPLE_TABLE.removeprefix("raw.")
    columns = warehouse.execute(
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'raw'"
    ).fetchall()
    relations = warehouse.execute("SELECT relname FROM pg_class WHERE relnamespace = 'raw'::regnamespace").fetchall()
    known = {row[0] for row in (*columns, *relations)}
    named = {name.text.removeprefix("raw.") for name in NAMES if is_of_example(name.text)}
    assert named <= known
    # Nothing of the table is left out, but for what the system adds itself.
    assert {name for name in known if name.startswith(f"{table}.")} - named == {f"{table}.record_key"}


OLD_RUNS = """
CREATE SCHEMA sofia;
CREATE TABLE sofia.collector_runs (
    id bigserial PRIMARY KEY, collector_name text, status text, started_at timestamptz, completed_at timestamptz,
    records_processed integer, records_inserted integer, records_updated integer);
INSERT INTO sofia.collector_runs (collector_name, status, started_at, completed_at, records_processed, records_inserted,
                                  records_updated)
VALUES ('people', 'success', '2025-11-20 05:00Z', '2025-11-20 05:10Z', 128, 100, 28),
       ('people', 'failed', '2025-11-21 05:00Z', '2025-11-21 05:01Z', 3, 0, 0),
       ('people', 'running', '2025-11-22 05:00Z', NULL, 0, 0, 0);
"""


def test_runs_of_the_older_table_are_taken_over(warehouse: psycopg.Connection[Any]) -> None:
    (statement,) = re.findall(r"```sql\n(SELECT etl\.record_collector_run.*?)```", TEXT, re.DOTALL)
    warehouse.execute(OLD_RUNS)
    warehouse.execute(statement.encode())
    columns = "collector_name, status, started_at, completed_at, records_processed, records_inserted, records_updated"
    ended = "sofia.collector_runs WHERE status <> 'running' ORDER BY id"
    old = warehouse.execute(f"SELECT {columns} FROM {ended}".encode()).fetchall()
    new = warehouse.execute(f"SELECT {columns} FROM etl.collector_runs ORDER BY run_id".encode()).fetchall()
    assert len(old) == 2
    assert new == old
    with sportmonks.IncrementalCollector("people", warehouse) as tracker:
        assert tracker.last_run_time == old[0][3]


# The queries of the older document, with the schema of this package.
OLD_QUERIES = (
    """
    SELECT collector_name, status, records_processed, records_inserted, records_updated,
           completed_at - started_at AS duration, completed_at
    FROM etl.collector_runs ORDER BY completed_at DESC LIMIT 10
    """,
    """
    SELECT collector_name, COUNT(*) FILTER (WHERE status = 'failed') AS failures,
           COUNT(*) FILTER (WHERE status = 'success') AS successes, MAX(completed_at) AS last_run
    FROM etl.collector_runs GROUP BY collector_name HAVING COUNT(*) FILTER (WHERE status = 'failed') > 0
    """,
    """
    WITH stats AS (
        SELECT collector_name, AVG(records_processed) AS avg_processed,
               AVG(EXTRACT(EPOCH FROM (completed_at - started_at))) AS avg_duration_sec
        FROM etl.collector_runs WHERE status = 'success' GROUP BY collector_name)
    SELECT collector_name, ROUND(avg_processed) AS avg_records, ROUND(avg_duration_sec) AS avg_seconds,
           ROUND(avg_processed / NULLIF(avg_duration_sec, 0)) AS records_per_second
    FROM stats ORDER BY avg_duration_sec DESC
    """,
)


def test_the_older_queries_run_and_the_views_agree(warehouse: psycopg.Connection[Any]) -> None:
    """``end - start`` of a run is the clock's, so that only figures are compared."""
    for status, count, minutes in (("success", 1200, 10), ("success", 60, 1), ("failed", 5, 2)):
        warehouse.execute(
            "SELECT etl.record_collector_run('people', NULL, %s, %s, p_started_at => %s::timestamptz,"
            " p_now => %s::timestamptz + make_interval(mins => %s))",
            (status, count, "2025-11-20 05:00Z", "2025-11-20 05:00Z", minutes),
        )
    last, errors, speed = (warehouse.execute(query.encode()).fetchall() for query in OLD_QUERIES)
    assert [row[2] for row in last] == [1200, 5, 60]
    view = "SELECT collector_name, failures, successes, last_run FROM etl.collectors_with_errors"
    assert errors == warehouse.execute(view).fetchall()
    assert errors[0][:3] == ("people", 1, 2)
    view = "SELECT collector_name, avg_records, round(avg_seconds) FROM etl.collector_throughput"
    assert [row[:3] for row in speed] == warehouse.execute(view).fetchall() == [("people", 630, 330)]
