"""Every setting of the local stack, from the environment over `.env`, checked before anything starts.

`Settings.load` checks the texts; `local.stack.checks` then checks what they refer to (database, API, ports).
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from dotenv import dotenv_values
from psycopg.conninfo import conninfo_to_dict

from local.errors import LocalError

REPO = Path(__file__).resolve().parents[2]
DOTENV = REPO / ".env"
REAL_API = "https://api.sportmonks.com/v3"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# What the tasks read themselves; no other variable ETL_* is passed on to Airflow.
PASSED_ON = ("ETL_LEAGUES", "ETL_INCLUDES", "ETL_INCLUDE_DIR")


class SettingsError(LocalError):
    """One or more settings are wrong; `problems` holds (message, hint) pairs."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(
            "\n".join(f"{message}\n  hint: {hint}" for message, hint in problems),
        )
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """The settings of one local stack.

    `api_key` and `base_url` are empty when the sandbox takes the place of the API; `warehouse` is empty when the
    embedded PostgreSQL holds the warehouse as well. `warnings`: (message, hint) of what works and is unsafe.
    """

    home: Path
    port: int
    log_level: str
    api_key: str = field(default="", repr=False)
    base_url: str = ""
    warehouse: str = field(default="", repr=False)
    leagues: str = ""
    includes: str = ""
    dags_folder: Path = REPO / "dags"
    sandbox_args: tuple[str, ...] = ()
    passed_on: Mapping[str, str] = field(default_factory=dict, repr=False)
    warnings: tuple[tuple[str, str], ...] = ()

    @property
    def sandbox(self) -> bool:
        return not self.api_key

    @classmethod
    def load(cls, env: Mapping[str, str] | None = None, dotenv_path: Path | None = DOTENV) -> Settings:
        """Settings of `env` (default: the process's) over those of the file; blank counts as unset.

        Raises SettingsError with every problem at once, each naming the variable, its value and the hint.
        """
        values = _merged(os.environ if env is None else env, dotenv_path)
        reader = _Reader(values)
        warnings = reader.permissions(dotenv_path)
        key, base_url = reader.api()
        settings = cls(
            home=reader.home(),
            port=reader.integer("ETL_PORT", 8080, 1, 65535),
            log_level=reader.log_level(),
            api_key=key,
            base_url=base_url,
            warehouse=reader.warehouse(),
            leagues=reader.leagues(),
            includes=reader.includes(),
            dags_folder=REPO / values.get("ETL_DAGS_FOLDER", "dags"),
            sandbox_args=reader.words("ETL_SANDBOX_ARGS"),
            passed_on={
                name: value
                for name, value in values.items()
                # AIRFLOW_* counts from the file only: the shell may belong to another Airflow.
                if name in PASSED_ON or name.startswith(("AIRFLOW__", "AIRFLOW_CONN_", "AIRFLOW_VAR_", "OTEL_"))
            },
            warnings=warnings,
        )
        if reader.problems:
            raise SettingsError(reader.problems)
        return settings


def _merged(env: Mapping[str, str], dotenv_path: Path | None) -> dict[str, str]:
    values: dict[str, str] = {}
    if dotenv_path is not None and dotenv_path.exists():
        try:
            file = dotenv_values(dotenv_path, interpolate=False)
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                [(f"{dotenv_path} cannot be read: {error}", "make it a text file of NAME=value lines")]
            ) from error
        values.update({name: (value or "").strip() for name, value in file.items()})
    ours = ("ETL_", "SPORTMONKS_", "SUPABASE_")
    values.update({name: value.strip() for name, value in env.items() if name.startswith(ours)})
    return {name: value for name, value in values.items() if value}


