"""OData (Microsoft Graph), Elasticsearch, Socrata and a CSV file, as their documentation describes them."""

from __future__ import annotations

import gzip
import re

from tests.harness.shape_server import Answer, Play, Request
from tests.routes.shapes.world import NUMBERS, Shape, at, epoch, header, iso, oauth, refuse, seconds, within


def odata() -> Play:
    """The link of the next page is absolute, and its key is missing on the last page."""

    def play(request: Request) -> Answer:
        wanted = re.fullmatch(
            r"lastModifiedDateTime ge (\S+) and lastModifiedDateTime lt (\S+)", request.query.get("$filter", "")
        )
        start = int(request.query.get("$skiptoken", 0))
        if wanted is None:
            return refuse("$filter")
        size = int(str(request.headers["Prefer"]).rpartition("=")[2])
        found = within(*(seconds(text) for text in wanted.groups()))
        body: dict[str, object] = {
            "@odata.context": f"{request.base}/$metadata#events",
            "value": [{"id": f"AAMk{n}==", "lastModifiedDateTime": f"{at(n):%Y-%m-%dT%H:%M:%S}.1234567Z"}
                      for n in found[start : start + size]],
        }  # fmt: skip
        if start + size < len(found):
            kept = request.query["$filter"].replace(" ", "%20").replace(":", "%3A")
            body["@odata.nextLink"] = f"{request.base}{request.path}?$filter={kept}&$skiptoken={start + size}"
        return Answer(body)

    return oauth("/oauth2/v2.0/token", play)


def elasticsearch() -> Play:
    """The total is capped, records lie within their envelope, and the next page begins behind the last sort values."""

    def play(request: Request) -> Answer:
        body = request.json
        days = body["query"]["range"]["at"]
        if not isinstance(body["size"], int) or not isinstance(body.get("search_after", []), list):
            return refuse("types")
        found = within(seconds(days["gte"]), seconds(days["lt"]))
        after = body.get("search_after")
        start = found.index(after[1]) + 1 if after else 0
        hits = [
            {"_id": f"e{n}", "_source": {"at": iso(n)}, "sort": [epoch(n) * 1000, n]}
            for n in found[start : start + min(body["size"], 60)]
        ]
        return Answer(
            {"took": 1, "hits": {"total": {"value": 100, "relation": "gte"}, "hits": hits}, "timed_out": False}
        )

    return play


def socrata() -> Play:
    """A list without anything around it; fewer than $limit do not prove the end, and a page of it is short."""

    def play(request: Request) -> Answer:
        days = re.fullmatch(r"issued between '(\S+)' and '(\S+)'", request.query["$where"])
        if days is None or request.query["$order"] != ":id":
            return refuse("query")
        found = within(seconds(days[1]), seconds(days[2]) + 1)
        start, size = int(request.query["$offset"]), 80 if request.query["$offset"] == "0" else 50
        rows = [{"permit": str(n), "issued": iso(n)[:-1] + ".000"} for n in found[start : start + size]]
        return Answer(rows, headers={"X-SODA2-Fields": "permit,issued"})

    return play


def csv_file() -> Play:
    """Packed by the program that wrote it, which no header says; umlauts in ISO-8859-1; a line break within a text."""

    def play(request: Request) -> Answer:
        lines = ["zähler;gelesen;stand;bemerkung"]
        lines += [f'{n};{at(n):%d.%m.%Y};{n},50;"Straße; rechts\r\nHof"' for n in NUMBERS]
        body = gzip.compress("\r\n".join(lines).encode("latin-1"))
        return Answer(body, headers={"Content-Type": "text/csv; charset=ISO-8859-1"})

    return play


SHAPES = [
    Shape("OData", odata, "no_next", prefix="/v1.0"),
    Shape("Elasticsearch", elasticsearch, "empty_page", needs=header("Authorization", "ApiKey "), login=""),
    Shape("Socrata", socrata, "empty_page", prefix="/resource", needs=header("X-App-Token"), login=""),
    Shape("A CSV file", csv_file, "one_page", prefix="/export"),
]
