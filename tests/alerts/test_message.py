"""What people read: complete, escaped, without secrets."""

from __future__ import annotations

from sportmonks.alerts.message import as_html, as_json, as_text, headline, run_link
from tests.harness.alerts import make_alert


def test_text_says_what_where_since_when_what_to_do_and_links() -> None:
    assert as_text(make_alert(), "http://air.example/").splitlines() == [
        "[WARNING] Too many failed fixtures: sportmonks_la_liga",
        "What: 10 of 100 fixtures failed.",
        "Where: sportmonks_la_liga, execution etl_20261120_120000_abcdef",
        "Since: 2026-11-20 12:05 UTC",
        "What to do: Clear the failed group.",
        "Run: http://air.example/dags/sportmonks_la_liga/runs/manual__2026-11-20T12%3A00%3A00%2B00%3A00",
    ]


def test_html_escapes_and_headers_have_one_line() -> None:
    alert = make_alert(subject="<script>alert(1)</script>\r\nBcc: x@example.com", message='a "b" & <i>')
    assert "\n" not in headline(alert)
    assert "\r" not in headline(alert)
    body = as_html([alert], "http://air.example")
    assert "<script>" not in body
    assert "<i>" not in body
    assert "&amp; &lt;i&gt;" in body


def test_json_is_masked_and_links_need_a_dag() -> None:
    assert as_json(make_alert(), "http://air.example")["details"] == {"api_token": "***"}
    assert run_link("http://a", None, "r") is None
    assert run_link("http://a", "d/../x", None) == "http://a/dags/d%2F..%2Fx"
