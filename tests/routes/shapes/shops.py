"""WordPress, Shopify, Stripe, HubSpot and Marketing Cloud, as their documentation describes them."""

from __future__ import annotations

from tests.harness.shape_server import Answer, Play, Request
from tests.routes.shapes.code_hosts import basic
from tests.routes.shapes.world import NUMBERS, Shape, at, bearer, epoch, header, iso, oauth, refuse, seconds, within


def wordpress() -> Play:
    """Page numbers; one page more than there are is a 400."""

    def play(request: Request) -> Answer:
        page, size = int(request.query.get("page", 1)), int(request.query["per_page"])
        first, last = seconds(request.query["modified_after"]), seconds(request.query["modified_before"])
        found = within(first, last + 1)
        totals = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(-(-len(found) // size))}
        rows = found[(page - 1) * size : page * size]
        if not rows and page > 1:
            return Answer(
                {"code": "rest_post_invalid_page_number", "message": "too large", "data": {"status": 400}}, 400
            )
        body = [{"id": n, "modified_gmt": iso(n)[:-1], "title": {"rendered": "\u201ex\u201c"}} for n in rows]
        return Answer(body, headers=totals)

    return play


def shopify() -> Play:
    """Links whose query holds page_info alone; a burst is refused for a fraction of a second."""
    refused: list[str] = []

    def play(request: Request) -> Answer:
        info = request.query.get("page_info")
        if info and set(request.query) - {"page_info", "limit"}:
            return refuse("page_info takes no other parameters")
        if info and info not in refused:
            refused.append(info)
            return Answer({"errors": "Exceeded 2 calls per second"}, 429, {"Retry-After": "2.0"})
        first, last = seconds(request.query.get("updated_at_min", iso(0))), seconds("2026-01-01")
        found, start = within(first, last), int(info or 0)
        size = 100  # smaller than what was requested
        headers = {}
        if start + size < len(found):
            target = f"{request.base}{request.path}?limit=250&page_info={start + size}"
            headers["Link"] = f'<{target}>; rel="next"'
        rows = [
            {"id": n, "updated_at": iso(n), "total_price": "10.50" if n else "n/a", "email": f"{n}@example.com",
             "created_at": f"{at(n):%Y-%m-%dT%H:%M:%S}-05:00"} for n in found[start : start + size]
        ]  # fmt: skip
        return Answer({"orders": rows}, headers=headers)

    return play


def stripe() -> Play:
    """Newest first; the next page begins behind the last id."""

    def play(request: Request) -> Answer:
        found = within(int(request.query["created[gte]"]), int(request.query["created[lte]"]) + 1)[::-1]
        size = int(request.query["limit"])
        behind = request.query.get("starting_after")
        start = found.index(int(behind.removeprefix("ch_"))) + 1 if behind else 0
        rows = [{"id": f"ch_{n}", "object": "charge", "created": epoch(n)} for n in found[start : start + size]]
        return Answer({"object": "list", "data": rows, "has_more": start + size < len(found), "url": "/v1/charges"})

    return play


def hubspot() -> Play:
    """Search by POST; values are texts, the cursor is left out on the first page, and its key on the last one."""

    def play(request: Request) -> Answer:
        body = request.json
        (wanted,) = body["filterGroups"][0]["filters"]
        if request.method != "POST" or not isinstance(wanted["value"], str):
            return refuse("value has to be a text")
        found = within(int(wanted["value"]) / 1000, (int(wanted["highValue"]) + 1) / 1000)
        start, size = int(body.get("after", 0)), 5
        paging = {"paging": {"next": {"after": str(start + size)}}} if start + size < len(found) else {}
        rows = [{"id": str(n), "updatedAt": iso(n), "properties": {}} for n in found[start : start + size]]
        return Answer({"total": len(found), "results": rows, **paging})

    return play


def marketing_cloud() -> Play:
    """The count is larger than what the account may see; the token ends in the middle of the run."""

    def play(request: Request) -> Answer:
        page, size = int(request.query["$page"]), int(request.query["$pageSize"])
        rows = list(NUMBERS)[(page - 1) * size : page * size]
        items = [{"keys": {"orderid": str(n)}, "values": {"changed": iso(n)}} for n in rows]
        return Answer({"page": page, "pageSize": size, "count": 999, "items": items})

    return oauth("/v2/token", play, calls_per_token=2, takes_json=True)


SHAPES = [
    Shape("WordPress", wordpress, "total", prefix="/wp-json/wp/v2", needs=basic),
    Shape("Shopify", shopify, "no_next", prefix="/admin/api/2026-01", needs=header("X-Shopify-Access-Token"), login=""),
    Shape("Stripe", stripe, "flag", needs=bearer, login=""),
    Shape("HubSpot", hubspot, "no_next", needs=bearer, login=""),
    Shape("Marketing Cloud", marketing_cloud, "empty_page"),
]