class _Reader:
    """Reads the values one after the other and collects their problems."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.problems: list[tuple[str, str]] = []

    def _wrong(self, message: str, hint: str) -> None:
        self.problems.append((message, hint))

    def permissions(self, file: Path | None) -> tuple[tuple[str, str], ...]:
        """A warning when others may read the file; that they may write it is a problem."""
        if file is None or not file.exists():
            return ()
        mode = stat.S_IMODE(file.stat().st_mode)
        hint = f"run: chmod 600 {shlex.quote(str(file))}"
        if mode & stat.S_IWOTH:
            self._wrong(f"{file} can be changed by every user of this machine (mode {mode:o})", hint)
        elif mode & (stat.S_IRWXG | stat.S_IRWXO):
            return ((f"{file} holds secrets and can be read by other users of this machine (mode {mode:o})", hint),)
        return ()

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        text = self.values.get(name, str(default))
        if text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        self._wrong(f"{name}={text!r} is not an integer from {low} to {high}", f"set {name} to {default}")
        return default

    def log_level(self) -> str:
        text = self.values.get("ETL_LOG_LEVEL", "INFO")
        if text.upper() not in LOG_LEVELS:
            self._wrong(f"ETL_LOG_LEVEL={text!r} is no log level", f"set it to one of {', '.join(LOG_LEVELS)}")
        return text.upper()

    def home(self) -> Path:
        text = self.values.get("ETL_HOME", str(REPO / ".etl"))
        home = Path(text).expanduser()
        home = home if home.is_absolute() else REPO / home
        nearest = next(folder for folder in (home, *home.parents) if folder.exists())
        if not nearest.is_dir():
            self._wrong(f"ETL_HOME={text!r}: {nearest} is a file", "set ETL_HOME to a folder of yours")
        elif not os.access(nearest, os.W_OK | os.X_OK):
            self._wrong(
                f"ETL_HOME={text!r}: {nearest} is not writable for you",
                "set ETL_HOME to a folder of yours, or change that folder's owner",
            )
        return home

    def leagues(self) -> str:
        from sportmonks.config.settings import is_league_id

        text = self.values.get("ETL_LEAGUES", "")
        words = [word.strip() for word in text.split(",")]
        if text and text.lower() != "all":
            bad = [word for word in words if not is_league_id(word)]
            if bad:
                self._wrong(
                    f"ETL_LEAGUES={text!r}: {bad[0]!r} is no league id",
                    "set it to ids such as 8,564 or to all; unset, include/catalog.yaml decides",
                )
        return text

    def includes(self) -> str:
        from sportmonks.config.settings import parse_includes
        from sportmonks.errors import ConfigurationError

        text = self.values.get("ETL_INCLUDES", "")
        try:
            if text and not parse_includes(text):
                self._wrong(f"ETL_INCLUDES={text!r} names no include", "set it to participants;scores, say")
        except ConfigurationError as error:
            self._wrong(f"ETL_INCLUDES={text!r}: {error.message}", error.hint or "correct that include")
        return text

    def words(self, name: str) -> tuple[str, ...]:
        text = self.values.get(name, "")
        try:
            return tuple(shlex.split(text))
        except ValueError as error:
            self._wrong(f"{name}={text!r} cannot be split into words: {error}", "close the quotation marks")
            return ()

    def api(self) -> tuple[str, str]:
        key = self.values.get("SPORTMONKS_API_KEY", "")
        base_url = self.values.get("SPORTMONKS_BASE_URL", "")
        if base_url and not key:
            self._wrong(
                f"SPORTMONKS_BASE_URL={base_url!r} is set, but SPORTMONKS_API_KEY is not",
                "set both for an API or a sandbox of your own; unset both for the built-in sandbox",
            )
        if key and (not key.isascii() or not key.isprintable() or " " in key):
            self._wrong(
                f"SPORTMONKS_API_KEY ({len(key)} characters) holds a blank or a sign that no key has",
                "copy the key again from your Sportmonks account",
            )
        if base_url:
            self._check_url(base_url)
        return key, (base_url or REAL_API).rstrip("/") if key else ""

    def _check_url(self, text: str) -> None:
        hint = f"set it to an address such as {REAL_API}, or unset it for that one"
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            self._wrong(f"SPORTMONKS_BASE_URL={text!r} is no address: {error}", hint)
            return
        if parts.scheme not in ("http", "https") or not host:
            self._wrong(f"SPORTMONKS_BASE_URL={text!r} is no http:// or https:// address", hint)
        elif parts.query or parts.fragment or parts.username:
            # Such parts may be secrets: they are not repeated.
            self._wrong(
                "SPORTMONKS_BASE_URL holds a user name, a query or a fragment; the key goes into a header",
                "leave only scheme, host and path, and put the key into SPORTMONKS_API_KEY",
            )

    def warehouse(self) -> str:
        from sportmonks.errors import ConfigurationError
        from sportmonks.warehouse.conninfo import refuse_unusable

        name, hint = "SUPABASE_CONNECTION_STRING", "set it to postgresql://user:password@host:5432/database"
        text = self.values.get(name, "")
        if not text:
            return ""
        scheme, found, rest = text.partition("://")
        if found and scheme.startswith(("postgresql+", "postgres+")):
            text = f"postgresql://{rest}"  # SQLAlchemy's way to write it
        elif found and scheme not in ("postgresql", "postgres"):
            self._wrong(f"{name} begins with {scheme}://, which is not PostgreSQL", hint)
            return ""
        try:
            parts = conninfo_to_dict(text)
        except psycopg.Error as error:
            self._wrong(*_unreadable(name, text, str(error), hint))
            return ""
        if not any(parts.get(option) for option in ("host", "hostaddr", "service")):
            self._wrong(f"{name} names no host", hint)
            return ""
        try:
            refuse_unusable(parts)
        except ConfigurationError as error:
            self._wrong(f"{name}: {error.message}", error.hint)
            return ""
        return text


def _unreadable(name: str, text: str, reason: str, hint: str) -> tuple[str, str]:
    """Message and hint for a connection string that libpq cannot parse.

    The parser's reason may repeat a part of the password, so only an option's name is taken from it, and only where the
    name stands behind the last @, which no password does.
    """
    from sportmonks.warehouse.conninfo import nearest_option

    found = re.search(r'(?:invalid connection option|invalid URI query parameter:) "([a-z_]+)"', reason)
    if found and "://" in text and f"{found[1]}=" in text.rpartition("@")[2].rpartition("?")[2]:
        near = nearest_option(found[1])
        advice = f"did you mean {near}?" if near else "remove it"
        return f"{name} has the option {found[1]!r}, which the installed libpq does not know", advice
    return (
        f"{name} cannot be parsed",
        f"{hint}; write special signs of the password as %40 for @, %2F for /, %23 for #, %3A for :",
    )
