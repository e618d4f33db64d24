"""From trouble to alert to notification to resolved: late runs, failing fixtures, failing runs, all at once."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.e2e.conftest import Etl
from tests.e2e.watching import FAILING_FIXTURES, FAILING_RUNS, LATE, Channels, Trouble, wait_for

pytestmark = pytest.mark.timeout(900)

KINDS = {
    **dict.fromkeys(LATE, "DEADLINE"),
    **dict.fromkeys(FAILING_FIXTURES, "ERROR_RATE"),
    **dict.fromkeys(FAILING_RUNS, "CONSECUTIVE_FAILURES"),
}
WORDS = {
    "DEADLINE": ("[CRITICAL] Deadline missed", "was not finished within 1 minute"),
    "ERROR_RATE": ("[WARNING] Too many failed fixtures", "3 of 30 fixtures failed (10.0 %, limit 5 %)"),
    "CONSECUTIVE_FAILURES": ("[CRITICAL] Runs fail again and again", "The last 3 runs failed"),
}


def alerts_of(etl: Etl, dag_id: str) -> list[dict[str, Any]]:
    """Every alert there has ever been about this DAG or its league."""
    return etl.rows(
        "SELECT a.* FROM etl.etl_alerts a LEFT JOIN etl.etl_executions e USING (execution_id)"
        " WHERE coalesce(a.details ->> 'dag_id', e.dag_id) = %s OR a.league_id = %s",
        dag_id,
        {**LATE, **FAILING_FIXTURES, **FAILING_RUNS}[dag_id],
    )


def watch(etl: Etl) -> None:
    assert etl.wait_for_run("etl_watch", etl.trigger("etl_watch")) == "success"


@pytest.fixture(scope="module")
def noticed(etl: Etl, trouble: Trouble, channels: Channels) -> None:
    """Everything has been told, and looked at twice more."""

    def waiting() -> list[str]:
        return [dag_id for dag_id in KINDS if not (channels.posts(dag_id) and channels.mails(dag_id))]

    wait_for(lambda: not waiting(), "a post and a mail about every league")
    watch(etl)
    watch(etl)


@pytest.fixture(scope="module")
def repaired(etl: Etl, trouble: Trouble, noticed: None) -> None:
    """The API is well again; every league has had a good run."""
    etl.sandbox("DELETE", "/_admin/faults")
    for dag_id, runs in trouble.runs.items():
        for run in runs:
            etl.wait_for_run(dag_id, run)
    for group in (LATE, {**FAILING_FIXTURES, **FAILING_RUNS}):
        good = {dag_id: etl.trigger(dag_id, **_good(dag_id, trouble)) for dag_id in group}
        for dag_id, run in good.items():
            assert etl.wait_for_run(dag_id, run) == "success", etl.failures(dag_id, run)


def _good(dag_id: str, trouble: Trouble) -> dict[str, Any]:
    # A run that only reads the index is well within a minute; fixtures that failed would rest for an hour.
    return {"seasons": [trouble.seasons[dag_id]], "force": dag_id in FAILING_FIXTURES}


@pytest.mark.parametrize("dag_id", KINDS)
def test_one_trouble_is_one_alert_and_one_message_by_each_channel(
    etl: Etl, noticed: None, trouble: Trouble, channels: Channels, dag_id: str
) -> None:
    (alert,) = alerts_of(etl, dag_id)
    assert alert["kind"] == KINDS[dag_id]
    assert alert["status"] in ("OPEN", "ACKNOWLEDGED")
    assert alert["notify_attempts"] == 1

    (post,) = channels.posts(dag_id)
    (mail,) = channels.mails(dag_id)
    title, what = WORDS[alert["kind"]]
    run = trouble.runs[dag_id][-1]
    link = f"{etl.url}/dags/{dag_id}/runs/{quote(run, safe='')}"
    assert post["title"] == mail.subject == f"{title}: {dag_id}"
    assert what in post["message"]
    assert post["since"] == alert["opened_at"].isoformat()
    assert post["hint"]
    assert post["link"] == link
    shown = (what, f"{alert['opened_at']:%Y-%m-%d %H:%M} UTC", "What to do", f'href="{link}"')
    assert [part for part in shown if part not in mail.html] == []
    assert mail.to == "oncall@example.com, second@example.com"


def test_leagues_late_at_the_same_time_are_told_apart(etl: Etl, noticed: None, trouble: Trouble) -> None:
    found = {alert["subject"]: alert for alert in etl.rows("SELECT * FROM etl.etl_alerts WHERE kind = 'DEADLINE'")}
    assert set(found) == set(LATE)
    for dag_id, alert in found.items():
        assert alert["league_id"] == LATE[dag_id]
        assert alert["details"]["run_id"] == trouble.runs[dag_id][0]
        assert "Not done: 2025/2026" in alert["message"]


def test_watching_takes_at_most_two_percent_of_a_collection(etl: Etl, noticed: None) -> None:
    """Each collecting task measures it by itself, as a share of its own time."""
    shares = etl.rows("SELECT metric_value FROM etl.etl_metrics WHERE metric_name = 'monitoring.share'")
    assert shares
    assert sum(row["metric_value"] for row in shares) / len(shares) < 2


def test_no_secret_travels(etl: Etl, noticed: None, channels: Channels) -> None:
    password = urlsplit(etl.dsn).password
    assert password
    sent = [str(post.body) for post in channels.hook.posts] + [str(mail) for mail in channels.mail.mails]
    assert len(sent) >= 2 * len(KINDS)
    for secret in ("demo-key", "hook-secret", password, etl.password()):
        assert not [text for text in sent if secret in text]
    assert {post.authorization for post in channels.hook.posts} == {"Bearer hook-secret"}


@pytest.mark.parametrize("dag_id", KINDS)
def test_a_good_run_resolves_it_at_once(etl: Etl, repaired: None, dag_id: str) -> None:
    (alert,) = alerts_of(etl, dag_id)
    assert alert["status"] == "RESOLVED", alert


def test_nobody_is_told_twice(etl: Etl, repaired: None, channels: Channels) -> None:
    watch(etl)
    for dag_id in KINDS:
        assert len(channels.posts(dag_id)) == len(channels.mails(dag_id)) == len(alerts_of(etl, dag_id)) == 1, dag_id
