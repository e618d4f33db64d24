"""Lines for `.env` with fresh passwords and keys for docker compose: `python3 local/deploy/make_secrets.py >> .env`.

Needs nothing but Python, so that a machine with Docker alone can run it. Lines that `.env` has already are left out.
"""

from __future__ import annotations

import base64
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

DOTENV = Path(__file__).resolve().parents[2] / ".env"
# Letters, digits, - and _ only: they stand in URLs.
MAKERS: dict[str, Callable[[], str]] = {
    "POSTGRES_PASSWORD": lambda: secrets.token_urlsafe(24),
    "AIRFLOW_DATABASE_PASSWORD": lambda: secrets.token_urlsafe(24),
    "WAREHOUSE_PASSWORD": lambda: secrets.token_urlsafe(24),
    "WAREHOUSE_READER_PASSWORD": lambda: secrets.token_urlsafe(24),
    "REDIS_PASSWORD": lambda: secrets.token_urlsafe(24),
    "AIRFLOW_FERNET_KEY": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "AIRFLOW_JWT_SECRET": lambda: secrets.token_urlsafe(48),
    "AIRFLOW_API_SECRET_KEY": lambda: secrets.token_urlsafe(32),
    "AIRFLOW_ADMIN_PASSWORD": lambda: secrets.token_urlsafe(12),
}


def lines(existing: str) -> list[str]:
    """A line for each secret that `existing` does not set to something."""
    known = {
        name.strip()
        for name, _, value in (line.partition("=") for line in existing.splitlines())
        if value.strip() and not name.lstrip().startswith("#")
    }
    return [f"{name}={make()}" for name, make in MAKERS.items() if name not in known]


def expanded(existing: str) -> list[str]:
    """Names whose values hold a `$` that docker compose would take for a variable: neither doubled nor in ''.

    A `${NAME}` is taken for what is meant.
    """
    found = []
    for line in existing.splitlines():
        name, _, value = line.partition("=")
        value = value.strip()
        plain = not name.lstrip().startswith("#") and not (value.startswith("'") and value.endswith("'"))
        if plain and "$" in value.replace("$$", "").replace("${", ""):
            found.append(name.strip())
    return found


def main() -> int:
    existing = DOTENV.read_text(encoding="utf-8") if DOTENV.exists() else ""
    for name in (misread := expanded(existing)):
        print(
            f"error: {name} in .env holds a $, which docker compose takes for the begin of a variable."
            " Write $$ for each $, then run this again.",
            file=sys.stderr,
        )
    if misread:
        return 1
    if DOTENV.exists() and DOTENV.stat().st_mode & 0o077:
        print("warning: .env can be read by other users of this machine. Run: chmod 600 .env", file=sys.stderr)
    if existing and not existing.endswith("\n"):
        print()
    for line in lines(existing):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
