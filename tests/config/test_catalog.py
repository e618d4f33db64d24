"""The catalog: every malformed form is refused with file, line, key and the hint."""

from __future__ import annotations

import logging

import pytest

from sportmonks.config.catalog import Catalog, LeagueChoice, RecheckSettings, TaskSettings
from sportmonks.config.catalog_file import parse_catalog
from sportmonks.config.manifest import Manifest, decode_manifest
from sportmonks.config.settings import CATALOG_FILE
from sportmonks.errors import ConfigurationError

BAD = {
    # text: (line, key that is named, words of the hint)
    "collect:\n  batch_sise: 3": (2, "collect.batch_sise", "Did you mean batch_size?"),
    "stager_minutes: 2": (1, "stager_minutes", "Did you mean stagger_minutes?"),
    "recheck:\n  match_hours: 2\n  quite_reads: 2": (3, "recheck.quite_reads", "Did you mean quiet_reads?"),
    "xyzzy: 1": (1, "xyzzy", "Known here: alerts"),
    "sweep:\n  xyzzy: 1": (2, "sweep.xyzzy", "Known here: all_days"),
    "leagues:\n  - 8\n  - {id: 9, shedule: x}": (3, "leagues[1].shedule", "Did you mean schedule?"),
    "leagues:\n  - 8\n  - {schedule: null}": (3, "leagues[1]", "list of ids"),
    "leagues:\n  - eight": (2, "leagues[0]", "list of ids"),
    "leagues: ALL": (1, "leagues", "leagues: all"),
    "leagues:": (1, "leagues", "leagues: all"),
    "leagues: 8": (1, "leagues", "leagues: all"),
    "leagues: []": (1, "leagues is empty", "List league ids"),
    "leagues: [true]": (1, "leagues[0]", "list of ids"),
    "leagues:\n  - 8\n  - -4": (3, "leagues[1] is -4", "positive"),
    "leagues:\n  - 8\n  - 9\n  - {id: 8}": (4, "leagues[2] names league 8", "Keep one"),
    "leagues:\n  - id: 8\n    schedule: banana": (3, "leagues[0].schedule", "cron"),
    "leagues:\n  - id: 8\n    schedule: 61 5 * * *": (3, "leagues[0].schedule", "30 6 * * *"),
    "leagues:\n  - {id: 8, deadline_minutes: 0}": (2, "leagues[0].deadline_minutes is 0", "1 to 1440"),
    "leagues:\n  - {id: 8, includes: [a b]}": (2, "leagues[0].includes 'a b'", "names such as"),
    "includes: []": (1, "includes is empty", "at least one"),
    "includes: [scores, 'lineups..details']": (1, "includes 'lineups..details'", "names such as"),
    "includes: participants": (1, "includes is 'participants'", "Write a list"),
    "daily_at: 12:30": (1, "daily_at is 750", "HH:MM, in quotes"),
    "\ndaily_at: '24:00'": (2, "daily_at is '24:00'", "HH:MM"),
    "daily_at: '5:00'": (1, "daily_at is '5:00'", "in quotes"),
    "collect: {1: 2}": (1, "there is no key collect.1", "Known here: batch_size"),
    "collect: 5": (1, "collect is 5", "Known keys: batch_size"),
    "collect:": (1, "collect is None", "Known keys: batch_size"),
    "collect:\n  batch_size: 0": (2, "collect.batch_size is 0", "1 to 1000"),
    "collect:\n  batch_size: 60": (2, "over collect.max_batch_size 50", "Lower it"),
    "collect:\n  fetchers: 9": (2, "collect.fetchers is 9", "1 to 8"),
    "collect:\n  in_flight: 0": (2, "collect.in_flight is 0", "1 to 32"),
    "retries: 2.5": (1, "retries is 2.5", "a whole number from 0 to 20"),
    "retries: many": (1, "retries is 'many'", "a whole number from 0 to 20"),
    "retries: 1\nstagger_minutes: 1\nretries: 2": (3, "retries is given twice", "Keep one"),
    "guard:\n  hours: 1\n  hours: 2": (3, "guard.hours is given twice", "Keep one"),
    "deadline_minutes: true": (1, "deadline_minutes is True", "a whole number from 1 to 1440"),
    "guard:\n  keep_share: 1.5": (2, "guard.keep_share is 1.5", "0 to 1"),
    "budget: {reserve: .nan}": (1, "budget.reserve is nan", "0 to 0.9"),
    "recheck:\n  schedule_hours: [24, 1]": (2, "recheck.schedule_hours", "rising"),
    "recheck:\n  schedule_hours: [1, 1]": (2, "recheck.schedule_hours", "rising"),
    "recheck:\n  schedule_hours: []": (2, "recheck.schedule_hours", "rising"),
    "recheck:\n  schedule_hours: [0, 1]": (2, "recheck.schedule_hours", "above 0"),
    "recheck:\n  schedule_hours: [soon]": (2, "recheck.schedule_hours[0] is 'soon'", "Write a number"),
    "recheck:\n  max_age_days: -1": (2, "recheck.max_age_days is -1", "0 to"),
    "alerts:\n  error_rate: high": (2, "alerts.error_rate", "Did you mean error_rate_percent?"),
    "alerts:\n  error_rate_percent: high": (2, "alerts.error_rate_percent is 'high'", "0 or more"),
    "alerts:\n  consecutive_failures: 0.5": (2, "alerts.consecutive_failures is 0.5", "1 or more"),
    "alerts:\n  eror_rate_percent: 5": (2, "alerts.eror_rate_percent", "Did you mean error_rate_percent?"),
    "alerts:\n  stale_hours: -1": (2, "alerts.stale_hours is -1", "0 or more"),
    "retries: 1\n\tstagger_minutes: 2": (2, "not valid YAML", "Correct that line"),
    "leagues: [8": (1, "not valid YAML", "Correct that line"),
    "a: b: c": (1, "not valid YAML", "Correct that line"),
    "retries: !!python/object:os.system x": (1, "not valid YAML", "Correct that line"),
    "? [a]\n: 1": (1, "not valid YAML", "Correct that line"),
    "- 8\n- 9": (None, "expected keys and values", "comments"),
    "[]": (None, "expected keys and values", "comments"),
    "leagues": (None, "expected keys and values", "comments"),
    "8: x": (None, "expected keys and values", "comments"),
    "retries: \x00": (None, "not valid YAML", "Correct"),
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: text.replace("\n", " | "))
def test_malformed(text: str) -> None:
    line, key, hint = BAD[text]
    with pytest.raises(ConfigurationError) as caught:
        parse_catalog(text, file="catalog.yaml")
    message = str(caught.value)
    assert message.startswith(f"catalog.yaml, line {line}: " if line else "catalog.yaml: ")
    assert key in message
    assert hint in message
    assert caught.value.hint


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n"])
def test_an_empty_file_means_the_defaults(text: str) -> None:
    assert parse_catalog(text) == Catalog()


