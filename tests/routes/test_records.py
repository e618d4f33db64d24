"""Records in a real warehouse: digits, unreadable ones, odd names, dates, deletions, typed columns."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import msgspec
import psycopg
import pytest

from sportmonks.errors import FatalApiError, TransientApiError
from sportmonks.routes.records import content_hashes, prepare
from sportmonks.routes.spec import Route
from tests.harness.routes import ORDERS, make_route
from tests.harness.shape_server import Answer, Play
from tests.routes.conftest import TODAY, Collect, Conn, Server


def a_route(keys: str = "") -> Route:
    return make_route(f"paging: none\n{keys}", ORDERS)


def rows(conn: Conn, what: str = "payload::text", table: str = "client_shop_orders") -> list[Any]:
    return [row[0] for row in conn.execute(f"SELECT {what} FROM raw.{table} ORDER BY id").fetchall()]


def body(*records: str) -> Play:
    return lambda _: Answer(b'{"data": [%s]}' % ",".join(records).encode("utf-8", "surrogateescape"))


def test_each_digit_counts(play: Server, collect: Collect, warehouse: Conn) -> None:
    route = a_route("key: [id]")
    for place, text in enumerate(("0.12345678901234561", "0.12345678901234562", "1.0", "1", "1.50", "1.5")):
        server = play(body(f'{{"id": 1, "total": {text}}}'))
        assert collect(route, server, execution_id=f"etl_{place}")["inserted"] == 1
    assert rows(warehouse, "payload ->> 'total'")[:2] == ["0.12345678901234561", "0.12345678901234562"]


def test_rows_that_the_first_version_stored_are_no_news(play: Server, collect: Collect, warehouse: Conn) -> None:
    """Their hash was made of rounded numbers; it is replaced where the content is the same."""
    texts = ['{"id": 1, "total": 10.50}', '{"id": 2, "total": 3}', '{"id": 3, "total": 0.12345678901234561}']
    route = a_route("key: [id]")
    collect(route, play(body()))
    for text in texts:
        old = sha256(msgspec.json.Encoder(order="sorted").encode(json.loads(text))).digest()
        warehouse.execute("INSERT INTO raw.client_shop_orders (payload, content_hash) VALUES (%s, %s)", (text, old))
    assert collect(route, play(body(*texts)), execution_id="etl_2")["inserted"] == 0
    assert collect(route, play(body(*texts)), execution_id="etl_3")["inserted"] == 0
    # Another record that the first version could not have distinguished from the third.
    changed = play(body('{"id": 3, "total": 0.12345678901234562}'))
    assert collect(route, changed, execution_id="etl_4")["inserted"] == 1


def test_they_are_none_where_only_ignored_fields_differ(play: Server, collect: Collect, warehouse: Conn) -> None:
    route = a_route("key: [id]\nhash_without: [seen, meta.seen, lines.seen]")
    collect(route, play(body()))
    text = '{"id": 1, "total": 10.50, "seen": %d, "meta": {"seen": %d, "a": 1}, "lines": [{"seen": 1, "n": 2}, 3]}'
    kept = {"id": 1, "total": 10.5, "meta": {"a": 1}, "lines": [{"seen": 1, "n": 2}, 3]}
    old = sha256(msgspec.json.Encoder(order="sorted").encode(kept)).digest()
    warehouse.execute(
        "INSERT INTO raw.client_shop_orders (payload, content_hash) VALUES (%s, %s)", (text % (1, 1), old)
    )
    assert collect(route, play(body(text % (2, 2))), execution_id="etl_2")["inserted"] == 0
    assert collect(route, play(body(text % (3, 3))), execution_id="etl_3")["inserted"] == 0
    changed = (text % (4, 4)).replace("10.50", "10.51")
    assert collect(route, play(body(changed)), execution_id="etl_4")["inserted"] == 1


def test_what_is_left_out_of_the_hash_within_lists() -> None:
    record = {"id": 1, "lines": [{"sku": "a", "seen": 1}, {"sku": "b", "seen": 2}], "meta": {"seen": 3}}
    again = {"id": 1, "lines": [{"sku": "a", "seen": 9}, {"sku": "b"}], "meta": {"seen": 4}}
    paths = (("lines", "seen"), ("meta", "seen"))
    assert content_hashes(record, {}, paths)[0] == content_hashes(again, {}, paths)[0]
    assert content_hashes(record, {}, paths)[1] is not None  # the first version stored another one
    assert content_hashes({"id": 1, "lines": [3]}, {}, paths)[1] is None


def test_an_unreadable_record_costs_only_itself(play: Server, collect: Collect, warehouse: Conn) -> None:
    odd = ['{"id": 2, "n": NaN}', '{"id": 3, "s": "\udcff"}', '{"id": 4, "s": "\\ud83d"}', "7", '{"id": 5, "n": 1e400}']
    server = play(body('{"id": 1}', *odd, '{"id": 6}'))
    summary = collect(a_route(), server)
    assert (summary["inserted"], summary["failed"]) == (2, 5)
    assert len(server.requests) == 2  # it might have been damage on the way
    reasons = [
        row[0] for row in warehouse.execute("SELECT reason FROM etl.route_rejects ORDER BY reject_id").fetchall()
    ]
    assert [reason.partition(":")[0] for reason in reasons] == ["not readable"] * 3 + ["not an object", "not readable"]


def test_a_body_that_was_cut_off_is_no_page(play: Server, read_all: Collect) -> None:
    server = play(lambda _: Answer(b'{"data": [{"id": 1}, {"id": 2'))
    with pytest.raises(TransientApiError, match="no valid JSON"):
        read_all(a_route(), server)


def test_long_and_foreign_names(play: Server, collect: Collect, warehouse: Conn) -> None:
    long = "x" * 100
    record = {long: 1, "größe": {"ключ": "я"}, "a.b": "dotted", "@odata.id": 7}
    route = a_route(f"key: ['{long}', größe.ключ, '\"a.b\"', '@odata.id']\ncolumns: {{größe_text: "
                    "{type: text, path: größe.ключ}, dotted: {type: text, path: '\"a.b\"'}}")  # fmt: skip
    assert collect(route, play(lambda _: Answer({"data": [record]})))["inserted"] == 1
    row = warehouse.execute('SELECT record_key, "größe_text", dotted FROM raw.client_shop_orders_latest').fetchone()
    assert row == ("1|я|dotted|7", "я", "dotted")


@pytest.mark.parametrize(
    ("record", "keys", "expected"),
    [
        ({"a": {"b": {"day": "2025-12-05T10:00:00Z"}}}, "date_field: a.b.day", "2025-12-05"),
        ({"lines": [{"day": "2025-12-05"}]}, "date_field: 'lines[0].day'", "2025-12-05"),
        ({"dates": [{"kind": "paid", "at": "2025-12-05"}]}, "date_field: 'dates[kind=paid].at'", "2025-12-05"),
        ({"day": "1764892800000"}, "date_field: day", "2025-12-05"),
        ({"day": 1764892800}, "date_field: day", "2025-12-05"),
        ({"day": 1764892800.5}, "date_field: day", "2025-12-05"),
        ({"day": "05.12.2025"}, "date_field: day\ndate_format: '%d.%m.%Y'", "2025-12-05"),
        ({"day": "2025-W49"}, "date_field: day\ndate_format: week", "2025-12-01"),
        ({"day": "20251205"}, "date_field: day", "2025-12-05"),
        ({"day": "1712-03-05"}, "date_field: day", None),
        ({"day": "9999-12-31T00:00:00Z"}, "date_field: day", None),
        ({"day": 17648928000000000000}, "date_field: day", None),
    ],
)
def test_the_day_of_a_record(record: dict[str, Any], keys: str, expected: str | None) -> None:
    page = prepare([msgspec.Raw(msgspec.json.encode(record))], a_route(keys), None, {}, TODAY)
    assert page.undated == (expected is None)
    assert str(page.kept[0].day) == str(expected)


ZONE = "date_field: at\nperiod: {date_from: from, date_to: to, max_days: 7"


@pytest.mark.parametrize(
    ("at", "keys", "kept", "day"),
    [
        # The API filters by local days, which nobody declared.
        ("2026-03-02T00:30:00+01:00", f"{ZONE}}}", 1, "2026-03-01"),
        ("2026-03-02T00:30:00+01:00", f"{ZONE}, timezone: Europe/Berlin}}", 1, "2026-03-02"),
        ("2026-03-01T23:30:00Z", f"{ZONE}, timezone: Europe/Berlin}}", 1, "2026-03-02"),
        ("2026-03-01T22:30:00Z", f"{ZONE}, timezone: Europe/Berlin}}", 0, ""),
        ("2026-03-01T22:30:00", f"{ZONE}, timezone: Europe/Berlin}}", 0, ""),
    ],
)
def test_a_day_of_another_zone(play: Server, read_all: Collect, at: str, keys: str, kept: int, day: str) -> None:
    server = play(lambda _: Answer({"data": [{"id": 1, "at": at}]}))
    summary = read_all(a_route(keys), server, date_from="2026-03-02", date_to="2026-03-15")
    # This API ignores the days, so the record comes in both windows.
    assert (summary["inserted"], summary["listings"]) == (2 * kept, 2)
    assert summary["out_of_range"] == 2 * (1 - kept)
    assert [str(one) for one in summary["days"]] == [day] * 2 * kept


def test_a_full_refresh_marks_what_has_vanished(
    play: Server, collect: Collect, warehouse: Conn, caplog: pytest.LogCaptureFixture
) -> None:
    route = a_route("mode: replace\nkey: [id]\ncolumns: {total: numeric}")

    def latest() -> list[Any]:
        found = warehouse.execute(
            "SELECT record_key, total::text FROM raw.client_shop_orders_latest ORDER BY 1"
        ).fetchall()
        return [tuple(row) for row in found]

    def run(number: int, *records: str) -> tuple[Any, ...]:
        summary = collect(route, play(body(*records)), execution_id=f"etl_{number}")
        return summary["inserted"], summary["deleted"], summary["restored"]

    one, two, three = '{"id": 1, "total": 1}', '{"id": 2, "total": 2}', '{"id": 3, "total": "x"}'
    assert run(1, one, two, three) == (3, 0, 0)
    assert latest() == [("1", "1"), ("2", "2"), ("3", None)]
    assert run(2, one, three) == (0, 1, 0)
    assert latest() == [("1", "1"), ("3", None)]
    assert run(3, two, one) == (0, 1, 1)
    assert latest() == [("1", "1"), ("2", "2")]
    # Nothing came, or something could not be stored: nothing is believed to have vanished.
    assert run(4) == (0, 0, 0)
    assert run(5, one, "7") == (0, 0, 0)
    assert latest() == [("1", "1"), ("2", "2")]
    assert "Nothing is marked as deleted: no record came" in caplog.text
    assert "Nothing is marked as deleted: records could not be stored" in caplog.text
    assert warehouse.execute("SELECT count(*) FROM etl.route_seen").fetchone() == (0,)


def test_typed_columns_come_and_go(play: Server, collect: Collect, warehouse: Conn) -> None:
    record = '{"id": 1, "n": "12", "d": "2025-12-05T23:30:00-05:00", "ok": "true", "o": {"a": 1}, "s": 1764892800}'
    kinds = "{n: bigint, d: timestamptz, day: {type: date, path: d}, ok: boolean, o: jsonb, s: timestamptz, t: text}"
    collect(a_route(f"key: [id]\ncolumns: {kinds}"), play(body(record)))
    row = warehouse.execute(
        "SELECT n, d::text, day::text, ok, o, s::text, t FROM raw.client_shop_orders_latest"
    ).fetchone()
    assert row == (12, "2025-12-06 04:30:00+00", "2025-12-06", True, {"a": 1}, "2025-12-05 00:00:00+00", None)
    collect(a_route("key: [id]\ncolumns: {n: text}"), play(body(record)), execution_id="etl_2")
    assert warehouse.execute("SELECT n FROM raw.client_shop_orders_latest").fetchone() == ("12",)
    collect(a_route("key: [id]"), play(body(record)), execution_id="etl_3")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        warehouse.execute("SELECT n FROM raw.client_shop_orders_latest")


@pytest.mark.parametrize(
    ("given", "keys", "expected"),
    [
        ({"data": {"7": {"v": 1}, "9": {"v": 2}}}, "", [{"v": 1}, {"v": 2}]),
        ({"data": {"a": {"v": 1}, "b": {}}}, "records_as: values", [{"_key": "a", "v": 1}, {"_key": "b"}]),
        ({"data": {"EUR": 1.1}}, "records_as: values", [{"_key": "EUR", "_value": 1.1}]),
        ({"data": {"a": {"v": 1}, "b": {"v": 2}}}, "records_as: object", [{"a": {"v": 1}, "b": {"v": 2}}]),
        ({"id": 1, "name": {"x": 1}}, "records: .", [{"id": 1, "name": {"x": 1}}]),
        ({"data": [[1, "a"], [2, "b"]]}, "fields: [id, name]", [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]),
        ({"data": [["id", "n"], [1, 2.50]]}, "fields: header", [{"id": 1, "n": 2.5}]),
        ({"cols": [{"name": "id"}], "data": [[1]]}, "fields: .cols", [{"id": 1}]),
    ],
)  # fmt: skip
def test_forms_of_records(play: Server, read_all: Collect, given: Any, keys: str, expected: list[Any]) -> None:
    found = read_all(a_route(keys), play(lambda _: Answer(given)))
    assert (found["rows"], found["failed"]) == (expected, 0)


@pytest.mark.parametrize(
    ("given", "words"), [([[1, "a"], [2, "b"]], "are lists, not objects. Name their values: fields"), ([1, 2], "plain")]
)
def test_a_page_without_any_object_is_no_page(play: Server, read_all: Collect, given: Any, words: str) -> None:
    """They would all be rejected, behind a green run."""
    with pytest.raises(FatalApiError, match=words):
        read_all(a_route(), play(lambda _: Answer({"data": given})))


def test_an_object_of_objects_has_to_be_declared(play: Server, read_all: Collect) -> None:
    server = play(lambda _: Answer({"data": {"a": {"v": 1}, "b": {"v": 2}}}))
    with pytest.raises(FatalApiError, match=r"an object of 2 objects, and not a list. .* records_as: values"):
        read_all(a_route(), server)
