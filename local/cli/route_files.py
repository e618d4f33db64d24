"""Finds the route that the user named: a file anywhere, or a route of include/routes; suggests near names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import LocalError, UsageError

if TYPE_CHECKING:
    from sportmonks.routes.parse import Problem
    from sportmonks.routes.spec import Route


def load() -> tuple[list[Route], list[Problem]]:
    """The routes of include/routes, and the files that are none."""
    from sportmonks.routes.parse import load_routes

    return load_routes()


def read(file: Path) -> Route:
    """One file. UsageError when it cannot be read; SportmonksError when it is no route."""
    from sportmonks.routes.parse import parse_route

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}", hint="give a YAML file") from None
    return parse_route(text, file=str(file))


def find_or_read(name: str) -> Route:
    """A route by its name or by its file. UsageError for an unknown name, LocalError for a file that is no route."""
    from sportmonks.errors import SportmonksError

    file = Path(name)
    if file.suffix not in (".yaml", ".yml") or not file.is_file():
        return find(name)
    try:
        return read(file)
    except SportmonksError as error:
        raise LocalError(str(error), hint=f"correct the file; ./etl routes check {name} says the same") from None


def find(name: str) -> Route:
    """The route of that DAG, table, route or file name. UsageError with the known names."""
    import difflib

    routes, problems = load()
    given = name.removeprefix("raw.")
    matches = [
        r
        for r in routes
        if given in (r.name, r.table, r.route, f"{r.client}/{r.route}", f"{r.client}.{r.route}", r.file)
    ]
    if len(matches) == 1:
        return matches[0]
    wrong = next((one for one in problems if given in (one.file, one.name, Path(one.file).stem)), None)
    if wrong is not None:
        raise LocalError(wrong.message, hint=f"correct include/routes/{wrong.file}")
    names = [route.name for route in matches or routes]
    if not names:
        raise UsageError(f"{name} is no route: there is none yet", hint="make one: ./etl routes new")
    near = difflib.get_close_matches(given, [*names, *(route.route for route in routes)], n=3, cutoff=0.5)
    what = "is more than one route" if matches else "is no route"
    raise UsageError(f"{name} {what}", hint=f"give one of: {', '.join(near if near and not matches else names)}")
