"""Address and credentials of a route's API for the command line. They come from an Airflow connection or from the
environment, never from an argument: other users of the machine see arguments, and the shell's history keeps them."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from local.cli.context import Context
from local.errors import LocalError, UsageError
from local.stack.connections import find_connection, variable_of

if TYPE_CHECKING:
    from sportmonks.routes.access import RouteAccess
    from sportmonks.routes.spec import Route


def configure_access(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--token-env", metavar="VARIABLE", help="environment variable that holds the password or token")
    parser.add_argument("--login", metavar="NAME", help="login, where the connection has none")


def token_of(args: argparse.Namespace) -> str | None:
    """The token of ``--token-env``; None without it. UsageError when the variable is empty."""
    if not args.token_env:
        return None
    token = os.environ.get(args.token_env, "").strip()
    if not token:
        # Not repeated: it may be the token itself.
        raise UsageError(
            "--token-env does not name an environment variable that is set",
            hint="export the token first, such as read -rs TOKEN; export TOKEN, and give --token-env TOKEN",
        )
    return token


def access_of(conn_id: str, context: Context, token: str | None = None, login: str | None = None) -> RouteAccess | None:
    """The connection, with ``token`` as its password and ``login`` where these are given; None without a connection."""
    from sportmonks.redaction import add_secret
    from sportmonks.routes.access import RouteAccess

    fields = find_connection(conn_id, context.stack)
    if fields is None:
        return None
    access = RouteAccess.of_connection(**fields)
    if token:
        access = replace(access, password=token)
    if login:
        access = replace(access, login=login)
    add_secret(access.password)
    return access


def required_access(route: Route, context: Context, args: argparse.Namespace) -> RouteAccess:
    """The connection of a route with what the arguments add. LocalError, with how to make one, where there is none."""
    access = access_of(route.connection, context, token_of(args), login=args.login)
    if access is None:
        raise LocalError(f"there is no connection {route.connection}", hint=how_to_connect(route.connection))
    return access


def how_to_connect(conn_id: str, host: str = "https://api.example.com") -> str:
    """How to make a connection."""
    text = f'{{"conn_type": "http", "host": "{host}", "password": "..."}}'
    return (
        f"write {variable_of(conn_id)}='{text}' into .env (with the login, if there is one; then ./etl up), or make it"
        " in Airflow under Admin, Connections (type HTTP)"
    )
