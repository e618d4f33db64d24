"""APIs that the guide has no route for, each with the quirks of its documentation: 431 records of December 2025."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.harness.shape_server import Answer, Play, Request

COUNT = 431
TIMES = [datetime(2025, 12, 1, 0, 30, tzinfo=UTC) + timedelta(minutes=97 * n) for n in range(COUNT)]


def iso(timestamp: datetime) -> str:
    return f"{timestamp:%Y-%m-%dT%H:%M:%SZ}"


def mediawiki() -> Play:
    """Parameters of the next page as an object, at most 50 rows whatever is requested, errors with status 200: the
    replicas lag behind at each seventh request."""
    calls = iter(range(1_000))

    def answers(request: Request) -> Answer:
        query = request.query
        if next(calls) % 7 == 3:
            error = {"code": "maxlag", "info": "Waiting for a replica: 6.1 seconds lagged."}
            return Answer({"error": error, "servedby": "mw1"}, headers={"Retry-After": "5"})
        begin, end = (datetime.fromisoformat(query[name]) for name in ("rcstart", "rcend"))
        found = [n for n in range(COUNT) if begin <= TIMES[n] <= end]
        named = {f"{TIMES[n]:%Y%m%d%H%M%S}|{n}": place for place, n in enumerate(found)}
        start = named.get(query.get("rccontinue", ""), 0)
        if ("rccontinue" in query) is not (query.get("continue") == "-||") or (start == 0) is ("rccontinue" in query):
            return Answer({"error": {"code": "badcontinue", "info": "Invalid continue param."}})
        changes = [
            {"title": f"Page {n}", "pageid": n % 50, "revid": 9_000 + n, "timestamp": iso(TIMES[n])}
            for n in found[start : start + 50]
        ]
        body: dict[str, Any] = {"warnings": {"recentchanges": {"*": "rclimit may not be over 50"}}}
        if start + 50 < len(found):
            body["continue"] = {"rccontinue": list(named)[start + 50], "continue": "-||"}
        return Answer(body | {"query": {"recentchanges": changes}})

    return answers


def stackexchange() -> Play:
    """Always gzip; a good answer may name a wait, and a refusal is a 400 with the wait in its text."""
    refusals = ["3"]  # page numbers, each refused once

    def answers(request: Request) -> Answer:
        query, headers = request.query, {"Content-Encoding": "gzip"}
        if query.get("page") in refusals:
            refusals.clear()
            error = {"error_id": 502, "error_name": "throttle_violation", "error_message": "too many requests from this"
                     " IP, more requests available in 9 seconds"}  # fmt: skip
            return Answer(gzip.compress(json.dumps(error).encode()), 400, headers)
        begin, end = int(query["fromdate"]), int(query["todate"])
        found = [n for n in range(COUNT) if begin <= TIMES[n].timestamp() <= end]
        size, page = int(query["pagesize"]), int(query.get("page", 1))
        items = [
            {
                "question_id": 70_000 + n,
                "title": f"How {n}?",
                "creation_date": int(TIMES[n].timestamp()),
                "score": n % 5,
            }
            for n in found[(page - 1) * size : page * size]
        ]
        body: dict[str, Any] = {"items": items, "has_more": page * size < len(found), "quota_remaining": 290}
        if page == 4:
            body["backoff"] = 7
        return Answer(gzip.compress(json.dumps(body).encode()), headers=headers)

    return answers


def ckan() -> Play:
    """A next link with each page, also behind the end; the size is capped."""

    def answers(request: Request) -> Answer:
        limit, offset = min(int(request.query.get("limit", 100)), 50), int(request.query.get("offset", 0))
        records = [
            {"_id": n + 1, "permit": f"P-{n:05}", "issued": f"{TIMES[n]:%Y-%m-%dT%H:%M:%S}", "cost": "1,200.50"}
            for n in range(offset, min(offset + limit, COUNT))
        ]
        link = f"{request.path}?resource_id={request.query['resource_id']}&limit={limit}"
        result = {"records": records, "fields": [{"id": "_id"}, {"id": "permit"}], "total": COUNT, "limit": limit}
        links = {"start": link, "next": f"{link}&offset={offset + limit}"}
        return Answer({"success": True, "result": {**result, "_links": links}})

    return answers


def crossref() -> Play:
    """The first page has the cursor *; the cursor of all others is one and the same, also that of the last page."""
    reached = 0

    def answers(request: Request) -> Answer:
        nonlocal reached
        query = request.query
        days = dict(part.split(":", 1) for part in query["filter"].split(","))
        begin, end = days["from-index-date"], days["until-index-date"]
        found = [n for n in range(COUNT) if begin <= f"{TIMES[n]:%Y-%m-%d}" <= end]
        size, cursor = int(query["rows"]), query.get("cursor")
        if cursor not in (None, "*", "DnF1ZXJ5VGhlbg=="):
            return Answer({"status": "failed", "message": [{"message": "cursor expired"}]}, 400)
        reached = reached if cursor not in (None, "*") else 0
        works = [
            {"DOI": f"10.5555/{n:06}", "title": [f"On {n}"], "indexed": {"date-time": iso(TIMES[n])}}
            for n in found[reached : reached + size]
        ]
        reached += size
        message = {"total-results": len(found), "items": works} | (
            {"next-cursor": "DnF1ZXJ5VGhlbg=="} if cursor else {}
        )
        return Answer({"status": "ok", "message-type": "work-list", "message": message})

    return answers


@dataclass(frozen=True)
class Stranger:
    """``address``: as its documentation gives it; ``key``, ``end``: what its route has and its run ends with."""

    play: Callable[[], Play]
    address: str
    key: str
    end: str
    period: bool = True


STRANGERS = {
    "wiki.changes": Stranger(
        mediawiki,
        "/w/api.php?action=query&list=recentchanges&rcdir=newer&rclimit=500&format=json"
        "&rcstart=2025-12-01T00:00:00Z&rcend=2025-12-31T23:59:59Z",
        "revid",
        "no_next",
    ),
    "stack.questions": Stranger(
        stackexchange,
        "/2.3/questions?site=stackoverflow&order=asc&sort=creation&pagesize=100&fromdate=1764547200&todate=1767225599",
        "question_id",
        "flag",
    ),
    "city.permits": Stranger(
        ckan, "/api/3/action/datastore_search?resource_id=abcd-1234&limit=100&sort=_id", "_id", "total", period=False
    ),
    "crossref.works": Stranger(
        crossref,
        "/works?filter=from-index-date:2025-12-01,until-index-date:2025-12-31&rows=100&cursor=*",
        "DOI",
        "total",
    ),
}
