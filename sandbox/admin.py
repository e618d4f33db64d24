"""The admin API under /_admin: expected content, calls, clock, limits, faults, corrections. No key, no budget.

GET  /_admin/health               state, clock and size of the world
GET  /_admin/truth[?states=1]     counts in all and per season (`chunks`)
GET  /_admin/truth/fixtures    ?season=ID | ids=1,2 (or all), &brief=1 ids, states; &full=1 payloads; &after=ID&limit=N
GET  /_admin/truth/fixtures/{id}  canonical content and the full payload (&include=...)
GET  /_admin                      this text
GET  /_admin/calls[?last=N]       calls of the clients (&fixtures=1: requests per fixture id); DELETE forgets them
GET|POST /_admin/clock            {"now": iso | "advance_seconds": n | "next_kickoff": plus seconds, "frozen": bool}
GET|POST /_admin/limits           {"limit", "window_seconds", "entity"}
GET|POST|DELETE /_admin/faults    see ?help=1; DELETE /_admin/faults/{id} for one
POST /_admin/corrections          {"n", "season", "kinds", "ids"}; POST /_admin/deletions {"n", "season", "ids"}
POST /_admin/recreations          {"n", "season", "ids"}: matches get another id, the old one is not known any more
GET|POST /_admin/variants         open points of the documentation
GET|POST /_admin/plan             {"leagues", "forbidden_includes"}
POST /_admin/reset                back to the start: no corrections, faults, calls; clock, limits, variants as given
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import corrections, truth
from sandbox.clock import iso, parse_time
from sandbox.faults import KINDS
from sandbox.limits import Calls
from sandbox.state import VARIANTS, Sandbox
from sandbox.world import DAY

Handler = Callable[[Request], Awaitable[Response]]


def _json_response(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


class Admin:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    @staticmethod
    async def _body(request: Request, *allowed: str) -> dict[str, Any]:
        raw = await request.body()
        body = msgspec.json.decode(raw) if raw else {}
        if not isinstance(body, dict):
            raise ValueError("the body must be a JSON object")
        unknown = set(body) - set(allowed)
        if allowed and unknown:
            raise ValueError(f"unknown key {sorted(unknown)}: this takes {', '.join(allowed)}")
        return body

    async def help(self, request: Request) -> Response:
        return Response(__doc__, media_type="text/plain")

    async def health(self, request: Request) -> Response:
        box = self.sandbox
        return _json_response(
            {
                "status": "ok",
                "now": iso(box.now()),
                "frozen": box.clock.frozen,
                "options": vars(box.options),
                "leagues": len(box.leagues()),
                "seasons": len(box.seasons()),
                "fixtures": sum(season.size for season in box.seasons()),
                "cache_bytes": box.cache.size,
            }
        )

    async def truth(self, request: Request) -> Response:
        states = request.query_params.get("states")
        return _json_response(truth.summary(self.sandbox, states=None if states is None else states == "1"))

    async def truth_fixtures(self, request: Request) -> Response:
        params, box = request.query_params, self.sandbox
        seasons = [int(params["season"])] if "season" in params else [season.id for season in box.seasons()]
        after, limit = int(params.get("after", 0)), int(params.get("limit", 1_000_000))
        rows: list[dict[str, Any]] = []
        ids = {int(item) for item in params["ids"].split(",")} if "ids" in params else None
        if ids is not None:
            places = (box.world.find(fixture_id) for fixture_id in ids)
            seasons = sorted({place[0].id for place in places if place is not None})
        for season_id in seasons:
            for view in box.season_views(season_id):
                if view.id <= after or (ids is not None and view.id not in ids):
                    continue
                if len(rows) >= limit:
                    break
                if params.get("brief") == "1":
                    rows.append(truth.brief(view))
                else:
                    row = truth.payload(box, view) if params.get("full") == "1" else None
                    rows.append(truth.canonical(box, view, row) | ({"payload": row} if row else {}))
                if len(rows) % 10 == 0:
                    await asyncio.sleep(0)
        return _json_response({"now": box.now(), "count": len(rows), "fixtures": rows})

    async def truth_fixture(self, request: Request) -> Response:
        view = self.sandbox.view(request.path_params["id"])
        if view is None:
            return _json_response({"error": "no such fixture"}, 404)
        row = truth.payload(self.sandbox, view, request.query_params.get("include", truth.DEFAULT_INCLUDES))
        return _json_response({"canonical": truth.canonical(self.sandbox, view), "payload": row})

    async def calls(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.sandbox.calls = Calls()
        params = request.query_params
        return _json_response(self.sandbox.calls.as_json(int(params.get("last", 200)), params.get("fixtures") == "1"))

    async def clock(self, request: Request) -> Response:
        box = self.sandbox
        if request.method == "POST":
            body = await self._body(request, "now", "advance_seconds", "next_kickoff", "frozen")
            to = parse_time(body["now"]) if "now" in body else None
            if "next_kickoff" in body:
                coming = [
                    season.plan(index).kickoff
                    for season, index in box.world.scheduled_between(box.now() + 1, box.now() + 90 * DAY)
                ]
                if not coming:
                    raise ValueError("no kick-off in the coming 90 days: set the clock with now")
                to = min(coming) + float(body["next_kickoff"])
            box.clock.move(to=to, by=float(body.get("advance_seconds", 0)), frozen=body.get("frozen"))
        return _json_response({"now": iso(box.now()), "epoch": box.now(), "frozen": box.clock.frozen})

    async def limits(self, request: Request) -> Response:
        if request.method == "POST":
            body = await self._body(request, "limit", "window_seconds", "entity")
            self.sandbox.limits.set(body.get("limit"), body.get("window_seconds"), body.get("entity"))
        return _json_response(self.sandbox.limits.as_json())

    async def faults(self, request: Request) -> Response:
        faults = self.sandbox.faults
        if request.method == "POST":
            raw = msgspec.json.decode(await request.body())
            added = [faults.add(spec) for spec in (raw if isinstance(raw, list) else [raw])]
            return _json_response({"added": [fault.as_json() for fault in added], "id": added[-1].id}, 201)
        if request.method == "DELETE":
            return _json_response({"cleared": faults.clear(request.path_params.get("id"))})
        if request.query_params.get("help"):
            return _json_response({"kinds": KINDS})
        return _json_response({"faults": [fault.as_json() for fault in faults.pending]})

    async def corrections(self, request: Request) -> Response:
        body = await self._body(request, "n", "season", "kinds", "ids")
        kinds = tuple(body.get("kinds") or corrections.DEFAULT_KINDS)
        ids = body.get("ids")
        done = corrections.correct(
            self.sandbox, int(body.get("n", len(ids) if ids else 1)), season=body.get("season"), kinds=kinds, ids=ids
        )
        return _json_response({"count": len(done), "corrections": done})

    async def deletions(self, request: Request) -> Response:
        done = await self._applied(request, corrections.delete)
        return _json_response({"count": len(done), "deleted": done})

    async def recreations(self, request: Request) -> Response:
        done = await self._applied(request, corrections.recreate)
        return _json_response({"count": len(done), "recreated": done})

    async def _applied(self, request: Request, change: Callable[..., list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """What ``change`` did to the ``n`` fixtures, or the ``ids``, of the body."""
        body = await self._body(request, "n", "season", "ids")
        ids = body.get("ids")
        return change(self.sandbox, int(body.get("n", len(ids) if ids else 1)), season=body.get("season"), ids=ids)

    async def variants(self, request: Request) -> Response:
        if request.method == "POST":
            for name, value in (await self._body(request)).items():
                set_variant(self.sandbox, name, value)
        known = {
            name: {"value": self.sandbox.variants[name], "choices": choices, "meaning": text}
            for name, (choices, text) in VARIANTS.items()
        }
        return _json_response(known)

    async def plan(self, request: Request) -> Response:
        box = self.sandbox
        if request.method == "POST":
            body = await self._body(request, "leagues", "forbidden_includes")
            if "leagues" in body:
                box.plan_leagues = None if body["leagues"] is None else {int(i) for i in body["leagues"]}
            if "forbidden_includes" in body:
                box.forbidden = {str(name).lower() for name in body["forbidden_includes"]}
        return _json_response(
            {
                "leagues": [league.id for league in box.leagues()],
                "all_leagues": [league.id for league in box.world.leagues],
                "forbidden_includes": sorted(box.forbidden),
            }
        )

    async def reset(self, request: Request) -> Response:
        self.sandbox.reset()
        return _json_response({"reset": True})


def set_variant(sandbox: Sandbox, name: str, value: str) -> None:
    """ValueError names the choices."""
    if name not in VARIANTS:
        raise ValueError(f"unknown variant {name!r}: choose from {', '.join(VARIANTS)}")
    if value not in VARIANTS[name][0]:
        raise ValueError(f"variant {name} cannot be {value!r}: choose from {', '.join(VARIANTS[name][0])}")
    sandbox.variants[name] = value


async def _refuse(request: Request, problem: Exception) -> Response:
    return _json_response({"error": str(problem)}, 400)


def admin_app(sandbox: Sandbox) -> Starlette:
    admin = Admin(sandbox)
    both, with_delete = ["GET", "POST"], ["GET", "DELETE"]
    return Starlette(
        routes=[
            Route("/_admin", admin.help),
            Route("/_admin/health", admin.health),
            Route("/_admin/truth", admin.truth),
            Route("/_admin/truth/fixtures", admin.truth_fixtures),
            Route("/_admin/truth/fixtures/{id:int}", admin.truth_fixture),
            Route("/_admin/calls", admin.calls, methods=with_delete),
            Route("/_admin/clock", admin.clock, methods=both),
            Route("/_admin/limits", admin.limits, methods=both),
            Route("/_admin/faults", admin.faults, methods=["GET", "POST", "DELETE"]),
            Route("/_admin/faults/{id:int}", admin.faults, methods=["DELETE"]),
            Route("/_admin/corrections", admin.corrections, methods=["POST"]),
            Route("/_admin/deletions", admin.deletions, methods=["POST"]),
            Route("/_admin/recreations", admin.recreations, methods=["POST"]),
            Route("/_admin/variants", admin.variants, methods=both),
            Route("/_admin/plan", admin.plan, methods=both),
            Route("/_admin/reset", admin.reset, methods=["POST"]),
        ],
        exception_handlers={ValueError: _refuse, TypeError: _refuse, KeyError: _refuse},
    )
