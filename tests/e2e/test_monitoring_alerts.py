"""From failure to alert, notification and resolution: late runs, failing fixtures and failing runs at once."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.e2e.monitoring import FAILING_FIXTURES, FAILING_RUNS, LATE, Channels, FailingLeagues, wait_for
from tests.e2e.stack import Etl

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


def run_rules(etl: Etl) -> None:
    assert etl.wait_for_run("etl_watch", etl.trigger("etl_watch")) == "success"


@pytest.fixture(scope="module")
def noticed(etl: Etl, failing_leagues: FailingLeagues, channels: Channels) -> None:
    """Every alert was sent to both channels, and the rules ran twice more."""

    def waiting() -> list[str]:
        return [dag_id for dag_id in KINDS if not (channels.posts(dag_id) and channels.mails(dag_id))]

    wait_for(lambda: not waiting(), "a post and a mail about every league")
    run_rules(etl)
    run_rules(etl)


@pytest.fixture(scope="module")
def repaired(etl: Etl, failing_leagues: FailingLeagues, noticed: None) -> None:
    """The faults have ended; every league has had a successful run."""
    etl.sandbox("DELETE", "/_admin/faults")
    for dag_id, runs in failing_leagues.runs.items():
        for run in runs:
            etl.wait_for_run(dag_id, run)
    for dag_ids in (LATE, {**FAILING_FIXTURES, **FAILING_RUNS}):
        good = {dag_id: etl.trigger(dag_id, **_good(dag_id, failing_leagues)) for dag_id in dag_ids}
        for dag_id, run in good.items():
            assert etl.wait_for_run(dag_id, run) == "success", etl.failures(dag_id, run)


def _good(dag_id: str, failing_leagues: FailingLeagues) -> dict[str, Any]:
    # A run that only reads the index takes less than a minute; fixtures that failed are due after an hour only.
    return {"seasons": [failing_leagues.seasons[dag_id]], "force": dag_id in FAILING_FIXTURES}


@pytest.mark.parametrize("dag_id", KINDS)
def test_one_failure_is_one_alert_and_one_message_by_each_channel(
    etl: Etl, noticed: None, failing_leagues: FailingLeagues, channels: Channels, dag_id: str
) -> None:
    (alert,) = alerts_of(etl, dag_id)
    assert alert["kind"] == KINDS[dag_id]
    assert alert["status"] in ("OPEN", "ACKNOWLEDGED")
    assert alert["notify_attempts"] == 1

    (post,) = channels.posts(dag_id)
    (mail,) = channels.mails(dag_id)
    title, what = WORDS[alert["kind"]]
    run = failing_leagues.runs[dag_id][-1]
    link = f"{etl.url}/dags/{dag_id}/runs/{quote(run, safe='')}"
    assert post["title"] == mail.subject == f"{title}: {dag_id}"
    assert what in post["message"]
    assert post["since"] == alert["opened_at"].isoformat()
    assert post["hint"]
    assert post["link"] == link
    shown = (what, f"{alert['opened_at']:%Y-%m-%d %H:%M} UTC", "What to do", f'href="{link}"')
    assert [part for part in shown if part not in mail.html] == []
    assert mail.to == "oncall@example.com, second@example.com"


def test_leagues_late_at_the_same_time_have_an_alert_each(
    etl: Etl, noticed: None, failing_leagues: FailingLeagues
) -> None:
    found = {alert["subject"]: alert for alert in etl.rows("SELECT * FROM etl.etl_alerts WHERE kind = 'DEADLINE'")}
    assert set(found) == set(LATE)
    for dag_id, alert in found.items():
        assert alert["league_id"] == LATE[dag_id]
        assert alert["details"]["run_id"] == failing_leagues.runs[dag_id][0]
        assert "Not done: 2025/2026" in alert["message"]


def test_watching_takes_at_most_two_percent_of_a_collection(etl: Etl, noticed: None) -> None:
    """Each collecting task measures the time of monitoring as a share of its own time."""
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


def test_no_notification_is_sent_twice(etl: Etl, repaired: None, channels: Channels) -> None:
    run_rules(etl)
    for dag_id in KINDS:
        assert len(channels.posts(dag_id)) == len(channels.mails(dag_id)) == len(alerts_of(etl, dag_id)) == 1, dag_id
