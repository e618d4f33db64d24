"""The settings that the running processes were started with: whether they are those of now, and which differ."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from local.accounts import METADATA_ACCOUNT, WAREHOUSE_ACCOUNT
from local.stack.files import read_json, secret, write_json
from local.stack.settings import Settings

# Part of the hash: processes of a version that worked as superuser are started anew.
ACCOUNTS = (WAREHOUSE_ACCOUNT, METADATA_ACCOUNT)


class StartedWith:
    """Hashes of the settings, in ``settings.json`` of the home folder; they reveal no secret."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = settings.home / "settings.json"

    def changed(self) -> list[str]:
        """Names of the variables that differ from those of the running processes; none where an older version has
        started these."""
        before, now = read_json(self._file).get("each"), self._each()
        if not isinstance(before, dict):
            return []
        return [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]

    def same(self, accounts: tuple[tuple[str, ...], ...] = (ACCOUNTS,)) -> bool:
        """Whether the settings are those of now. Older versions had no ``accounts`` in their hash."""
        return bool(read_json(self._file).get("sha256") == self.all(accounts)["sha256"])

    def remember(self) -> None:
        """The processes that run now were started with the settings of now."""
        write_json(self._file, self.all() | {"each": self._each()})

    def all(self, accounts: tuple[tuple[str, ...], ...] = (ACCOUNTS,)) -> dict[str, Any]:
        """One hash of all settings."""
        settings = self._settings
        text = repr(
            (
                settings.api_key,
                settings.base_url,
                settings.warehouse,
                settings.log_level,
                settings.sandbox_args,
                settings.dags_folder,
                settings.port,
                *accounts,
                sorted(settings.passed_on.items()),
            )
        )
        return {"sha256": hashlib.sha256(text.encode()).hexdigest()}

    def _each(self) -> dict[str, str]:
        """A hash of each setting by the name of its variable, so that a change can be named. Salted with the secret of
        this installation, because a short value could be guessed from its hash."""
        settings = self._settings
        values: dict[str, object] = {
            "SPORTMONKS_API_KEY": settings.api_key,
            "SPORTMONKS_BASE_URL": settings.base_url,
            "SUPABASE_CONNECTION_STRING": settings.warehouse,
            "ETL_LOG_LEVEL": settings.log_level,
            "ETL_SANDBOX_ARGS": settings.sandbox_args,
            "ETL_DAGS_FOLDER": str(settings.dags_folder),
            "ETL_PORT": settings.port,
            **settings.passed_on,
        }
        salt = secret(settings.home / "settings.key", lambda: secrets.token_hex(32))
        return {
            name: hashlib.sha256(f"{salt}{name}={value!r}".encode()).hexdigest()
            for name, value in sorted(values.items())
        }
