"""The HTTP server: key, endpoint, budget, faults, response, envelope; and the admin API beside it."""

from __future__ import annotations

import asyncio
import base64
import time
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec

from sandbox import includes
from sandbox.admin import admin_app
from sandbox.endpoints import Endpoint, find_endpoint
from sandbox.faults import ERRORS_WITH_200, PAGE_FAULTS, REFUSING, ROW_FAULTS, TEXT_FAULTS, Fault, RequestSubject
from sandbox.fixtures import multi_ids
from sandbox.http_response import Header, HttpResponse, html_response, json_response
from sandbox.limits import log_entry
from sandbox.paging import ApiResponse, change_page
from sandbox.query import ApiError, Query, parse_query
from sandbox.state import Encoded, Sandbox, encode

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

NO_RESULT = (
    "No result(s) found matching your request. Either the query did not return any results or you don't have access "
    "to it via your current subscription."
)


class CutError(Exception):
    """Raised to close the connection: the server drops a response that was not finished."""


class Api:
    """The ASGI application: it answers `/v3/...` itself and passes `/_admin/...` on to the admin API."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.admin = admin_app(sandbox)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.admin(scope, receive, send)
            return
        if scope["path"].startswith("/_admin"):
            await self.admin(scope, receive, send)
            return
        calls = self.sandbox.calls
        calls.in_flight += 1
        calls.most_in_flight = max(calls.most_in_flight, calls.in_flight)
        try:
            await self._serve(scope, send)
        finally:
            calls.in_flight -= 1

    async def _serve(self, scope: Scope, send: Send) -> None:
        started = time.monotonic()
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        params = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        note: dict[str, Any] = {"entity": "", "fault": None, "ids": 0}
        if self.sandbox.latency:
            await asyncio.sleep(self.sandbox.latency)
        try:
            response = await self._respond(scope, headers, params, note, started)
        except ApiError as problem:
            response = json_response(problem.status, problem.body())
        gzip = "gzip" in headers.get("accept-encoding", "").lower()
        body, out = response.body(gzip)
        calls = self.sandbox.calls
        calls.by_status[response.status] += 1
        calls.bytes_sent += len(body)
        took = round((time.monotonic() - started) * 1_000, 1)
        calls.log.append(
            log_entry(
                scope["method"],
                scope["path"],
                note["entity"],
                response.status,
                fault=note["fault"],
                ids=note["ids"],
                ms=took,
                include=params.get("include", ""),
            )
        )
        out.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": out})
        if response.cut_at is not None:
            await send(
                {"type": "http.response.body", "body": body[: int(len(body) * response.cut_at)], "more_body": True}
            )
            raise CutError
        await send({"type": "http.response.body", "body": body})
        if response.reports_empty is not None and response.complete:
            response.reports_empty.reported_empty = response.reports_empty.reported_empty or time.monotonic()

    def _token(self, headers: dict[str, str], params: dict[str, str]) -> None:
        """Count how the key was given. ApiError 401 unless it is the right one."""
        given, in_query = headers.get("authorization"), params.pop("api_token", None)
        self.sandbox.calls.by_token["header" if given else "query" if in_query else "none"] += 1
        if in_query and given:
            self.sandbox.calls.by_token["query"] += 1
        if (given or in_query) != self.sandbox.key:
            raise ApiError(401, "Unauthenticated.")

    async def _respond(
        self, scope: Scope, headers: dict[str, str], params: dict[str, str], note: dict[str, Any], received_at: float
    ) -> HttpResponse:
        sandbox, calls = self.sandbox, self.sandbox.calls
        agent = headers.get("user-agent", "")
        calls.total += 1
        calls.user_agents[agent] += 1
        if not agent or agent.startswith("python-requests/"):
            return html_response(403)
        self._token(headers, params)
        path = scope["path"].removeprefix("/v3/") if scope["path"].startswith("/v3/") else "-"
        if scope["method"] != "GET":
            raise ApiError(405, f"The {scope['method']} method is not supported for this route.")
        endpoint, parts = find_endpoint(path)
        note["entity"] = entity = endpoint.bucket
        calls.by_path[endpoint.shape] += 1
        query = parse_query(params, over_per_page=sandbox.variants["over_per_page"])
        for name in query.filters.keys() - endpoint.filters:
            raise ApiError(400, f"The filter '{name}' is not applicable here", 5010)
        includes.check(endpoint.entity, query.includes, sandbox.forbidden)
        if sandbox.limits.known_empty(entity, received_at):
            calls.over_known_limit[entity] += 1
        if not sandbox.limits.take(entity):
            return self._too_many(entity, sandbox.variants["retry_after"], sandbox.limits.resets_in(entity), quota=0)
        calls.by_entity[entity] += 1
        subject = self._subject(endpoint, parts, query, scope["path"])
        note["ids"] = len(subject.fixture_ids)
        calls.fixture_reads.update(subject.fixture_ids)
        applied = sandbox.faults.apply_to(subject)
        if applied:
            note["fault"] = ",".join(fault.kind for fault in applied)
            for fault in applied:
                calls.faults[fault.kind] += 1
            replacement = await self._replacement(applied[0], entity)
            if replacement is not None:
                return replacement
        host = headers.get("host", "localhost")
        for fault in applied:
            if fault.kind in ("repeated_page", "overlapping_page"):
                self._move_page_back(fault, query)
            elif fault.kind == "other_season":
                self._ask_another_season(fault, query)
        api_response = endpoint.respond(sandbox, query, parts, f"http://{host}{scope['path']}")
        for fault in applied:
            if fault.kind in PAGE_FAULTS and api_response.pagination is not None:
                change_page(fault, api_response, params)
        return await self._with_faults(applied, api_response, entity)

    def _subject(self, endpoint: Endpoint, parts: tuple[str, ...], query: Query, path: str) -> RequestSubject:
        page = query.page if query.cursor is None else 2
        subject = RequestSubject(path, endpoint.bucket, includes={name for name in query.includes}, page=page)
        for node in query.includes.values():
            subject.includes |= {f"{node.name}.{child}" for child in node.children}
        if "multi" in path and parts:
            subject.fixture_ids = set(multi_ids(parts[0]))
        elif endpoint.entity == "fixture" and parts and parts[0].isdigit():
            subject.fixture_ids = {int(parts[0])}
        subject.seasons = query.ids("fixtureSeasons") or set()
        if "seasons/" in path and parts and parts[0].isdigit():
            subject.seasons.add(int(parts[0]))
        for fixture_id in subject.fixture_ids if self.sandbox.faults.pending else ():
            found = self.sandbox.world.find(fixture_id)
            if found is not None:
                subject.seasons.add(found[0].id)
        return subject

    @staticmethod
    def _move_page_back(fault: Fault, query: Query) -> None:
        back = query.per_page if fault.kind == "repeated_page" else int(fault.get("n", 3))
        if query.cursor is not None:
            query.cursor = (max(0, query.cursor[0] - back), -1, query.cursor[2], query.cursor[3])
        elif query.page > 1:
            query.cursor = (max(0, (query.page - 1) * query.per_page - back), -1, query.per_page, query.descending)

    def _ask_another_season(self, fault: Fault, query: Query) -> None:
        if fault.get("all", False):
            del query.filters["fixtureSeasons"]
            return
        seasons = self.sandbox.seasons()
        requested = [season for season in seasons if season.id in (query.ids("fixtureSeasons") or ())]
        leagues = {season.league.id for season in requested}
        others = [season.id for season in seasons if season.league.id in leagues and season not in requested]
        query.filters["fixtureSeasons"] = [str(max(others, default=0))]

    def _too_many(self, entity: str, where: str, seconds: int, quota: int | None = None) -> HttpResponse:
        """A 429 response; `quota` is the number of remaining calls that it reports (None: the real one)."""
        left = self.sandbox.limits.remaining(entity) if quota is None else quota
        body: dict[str, Any] = {
            "message": "You have reached your rate limit" if quota == 0 else "Too Many Attempts.",
            "link": "https://docs.sportmonks.com/football/api/response-codes/other-exceptions",
            "reset_code": f"{zlib.crc32(entity.encode()):032x}",
        }
        headers = self._rate_headers(entity, left)
        if where in ("both", "header"):
            headers.append((b"retry-after", str(seconds).encode()))
        if where in ("both", "body"):
            body["retry_after"] = seconds
        self.sandbox.calls.answers_429[entity] += 1
        response = json_response(429, body, headers)
        response.reports_empty = self.sandbox.limits.used_up(entity)
        return response

    def _rate_headers(self, entity: str, remaining: int) -> list[Header]:
        limit = self.sandbox.limits.limit(entity)
        return [(b"x-ratelimit-limit", str(limit).encode()), (b"x-ratelimit-remaining", str(remaining).encode())]

    async def _replacement(self, fault: Fault, entity: str) -> HttpResponse | None:
        """The response of a fault that replaces the real one; None for every other fault."""
        kind = fault.kind
        if kind == "unauthorized":
            raise ApiError(401, "Unauthenticated.")
        if kind in REFUSING:
            raise ApiError(403, f"You do not have access to the '{fault.get('include', 'lineups')}' include", 5002)
        if kind in ("status", "poison", "season_down"):
            return html_response(int(fault.get("status", 503 if kind == "season_down" else 500)))
        if kind == "rate_limited":
            seconds, left = int(fault.get("seconds", 1)), fault.get("remaining", None)
            return self._too_many(entity, fault.get("where", "both"), seconds, quota=left)
        if kind == "error_200":
            return json_response(200, ERRORS_WITH_200[fault.get("body", "message")])
        if kind == "limited_403":
            seconds = fault.get("seconds", None)
            waits = [] if seconds is None else [(b"retry-after", str(seconds).encode())]
            return json_response(403, {"message": "You have reached your rate limit"}, waits)
        if kind == "missing_page":
            raise ApiError(404, "The requested page does not exist", 5003)
        if kind == "html_200":
            return html_response(200)
        if kind == "hang":
            await asyncio.sleep(float(fault.get("seconds", 60)))
            response = html_response(200)
            response.cut_at = 0.0
            return response
        if kind in ("no_result", "empty_index"):
            return self._envelope(ApiResponse([]), entity)
        if kind == "echo_key" and int(fault.get("status", 500)) != 200:
            return self._echo(fault)
        return None

    def _echo(self, fault: Fault) -> HttpResponse:
        """An error that repeats the key."""
        status, key = int(fault.get("status", 500)), self._written_key(fault)
        link = f"https://user:{key}@example.com/next?api_token={key}&page=2"
        body: dict[str, Any] = {"message": f"The request with Authorization: {key} ({key}) failed.", "link": link}
        if "code" in fault.settings:
            body["code"] = fault.get("code", None)
        body["errors"] = {"token": [f"'{key}' was refused"]}
        headers = [(b"link", f'<{link}>; rel="next"'.encode()), (b"x-request-token", key.encode())]
        if status == 429:
            headers.append((b"retry-after", b"1"))
        if 300 <= status < 400:
            headers.append((b"location", link.encode()))
        return json_response(status, body, headers)

    def _written_key(self, fault: Fault) -> str:
        key = self.sandbox.key
        forms = {
            "upper": key.upper(),
            "percent": quote(key, safe="").replace("-", "%2d"),
            "base64": base64.b64encode(f"user:{key}".encode()).decode(),
        }
        return forms.get(fault.get("form", "raw"), key)

    async def _with_faults(self, applied: list[Fault], api_response: ApiResponse, entity: str) -> HttpResponse:
        by_kind = {fault.kind: fault for fault in applied}
        for fault in applied:
            if fault.kind in ROW_FAULTS and api_response.rows:
                rows = [msgspec.json.decode(row.raw) for row in api_response.rows]
                api_response.rows = [Encoded(encode(row)) for row in self.sandbox.faults.change_rows(fault, rows)]
                if fault.kind == "missing_ids" and api_response.pagination is not None:
                    api_response.pagination["count"] = len(api_response.rows)
        for fault in applied:
            if fault.kind in TEXT_FAULTS and api_response.rows:
                rows = [msgspec.json.decode(row.raw) for row in api_response.rows]
                api_response.rows = [Encoded(row) for row in self.sandbox.faults.write_rows(fault, rows)]
                break  # the rows are no JSON any more
        api_response.as_object = "php_lists" in by_kind and bool(by_kind["php_lists"].get("data", False))
        if "slow" in by_kind:
            await asyncio.sleep(float(by_kind["slow"].get("seconds", 2)))
        if "echo_key" in by_kind and api_response.pagination is not None:
            link = f"https://example.com/next?api_token={self._written_key(by_kind['echo_key'])}"
            api_response.pagination |= {"next_page": f"{link}&page=2"}
        response = self._envelope(api_response, entity, by_kind.get("no_rate_limit"), by_kind.get("wrong_rate_limit"))
        if "echo_key" in by_kind:
            response.headers.append((b"x-request-token", self._written_key(by_kind["echo_key"]).encode()))
        if "cut" in by_kind:
            response.cut_at = float(by_kind["cut"].get("share", 0.5))
        if "content_type" in by_kind:
            response.kind = b"text/html; charset=UTF-8"
        if "truncated_json" in by_kind or "invalid_json" in by_kind:
            raw, _ = response.body(gzip=False)
            half = len(raw) // 2
            response.corrupted = True
            response.pieces = [raw[:half]] if "truncated_json" in by_kind else [raw[:1], b"<!>", raw[1:]]
        return response

    def _envelope(
        self, api_response: ApiResponse, entity: str, silent: Fault | None = None, wrong: Fault | None = None
    ) -> HttpResponse:
        sandbox, variants = self.sandbox, self.sandbox.variants
        remaining = sandbox.limits.remaining(entity) if wrong is None else int(wrong.get("remaining", 999_999))
        meta: Any = []
        if variants["subscription_meta"] == "object":
            meta = {"trial_ends_at": "2020-01-01 00:00:00", "ends_at": "2040-01-01 00:00:00"}
            meta["current_timestamp"] = int(sandbox.now())
        tail: dict[str, Any] = {
            "subscription": [
                {
                    "meta": meta,
                    "plans": [{"plan": "Sandbox Plan", "sport": "Football", "category": "Standard"}],
                    "add_ons": [],
                    "widgets": [],
                }
            ],
        }
        if silent is None:
            tail["rate_limit"] = {
                "resets_in_seconds": sandbox.limits.resets_in(entity),
                "remaining": remaining,
                "requested_entity": entity,
            }
        tail["timezone"] = "UTC"
        headers = [] if silent is not None else self._rate_headers(entity, remaining)
        response = self._shaped(api_response, tail, headers)
        if silent is None and wrong is None:
            response.reports_empty = sandbox.limits.used_up(entity)
        return response

    def _shaped(self, api_response: ApiResponse, tail: dict[str, Any], headers: list[Header]) -> HttpResponse:
        """Rows and tail as one body: a list, a single object or "no result"."""
        variants = self.sandbox.variants
        if not api_response.rows and not (api_response.pagination or {}).get("has_more"):
            kind = "404" if api_response.single and variants["unknown_id"] == "404" else variants["no_result"]
            body = {"message": NO_RESULT, **tail}
            if kind == "empty":
                body = {"data": [], **body}
            return json_response(404 if kind == "404" else 200, body, headers)
        if api_response.pagination is not None:
            tail = {"pagination": api_response.pagination, **tail}
        rest = b"," + encode(tail)[1:]
        if api_response.single:
            return HttpResponse(200, [b'{"data":', api_response.rows[0], rest], headers)
        pieces: list[bytes | Encoded] = []
        for place, row in enumerate(api_response.rows):
            comma = b"," if place else b""
            pieces += [comma + b'"%d":' % (2 * place) if api_response.as_object else comma, row]
        opening, closing = (b"{", b"}") if api_response.as_object else (b"[", b"]")
        return HttpResponse(200, [b'{"data":' + opening, *pieces, closing, rest], headers)
