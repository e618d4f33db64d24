"""Fresh lines for `.env`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local.deploy import make_secrets
from tests.harness.paths import REPO


def test_a_dollar_sign_that_compose_would_expand_is_named() -> None:
    text = (
        "SPORTMONKS_API_KEY=abc$HOME\nPOSTGRES_PASSWORD=a$$b\nREDIS_PASSWORD='a$b'\n# AIRFLOW_UID=$X\n"
        "AIRFLOW_BASE_URL=http://${HOSTNAME}:8080\nWAREHOUSE_PASSWORD=a$$$b\n"
    )
    assert make_secrets.expanded(text) == ["SPORTMONKS_API_KEY", "WAREHOUSE_PASSWORD"]


def test_no_secrets_are_made_for_a_file_that_compose_would_misread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("SPORTMONKS_API_KEY=se$cret\n")
    dotenv.chmod(0o600)
    monkeypatch.setattr(make_secrets, "DOTENV", dotenv)
    assert make_secrets.main() == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("error: SPORTMONKS_API_KEY in .env holds a $")
    assert "cret" not in errors
    dotenv.write_text("SPORTMONKS_API_KEY=se$$cret\n")
    assert make_secrets.main() == 0
    assert "POSTGRES_PASSWORD=" in capsys.readouterr().out


def test_secrets_are_made_once() -> None:
    first = make_secrets.lines("POSTGRES_PASSWORD=kept\nREDIS_PASSWORD=\n# AIRFLOW_JWT_SECRET=x\n")
    names = [line.split("=")[0] for line in first]
    assert "POSTGRES_PASSWORD" not in names
    assert {"REDIS_PASSWORD", "AIRFLOW_JWT_SECRET", "AIRFLOW_FERNET_KEY"} <= set(names)
    assert make_secrets.lines("\n".join(["POSTGRES_PASSWORD=kept", *first])) == []
    from cryptography.fernet import Fernet

    Fernet(dict(line.split("=", 1) for line in first)["AIRFLOW_FERNET_KEY"])


def test_secrets_need_nothing_but_python() -> None:
    script = REPO / "local" / "deploy" / "make_secrets.py"
    done = subprocess.run(
        [sys.executable, "-S", str(script)], capture_output=True, text=True, check=True, cwd="/", env={}
    )
    assert done.stdout.count("=") >= 1 or (REPO / ".env").exists()
