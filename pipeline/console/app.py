"""The API and the page as one ASGI application."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from pipeline.console import (
    api,
    export_endpoints,
    feed_endpoints,
    figure_endpoints,
    item_endpoints,
    openapi,
    rule_endpoints,
    search_endpoints,
    service_endpoints,
)
from pipeline.console.access import LOGIN, Audit, Guard
from pipeline.console.api import PREFIX, ApiError, Endpoint, json_answer, problem
from pipeline.console.desk import Desk
from pipeline.console.live import Live, LiveQuery
from pipeline.index import export
from pipeline.settings import Settings

STATIC: Final = Path(__file__).parent / "static"
INDEX_PAGE: Final = STATIC / "index.html"

LIVE: Final = Endpoint(
    method="GET", path="/live", about="New records as server-sent events.", call=lambda _desk, _call: None,
    query=LiveQuery, media=("text/event-stream",),
)  # fmt: skip
ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *service_endpoints.ENDPOINTS,
    *figure_endpoints.ENDPOINTS,
    *export_endpoints.ENDPOINTS,
    *rule_endpoints.ENDPOINTS,
    *feed_endpoints.ENDPOINTS,
    *search_endpoints.ENDPOINTS,
    *item_endpoints.ENDPOINTS,
)


@cache
def description() -> bytes:
    """Return the OpenAPI document of the API."""
    return msgspec.json.encode(openapi.describe((*ENDPOINTS, *LOGIN, LIVE)))


def build(settings: Settings, *, live: Live | None = None) -> Starlette:
    """Return the application; `live` is started and stopped with it."""
    desk, live = Desk(settings), live or Live(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        live.start()
        try:
            yield
        finally:
            live.stop()
            desk.close()

    routes: list[BaseRoute] = [
        Route(f"{PREFIX}/openapi.json", _described, methods=["GET"]),
        Route(f"{PREFIX}/live", _listener(live), methods=["GET"]),
        *_api_routes(desk),
        Route("/healthz", _healthy, methods=["GET"]),
        Route("/readyz", _healthy, methods=["GET"]),
        Route("/api/{rest:path}", _unknown),
        Mount("/static", _Static(directory=STATIC, check_dir=False)),
        Route("/{rest:path}", _page, methods=["GET"]),
    ]
    audit = Audit(settings.path(settings.console.audit_file) if settings.console.audit_file else _audit_file(settings))
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(Guard, settings=settings, audit=audit), Middleware(GZipMiddleware, **_COMPRESSION)],
        exception_handlers={HTTPException: _http_problem},
    )


_COMPRESSION: Final[dict[str, Any]] = {
    "minimum_size": 1000,
    "compresslevel": 3,  # a row of CSV takes 5 us; 20 us at level 9, which makes it a sixth smaller
    "exclude_content_types": (*DEFAULT_EXCLUDED_CONTENT_TYPES, export.MEDIA["parquet"]),  # it is compressed already
}


def _audit_file(settings: Settings) -> Path:
    return settings.data_dir / "logs" / "audit.jsonl"


def _api_routes(desk: Desk) -> list[BaseRoute]:
    """Return a route for each path; fixed paths are before those with a part that varies."""
    by_path: dict[str, list[Endpoint]] = {}
    for endpoint in ENDPOINTS:
        by_path.setdefault(endpoint.path, []).append(endpoint)
    paths = sorted(by_path, key=lambda path: path.count("{"))
    return [
        Route(PREFIX + path, api.handler(endpoint, desk), methods=[endpoint.method])
        for path in paths
        for endpoint in by_path[path]
    ]


async def _described(_request: Request) -> Response:
    return Response(description(), media_type="application/json")


def _listener(live: Live) -> Any:
    async def listen(request: Request) -> Response:
        try:
            asked = api.decode_query(request.query_params.multi_items(), LiveQuery)
            if live.full:
                raise ApiError(429, "too many listeners", "60")  # noqa: TRY301 - answered like every other error
        except ApiError as error:
            return problem(error)
        return StreamingResponse(
            live.listen(frozenset(asked.resource)),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    return listen


async def _healthy(_request: Request) -> Response:
    return json_answer({"ok": True})


async def _unknown(request: Request) -> Response:
    return problem(ApiError(404, f"{request.url.path}: there is no such endpoint; {PREFIX}/openapi.json lists them"))


class _Static(StaticFiles):
    """Files of the page; browsers ask each time whether they changed, so that a new version is used at once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a file with the header that makes browsers ask again."""
        found = super().file_response(*args, **kwargs)
        found.headers["Cache-Control"] = "no-cache"
        return found


async def _page(_request: Request) -> Response:
    return FileResponse(INDEX_PAGE, headers={"Cache-Control": "no-cache"})


async def _http_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = problem(ApiError(error.status_code, str(error.detail)))
    answer.headers.update(error.headers or {})
    return answer
