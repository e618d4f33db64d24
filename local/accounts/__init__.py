"""Accounts of the databases of stack and containers, so that neither Airflow nor the package works as a superuser.

`sportmonks` owns the warehouse, `sportmonks_read` can only read it, `airflow` owns Airflow's database. The superuser
only makes these accounts and hands the databases over to them; what an older version has made as superuser goes with
them.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from sportmonks.warehouse.queries import QueryFiles

query = QueryFiles(Path(__file__).with_name("sql"))

WAREHOUSE_ACCOUNT = "sportmonks"
READER_ACCOUNT = "sportmonks_read"
METADATA_ACCOUNT = "airflow"
ACCOUNTS = (WAREHOUSE_ACCOUNT, READER_ACCOUNT, METADATA_ACCOUNT)


def ensure_database(superuser: psycopg.Connection[Any], name: str) -> None:
    """Create the database `name` unless it exists; another process may do so at the same time. Needs autocommit."""
    if superuser.execute(query("account/has_database"), {"name": name}).fetchone() is None:
        with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            superuser.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def prepare_metadata(superuser: psycopg.Connection[Any], password: str, account: str = METADATA_ACCOUNT) -> None:
    """Give the database of this connection, and all in it, to an account of Airflow's own with this password."""
    with superuser.transaction():
        _ensure_account(superuser, account, password)
        if _owner(superuser) != account:
            _hand_over(superuser, account)


def prepare_warehouse(
    superuser: psycopg.Connection[Any], password: str, reader_password: str, account: str = WAREHOUSE_ACCOUNT
) -> None:
    """Give the database of this connection to the warehouse's account, and its schemas to the role `sportmonks_owner`,
    of which that account is a member; the reader's account becomes one of `sportmonks_reader`."""
    from sportmonks.warehouse import queries

    with superuser.transaction():
        handed_over = _owner(superuser) == account
        if not handed_over:
            superuser.execute(queries.sql("roles"))
        _ensure_account(superuser, account, password, role="sportmonks_owner")
        _ensure_account(superuser, READER_ACCOUNT, reader_password, role="sportmonks_reader")
        if not handed_over:
            _hand_over(superuser, account)


def _ensure_account(superuser: psycopg.Connection[Any], account: str, password: str, *, role: str = "") -> None:
    # As PostgreSQL stores it, so that no log of the server ever holds the password itself.
    hashed = superuser.pgconn.encrypt_password(password.encode(), account.encode(), b"scram-sha-256").decode()
    superuser.execute(query("account/set_account"), {"account": account, "password": hashed, "role": role})
    superuser.execute(query("account/set_names"), {"names": list(ACCOUNTS)})
    superuser.execute(query("account/ensure_account"))


def _hand_over(superuser: psycopg.Connection[Any], account: str) -> None:
    superuser.execute(query("account/set_account"), {"account": account, "password": "", "role": ""})
    superuser.execute(query("account/set_names"), {"names": list(ACCOUNTS)})
    superuser.execute(query("account/hand_over"))


def _owner(conn: psycopg.Connection[Any]) -> str | None:
    row = conn.execute(query("account/owner")).fetchone()
    return str(row[0]) if row else None
