"""GitHub, GitLab and Jira, as their documentation describes them."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.harness.shape_server import Answer, Play, Request
from tests.routes.shapes.world import LOGIN, PASSWORD, Shape, at, bearer, epoch, header, iso, refuse, seconds, within

FOR_EVER = 10.0**12


def github() -> Play:
    """``Link`` with several relations; once, the rate limit is used up: 403 with the time of its reset."""
    limited = [True]

    def play(request: Request) -> Answer:
        if request.headers.get("X-GitHub-Api-Version") != "2022-11-28":
            return refuse("version")
        size, page = int(request.query["per_page"]), int(request.query.get("page", 1))
        if page == 2 and limited.pop() if limited else False:
            limits = {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(epoch(0)))}
            return Answer({"message": "API rate limit exceeded"}, 403, limits)
        found = within(seconds(request.query["since"]), FOR_EVER)
        rows = found[(page - 1) * size : page * size]
        links = [f'<{request.base}{request.path}?page=1&per_page={size}>; rel="first"']
        if page * size < len(found):
            since = request.query["since"].replace(":", "%3A")
            target = f"{request.base}{request.path}?since={since}&state=all&per_page={size}&page={page + 1}"
            links.insert(0, f'<{target}>; rel="next"')
        body = [{"id": 1000 + n, "updated_at": iso(n), "labels": []} for n in rows]
        return Answer(body, headers={"Link": ", ".join(links), "X-RateLimit-Remaining": "50"})

    return play


def gitlab() -> Play:
    """The next page's number in a header, which is empty on the last page."""

    def play(request: Request) -> Answer:
        size, page = int(request.query["per_page"]), int(request.query.get("page", 1))
        found = within(seconds(request.query["updated_after"]), seconds(request.query["updated_before"]))
        following = str(page + 1) if page * size < len(found) else ""
        rows = [{"id": n, "updated_at": iso(n)} for n in found[(page - 1) * size : page * size]]
        return Answer(rows, headers={"x-next-page": following, "x-total": str(len(found))})

    return play


def jira() -> Play:
    """Days of the user's zone within JQL; ``isLast`` instead of a missing token; times with an offset like +0100."""
    zone = ZoneInfo("Europe/Berlin")

    def play(request: Request) -> Answer:
        days = re.fullmatch(r"updated >= '(.*)' AND updated < '(.*)' ORDER BY updated", request.query["jql"])
        if days is None:
            return refuse("JQL")
        first, last = (datetime.fromisoformat(day).replace(tzinfo=zone).timestamp() for day in days.groups())
        found, size = within(first, last), int(request.query["maxResults"])
        start = int(request.query.get("nextPageToken", "t0").removeprefix("t"))
        rows = [
            {
                "id": str(n),
                "key": f"OPS-{n}",
                "fields": {"updated": f"{at(n).astimezone(zone):%Y-%m-%dT%H:%M:%S.000%z}"},
            }
            for n in found[start : start + size]
        ]
        last_page = start + size >= len(found)
        following = {} if last_page else {"nextPageToken": f"t{start + size}"}
        return Answer({"issues": rows, "isLast": last_page, **following})

    return play


def basic(request: Request) -> str:
    expected = base64.b64encode(f"{LOGIN}:{PASSWORD}".encode()).decode()
    return "" if request.headers.get("Authorization") == f"Basic {expected}" else "no login"


SHAPES = [
    Shape("GitHub", github, "no_next", needs=bearer, login=""),
    Shape("GitLab", gitlab, "no_next", prefix="/api/v4", needs=header("PRIVATE-TOKEN"), login=""),
    Shape("Jira", jira, "flag", needs=basic),
]
