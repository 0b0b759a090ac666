"""What an endpoint of the API is, and how a request becomes its call: decoded into types, answered as JSON, errors too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, Literal

import msgspec
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pipeline import bus
from pipeline.alert.feedback import FeedbackError
from pipeline.console.desk import Desk
from pipeline.index.errors import RefusedError, RequestError, UnavailableError
from pipeline.index.filters import SearchError
from pipeline.settings import SettingsError

log = structlog.get_logger("console")

PREFIX: Final = "/api/v1"
BODY_BYTES: Final = 2_000_000
"""The largest body of a request: an OPML file of some ten thousand feeds."""

Role = Literal["read", "operate"]


class ApiError(Exception):
    """A request that cannot be answered: the HTTP status, the reason, and the parameter or field to blame."""

    def __init__(self, status: int, message: str, where: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.where = where


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not answered."""

    status: int
    message: str
    where: str = ""


class ProblemAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every answer that is an error."""

    error: Problem


class NoQuery(msgspec.Struct, frozen=True, kw_only=True):
    """No query parameters."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. `read` may look at everything, `operate` may also change rules, feeds and marks.

    `until`: when the log-in of a browser ends; None for a program, and where nobody has to log in.
    """

    name: str = ""
    role: Role = "operate"
    until: dt.datetime | None = None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request, decoded: the parts of its path, its query and body as the endpoint's types, and who asks."""

    path: Mapping[str, str]
    query: Any
    body: Any
    user: User


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the API. `call` runs on a thread, because it may wait for Elasticsearch or Kafka.

    `answer` is the type of the JSON, or None where `call` returns a Response of the media type `media`.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    about: str
    call: Callable[[Desk, Call], Any]
    query: type[msgspec.Struct] = NoQuery
    body: Any = None
    answer: Any = None
    media: tuple[str, ...] = ("application/json",)
    status: int = 200
    role: Role = "read"


def decode_query(pairs: Iterable[tuple[str, str]], kind: type[msgspec.Struct]) -> Any:
    """Return a query string's (name, value) pairs as a Struct. A name may occur several times only if its field is a tuple.

    Raises:
        ApiError: an unknown name, a repeated one, or a value that does not fit.
    """
    several = {field.name: "tuple" in str(field.type) for field in msgspec.structs.fields(kind)}
    table: dict[str, Any] = {}
    for name, value in pairs:
        if name not in several:
            raise ApiError(
                400, f"{name[:100]}: unknown parameter; known here: {', '.join(several) or 'none'}", name[:100]
            )
        if several[name]:
            table.setdefault(name, []).append(value)
        elif name in table:
            raise ApiError(400, f"{name}: given twice", name)
        else:
            table[name] = value
    try:
        return msgspec.convert(table, kind, strict=False)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$.")
        where = path.strip("`").split("[")[0]
        raise ApiError(400, f"{where}: {what}" if where else what, where) from None


def decode_body(raw: bytes, kind: Any) -> Any:
    """Return the body of a request as this type; bytes, and a body of an endpoint that wants none, stay as they are.

    Raises:
        ApiError: it is no JSON, or does not fit.
    """
    if kind is None or kind is bytes:
        return raw
    try:
        return msgspec.json.decode(raw or b"null", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what, _, path = str(error).partition(" - at `$.")
        raise ApiError(400, f"the body: {path.strip('`')} {what}".strip(), path.strip("`")) from None


async def body_of(request: Request) -> bytes:
    """Return the body of a request.

    Raises:
        ApiError: it is larger than BODY_BYTES.
    """
    found = b""
    async for part in request.stream():
        found += part
        if len(found) > BODY_BYTES:
            raise ApiError(413, f"the body is larger than {BODY_BYTES} bytes")
    return found


def _require_role(endpoint: Endpoint, user: User) -> None:
    if endpoint.role == "operate" and user.role != "operate":
        raise ApiError(403, f"{user.name} may read, and this needs the role operate")


def handler(endpoint: Endpoint, desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    """Return the function that answers the requests of an endpoint."""

    async def answer(request: Request) -> Response:
        try:
            _require_role(endpoint, request.scope.get("dateline.user", User()))
            raw = await body_of(request) if endpoint.body is not None else b""
            call = Call(
                path=request.path_params,
                query=decode_query(request.query_params.multi_items(), endpoint.query),
                body=decode_body(raw, endpoint.body),
                user=request.scope.get("dateline.user", User()),
            )
            result = await run_in_threadpool(endpoint.call, desk, call)
        except Exception as error:  # noqa: BLE001 - every error has its answer
            return problem(error)
        if isinstance(result, Response):
            return result
        if endpoint.status == 204:
            return Response(status_code=204)
        return json_answer(result, endpoint.status)

    return answer


def json_answer(value: Any, status: int = 200) -> Response:
    """Return a value as a JSON answer."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


_STATUSES: Final[tuple[tuple[type[Exception], int], ...]] = (
    (SearchError, 400), (SettingsError, 400), (RequestError, 400), (FeedbackError, 404), (UnavailableError, 503),
    (bus.BusError, 503), (RefusedError, 502),
)  # fmt: skip


def problem(error: Exception) -> Response:
    """Return an error as a JSON answer. One that is nobody's fault but ours is logged, and no detail is sent."""
    if isinstance(error, ApiError):
        return json_answer(
            ProblemAnswer(error=Problem(status=error.status, message=str(error), where=error.where)), error.status
        )
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            where = str(error).partition(":")[0] if status == 400 else ""
            found = Problem(status=status, message=str(error), where=where if where.isidentifier() else "")
            return json_answer(ProblemAnswer(error=found), status)
    log.error("request_failed", exc_info=error)
    return json_answer(
        ProblemAnswer(error=Problem(status=500, message="an error of Dateline; its log has the details")), 500
    )