def test_the_shipped_catalog_says_what_the_defaults_are() -> None:
    shipped = parse_catalog(CATALOG_FILE.read_text(encoding="utf-8"))
    assert shipped == Catalog()


def test_leagues_with_and_without_settings_of_their_own() -> None:
    catalog = parse_catalog(
        "leagues:\n  - 8\n  - {id: 564, schedule: '30 6 * * *', deadline_minutes: 30, includes: [scores]}\n"
        "  - {id: 9, schedule: null}\n"
    )
    assert catalog.league_ids() == (8, 564, 9)
    assert catalog.choice(8) == LeagueChoice(id=8)
    assert catalog.choice(564).schedule == "30 6 * * *"
    assert catalog.choice(564).includes == ("scores",)
    assert catalog.choice(9).schedule is None


@pytest.mark.parametrize("schedule", ["@daily", "*/5 * * * *", "0 5 * * MON-FRI"])
def test_schedules_that_cron_knows(schedule: str) -> None:
    assert parse_catalog(f"leagues:\n  - {{id: 8, schedule: '{schedule}'}}").choice(8).schedule == schedule


@pytest.mark.parametrize("text", ["", "{", "null", "[]", '{"version": 3}', '{"leagues": [{"id": "x"}]}', "\ud800"])
def test_a_manifest_that_cannot_be_read_names_the_dag_that_writes_it(text: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"sportmonks_manifest cannot be read: .*Run the DAG sportmonks_catalog"
    ):
        decode_manifest(text)


def test_names_of_version_0_1_are_read_as_the_present_ones() -> None:
    old = "refetch:\n  rungs_hours: [2, 48]\n  quiet_reads: 3\n"
    assert parse_catalog(old) == parse_catalog(old.replace("refetch", "recheck").replace("rungs", "schedule"))
    with pytest.raises(ConfigurationError, match=r"line 2: recheck\.schedule_hours is \[48\.0, 2\.0\]"):
        parse_catalog("refetch:\n  rungs_hours: [48, 2]")
    with pytest.raises(ConfigurationError, match=r"line 3: recheck is given twice\. Keep one; refetch is its old name"):
        parse_catalog("recheck:\n  quiet_reads: 3\nrefetch:\n  quiet_reads: 4")


def test_an_old_name_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        parse_catalog("retries: 1\nrefetch:\n  rungs_hours: [2, 48]\n", file="mine.yaml")
    assert [record.message for record in caplog.records] == [
        "mine.yaml, line 2: 'refetch' is now called 'recheck'. Version 0.3 will not read the old name.",
        "mine.yaml, line 3: 'rungs_hours' is now called 'schedule_hours'. Version 0.3 will not read the old name.",
    ]


def test_all_mistakes_are_named_at_once() -> None:
    text = "retries: -1\ncollect:\n  fetchers: 9\n  writer: 1\nleagues:\n  - {id: 8, deadline_minutes: 0}\n"
    with pytest.raises(ConfigurationError) as caught:
        parse_catalog(text, file="x.yaml")
    assert sorted(str(caught.value).splitlines()) == [
        "x.yaml, line 1: retries is -1. Write a whole number from 0 to 20.",
        "x.yaml, line 3: collect.fetchers is 9. Write a whole number from 1 to 8.",
        "x.yaml, line 4: there is no key collect.writer. Did you mean writers?",
        "x.yaml, line 6: leagues[0].deadline_minutes is 0. Write a whole number from 1 to 1440.",
    ]


def test_a_manifest_of_a_newer_release_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"has version 3, and this release .* up to 2\. Run the DAG"):
        decode_manifest('{"version": 3, "leagues": [], "settings": {}}')


def test_a_manifest_of_version_1_is_read() -> None:
    old = '{"version": 1, "dials": {"retries": 5, "refetch": {"rungs_hours": [2, 48]}}, "leagues": []}'
    expected = TaskSettings(retries=5, recheck=RecheckSettings(schedule_hours=(2, 48)))
    assert decode_manifest(old) == Manifest(settings=expected)


def test_a_manifest_with_keys_of_a_newer_version_is_read() -> None:
    assert decode_manifest('{"leagues": [], "later": 1}') == Manifest()
