"""Notion, Gmail and Zendesk, as their documentation describes them."""

from __future__ import annotations

import re

from tests.harness.shape_server import Answer, Play, Request
from tests.routes.shapes.code_hosts import FOR_EVER, basic
from tests.routes.shapes.world import COUNT, NUMBERS, Shape, bearer, epoch, iso, oauth, refuse, seconds, within

REFRESH_TOKEN = "refresh-token-of-the-user"


def notion() -> Play:
    """A cursor of null is refused: it has to be left out on the first page."""

    def play(request: Request) -> Answer:
        body = request.json
        if body.get("start_cursor", "") is None or request.headers.get("Notion-Version") != "2022-06-28":
            return refuse("start_cursor should be a string")
        found = within(seconds(body["filter"]["last_edited_time"]["on_or_after"]), FOR_EVER)
        start, size = int(body.get("start_cursor", "0")), body["page_size"]
        more = start + size < len(found)
        rows = [{"object": "page", "id": f"p{n}", "last_edited_time": iso(n)} for n in found[start : start + size]]
        cursor = str(start + size) if more else None
        return Answer({"object": "list", "results": rows, "has_more": more, "next_cursor": cursor})

    return play


def gmail() -> Play:
    """A wrong estimate, no list at all when nothing was found, and times in milliseconds as text."""

    def play(request: Request) -> Answer:
        number = request.path.rpartition("/m")[2]
        if number.isdecimal():
            return Answer({"id": f"m{number}", "internalDate": str(epoch(int(number)) * 1000), "payload": {}})
        days = re.fullmatch(r"after:(\d+) before:(\d+)", request.query["q"])
        if days is None:
            return refuse("q")
        found = within(int(days[1]), int(days[2]))
        start, size = int(request.query.get("pageToken", 0)), 100
        if not found:
            return Answer({"resultSizeEstimate": 0})
        following = {"nextPageToken": str(start + size)} if start + size < len(found) else {}
        rows = [{"id": f"m{n}", "threadId": f"t{n}"} for n in found[start : start + size]]
        return Answer({"messages": rows, "resultSizeEstimate": 201, **following})

    return oauth("/token", play, calls_per_token=20, refresh_token=REFRESH_TOKEN)


def zendesk() -> Play:
    """Each page has a cursor, the last one too; with a cursor, the time of the beginning is refused."""

    def play(request: Request) -> Answer:
        cursor = request.query.get("cursor")
        if cursor and "start_time" in request.query:
            return refuse("start_time beside cursor")
        start, size = (int(cursor) if cursor else 0), 100
        rows = list(NUMBERS)[start : start + size]
        return Answer({
            "tickets": [{"id": n, "updated_at": iso(n)} for n in rows],
            "after_cursor": str(start + len(rows)),
            "after_url": f"{request.base}{request.path}?cursor={start + len(rows)}",
            "end_of_stream": start + size >= COUNT,
        })  # fmt: skip

    return play


SHAPES = [
    Shape("Notion", notion, "flag", prefix="/v1", needs=bearer, login=""),
    Shape("Gmail", gmail, "no_next", prefix="/gmail/v1", extra={"refresh_token": REFRESH_TOKEN}),
    Shape("Zendesk", zendesk, "flag", prefix="/api/v2", needs=basic),
]
