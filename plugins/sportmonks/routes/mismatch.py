"""Answers that their route describes wrongly: errors that say what to write in its file."""

from __future__ import annotations

from sportmonks.errors import ConfigurationError, FatalApiError
from sportmonks.routes.answer import FetchedPage
from sportmonks.routes.json_path import shown_path
from sportmonks.routes.period import Window, leads_beyond, request_parameters
from sportmonks.routes.spec import Route


def no_records(route: Route, first: str) -> FatalApiError:
    lists = first.startswith("[")
    hint = "Name their values: fields in the route." if lists else "Correct records in the route."
    return FatalApiError(
        f"{route.name}: the records are {'lists' if lists else 'plain values'}, not objects.", hint=hint
    )


def refuse_wrong_style(route: Route, fetched: FetchedPage, window: Window | None) -> None:
    """Raises ConfigurationError where what the answer names is followed in another way than the route says."""
    following, spec = str(fetched.next or ""), route.paging
    ends = request_parameters(route.period, window) if following and route.period and window else {}
    name = route.period.date_to if route.period else ""
    if spec.style == "next" and leads_beyond(following, name, ends.get(name, "")):
        raise ConfigurationError(
            f"{route.name}: the link at {shown_path(spec.next or ())} leads to the days behind those that were"
            " requested, and to no further page.",
            hint="Write paging: none; max_days of the period cuts it into requests.",
        )
    if spec.style == "next" and following.isdecimal():
        raise ConfigurationError(
            f"{route.name}: the answer names the next page by its number ({following}), which is no link.",
            hint="Write style: cursor, with parameter: the name of the page's number.",
        )
    if spec.style == "cursor" and "://" in following and spec.cursor_of(following) == following:
        raise ConfigurationError(
            f"{route.name}: the answer names the next page by a link without {spec.parameter}.",
            hint="Write style: next, or the parameter that the link has.",
        )


def not_followed(route: Route, path: str) -> ConfigurationError:
    if route.paging.linked:
        return ConfigurationError(
            f"{route.name}: the first page names no next one at the path of paging.next, but at {path}.",
            hint=f"Correct it: next: {path}.",
        )
    return ConfigurationError(
        f"{route.name}: the answer names a further page ({path}), and the route does not say how to read it.",
        hint="Declare paging in the route; if this page is all that is wanted: paging: none.",
    )
