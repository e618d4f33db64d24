"""The words of the project (CONTRIBUTING.md): one word for one thing, and the field's own where it has one."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPO

# Word -> what the project says instead. Whole words, in code, comments, SQL, pages and messages.
TEXT = {
    r"mend(s|ed|ing)?": "hint (what to do), correct, repair",
    r"dials?": "settings",
    r"ladders?|rungs?": "recheck schedule",
    r"refetch\w*": "recheck",
    r"narrowings?": "run filter",
    r"glanc(e|es|ed)": "summarize, summary",
    r"fingerprints?": "content hash",
    r"judg(e|es|ed|ing)|verdicts?": "decide, decision",
    r"poorer": "degraded",
    r"bare": "without detail",
    r"doubted": "suspected",
    r"tally|tallies": "stats, counts",
    r"patience|patient": "timeout",
    r"naps?": "delay",
    r"farewell": "drain",
    r"asked": "requested",
    r"told|said": "reported, message",
    r"whole(?! numbers?\b)": "complete",
    r"moments?": "time, timestamp",
}
# Names of classes and variables that have got others.
NAMES = {
    **dict.fromkeys("Dials Refetch Due DueFixture PendingFixture Planned Narrowing Quote".split(), "see CONTRIBUTING"),
    **dict.fromkeys("Reply MultiResult Answered Fetched Stored Glance Prior Verdict Tally".split(), "see CONTRIBUTING"),
    **dict.fromkeys("Wanted Ground Desk Book".split(), "see CONTRIBUTING"),
    "facts": "state, fixture_state",
    "left_behind": "orphaned",
    "prior": "stored_state",
}
# What must keep its words: what has been applied, what has been released, and what holds the words of before.
FROZEN = ("include/sql/migrations/", "CHANGELOG.md", "tests/upgrade/", "tests/test_words.py", "docs/adr/")
# (file, word): the provider's, Airflow's or Python's own word, or a stored key of an older version.
ALLOWED = {
    # Keys of rows, messages and settings that version 0.1 has stored.
    ("local/stack/sql/queries/run.sql", "mend"),
    ("plugins/sportmonks/collect/response_store.py", "asked"),
    ("tests/collect/test_response_store.py", "asked"),
    ("plugins/sportmonks/config/old_names.py", "dials"),
    ("plugins/sportmonks/config/old_names.py", "refetch"),
    ("plugins/sportmonks/triggers/budget.py", "moment"),
    ("tests/hooks/test_budget_trigger.py", "moment"),
    ("tests/config/test_catalog.py", "dials"),
    ("tests/config/test_catalog.py", "refetch"),
    ("tests/config/test_catalog.py", "rungs"),
    ("tests/dags/test_render.py", "dials"),
    ("tests/dags/test_render.py", "refetch"),
    ("tests/e2e/test_upgrade.py", "mend"),
    ("tests/e2e/test_upgrade.py", "dials"),
    ("tests/e2e/test_upgrade.py", "refetch"),
    # The title of a real page of a proxy.
    ("sandbox/http_response.py", "moment"),
}
KINDS = {".py", ".sql", ".md", ".js", ".html", ".yaml", ".yml", ".sh", ".toml"}


def texts() -> Iterator[tuple[str, str]]:
    """(path, text) of every file that people read."""
    for folder in (*"analytics plugins dags include local sandbox benchmarks tests docs config deploy".split(), "."):
        pattern = "*" if folder == "." else "**/*"
        for file in sorted((REPO / folder).glob(pattern)):
            name = str(file.relative_to(REPO))
            readable = file.suffix in KINDS or file.name in ("etl", "Makefile", "Dockerfile", ".env.example")
            if file.is_file() and readable and not name.startswith(FROZEN) and "vendor" not in file.parts:
                yield name, file.read_text(encoding="utf-8")


def names_in(text: str) -> Iterator[tuple[int, str]]:
    """(line, identifier) of Python source."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], token.string


def parts(name: str) -> list[str]:
    """The words of an identifier: ``flush_asked`` -> flush, asked."""
    return [word.lower() for piece in name.split("_") for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", piece)]


@pytest.fixture(scope="module")
def found() -> list[str]:
    pattern = re.compile("|".join(rf"\b(?:{word})\b" for word in TEXT), re.IGNORECASE)
    lines = []
    for name, text in texts():
        for number, line in enumerate(text.splitlines(), 1):
            for match in pattern.finditer(line):
                lines.append((name, number, match[0].lower()))
        if name.endswith(".py"):
            for number, identifier in names_in(text):
                if identifier in NAMES:
                    lines.append((name, number, identifier))
                lines += [(name, number, word) for word in parts(identifier) if pattern.fullmatch(word)]
    return [f"{name}:{number}: {word}" for name, number, word in sorted(set(lines)) if (name, word) not in ALLOWED]


def test_the_words_are_those_of_the_project(found: list[str]) -> None:
    assert not found, "Say it by the glossary of CONTRIBUTING.md:\n" + "\n".join(found)


def test_the_check_finds_words_in_texts_and_names() -> None:
    assert parts("flush_askedTwice") == ["flush", "asked", "twice"]
    assert [name for _, name in names_in("prior = Glance(1)\n")] == ["prior", "Glance"]


def test_allowed_words_are_still_used() -> None:
    by_file = dict(texts())
    for name, word in ALLOWED:
        assert word in by_file[name].lower(), f"{name} no longer holds {word}: take it off the list."


def test_the_folders_are_read() -> None:
    names = {Path(name).parts[0] for name, _ in texts()}
    assert {"plugins", "dags", "include", "local", "sandbox", "benchmarks", "tests", "docs", "README.md"} <= names
