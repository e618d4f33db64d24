"""Accounts of the warehouse with one of the package's roles each."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import conninfo, sql

from sportmonks.warehouse import queries

Login = Callable[[str], str]
PASSWORD = "p4ssw0rd-for-tests"


@contextmanager
def role_logins(dsn: str) -> Iterator[Login]:
    """``login("writer")``: conninfo of a new member of sportmonks_writer in the database of ``dsn``, which is a
    superuser's. The public has no rights in that database. Everything is taken back at the end."""
    accounts: list[sql.Identifier] = []
    database = sql.Identifier(str(conninfo.conninfo_to_dict(dsn)["dbname"]))

    def login(role: str) -> str:
        name = f"{role}_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
            admin.execute(queries.sql("roles"))
            create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}")
            member = sql.Identifier(f"sportmonks_{role}")
            admin.execute(create.format(sql.Identifier(name), sql.Literal(PASSWORD), member))
        accounts.append(sql.Identifier(name))
        return conninfo.make_conninfo(dsn, user=name, password=PASSWORD)

    try:
        yield login
    finally:
        with psycopg.connect(dsn, autocommit=True) as admin:
            for role in ("owner", "writer", "reader"):
                admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(f"sportmonks_{role}")))
            for account in accounts:
                admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(account))
                admin.execute(sql.SQL("DROP ROLE {}").format(account))
