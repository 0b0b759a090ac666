"""Who may do what: log-ins and log-outs, limits of requests, checks against other sites, headers, and the audit log."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import ipaddress
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.console import api
from pipeline.console.api import PREFIX, ApiError, Endpoint, User, problem
from pipeline.console.users import LOGIN_HOURS, Login, Users
from pipeline.settings import Console, Settings, SettingsError

log = structlog.get_logger("console")

LOCAL_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
HEALTH_PATHS: Final = frozenset({"/healthz", "/readyz"})
LOGIN_PATH: Final = f"{PREFIX}/login"
LOGIN: Final = (
    Endpoint(
        method="POST",
        path="/login",
        about="Log a browser in: the answer sets a cookie.",
        call=lambda _desk, _call: None,
        body=Login,
        status=204,
    ),
    Endpoint(method="DELETE", path="/login", about="Log a browser out.", call=lambda _desk, _call: None, status=204),
)
"""Their description; the guard answers them itself, before it knows who asks."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
WRONG_SECRETS: Final = 10
"""After so many wrong secrets in a minute an address has to wait."""

ADDRESSES: Final = 10_000
"""How many addresses and users the limits remember."""


def is_local(host: str) -> bool:
    """Return whether a server at this address can only be reached from this machine."""
    if host in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_safe(settings: Settings) -> None:
    """Check that a console which other machines can reach has users, and TLS or a proxy that adds it.

    Raises:
        SettingsError: it has not, or the file of the users is wrong; the message says which option to set.
    """
    console = settings.console
    if bool(console.certificate_file) != bool(console.key_file):
        raise SettingsError("console.certificate_file and console.key_file: give both or neither")
    for name in ("certificate_file", "key_file"):
        file = getattr(console, name)
        if file and not settings.path(file).is_file():
            raise SettingsError(f"console.{name}: {settings.path(file)} is no file")
    Users(settings)
    if is_local(console.host):
        return
    if not console.users_file:
        raise SettingsError(
            f"console.host: {console.host} can be reached from other machines, so set console.users_file "
            "(`dateline user NAME` makes a user)"
        )
    if not console.certificate_file and not console.behind_proxy:
        raise SettingsError(
            f"console.host: {console.host} can be reached from other machines, so set console.certificate_file and "
            "console.key_file, or console.behind_proxy if a proxy adds TLS"
        )


class _Limits:
    """So many requests a minute for each caller; a bucket that fills evenly."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str, now: float) -> float:
        """Count a request; return 0, or the seconds to wait."""
        left, at = self._left.pop(who, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - at) * self._per_minute / 60)
        wait = 0.0 if left >= 1 else (1 - left) * 60 / self._per_minute
        self._left[who] = (left if wait else left - 1, now)
        while len(self._left) > ADDRESSES:
            self._left.popitem(last=False)
        return wait

    def left(self, who: str, now: float) -> bool:
        """Return whether a request would be allowed, without counting it."""
        left, at = self._left.get(who, (float(self._per_minute), now))
        return left + (now - at) * self._per_minute / 60 >= 1


class Audit:
    """Appends a JSON line for each change that somebody asks for and each wrong secret: when, who, from where, what, status."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def write(self, **what: Any) -> None:
        """Append a line. An operator's change is not refused because the log cannot be written; the error is logged."""
        line = msgspec.json.encode({"at": dt.datetime.now(dt.UTC), **what}) + b"\n"
        try:
            with self._lock:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                with self._file.open("ab") as stream:
                    stream.write(line)
        except OSError as error:
            log.error("audit_not_written", error=str(error))  # noqa: TRY400 - the disk's error, not ours


class _WrongSecretError(ApiError):
    """Somebody named a secret that no user has, or not this user."""


class Guard:
    """The application behind these checks: the Host header, the user, the limits, and requests of other sites.

    The files of the page need no log-in, because they hold nothing of the service: the page itself asks for the secret.
    """

    def __init__(self, app: ASGIApp, settings: Settings, audit: Audit) -> None:
        self._app = app
        self._console: Console = settings.console
        self._users = Users(settings)
        self._requests = _Limits(settings.console.requests_per_minute)
        self._wrong = _Limits(WRONG_SECRETS)
        self._audit = audit
        self._hosts = LOCAL_NAMES | {settings.console.host} | set(settings.console.allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it; a change is in the audit log either way, and so is a wrong secret."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0
        wrong_secret = False

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, scope["path"])
            await send(message)

        address, app = (scope.get("client") or ("", 0))[0], self._app
        try:
            scope["dateline.user"] = self._allowed(scope, address)
            if scope["path"] == LOGIN_PATH and scope["method"] in ("POST", "DELETE"):
                app = await self._log_in_or_out(scope, receive, address)
        except _WrongSecretError as error:
            app, wrong_secret = _refusal(error, scope), True
        except ApiError as error:
            app = _refusal(error, scope)
        await app(scope, receive, sending)
        if wrong_secret or scope["method"] not in SAFE_METHODS:
            user: User = scope.get("dateline.user", User())
            query = scope.get("query_string", b"").decode("latin-1")[:500]
            self._audit.write(
                user=user.name, address=address, method=scope["method"], path=scope["path"], query=query, status=status
            )

    def _allowed(self, scope: Scope, address: str) -> User:
        """Return who asks, if the request is allowed.

        Raises:
            ApiError: it is not.
        """
        headers, path = Headers(scope=scope), scope["path"]
        self._require_host(headers)
        if path in HEALTH_PATHS:
            return User(role="read")
        nobody = path == LOGIN_PATH or not path.startswith("/api/")
        user = (self._of_cookie(headers) or User(role="read")) if nobody else self._user(headers, address)
        self._require_rate(user.name or address)
        if scope["method"] not in SAFE_METHODS:
            _require_own_site(headers)
        return user

    async def _log_in_or_out(self, scope: Scope, receive: Receive, address: str) -> ASGIApp:
        """Return the answer to a log-in or a log-out.

        Raises:
            ApiError: the secret is wrong, or the body is no log-in.
        """
        headers, answer = Headers(scope=scope), Response(status_code=204)
        secure = scope["scheme"] == "https" or not is_local(_host_name(headers))
        cookie, lasts = "", 0
        if scope["method"] == "DELETE":
            self._users.end(_cookie(headers))
        else:
            given: Login = api.decode_body(await api.body_of(Request(scope, receive)), Login)
            user = self._checked(given.name, given.secret, address)
            scope["dateline.user"] = user
            cookie, lasts = self._users.begin(user, _now()), LOGIN_HOURS * 3600
        name = _SECURE_COOKIE if secure else _COOKIE
        answer.set_cookie(name, cookie, max_age=lasts, path="/", secure=secure, httponly=True, samesite="strict")
        return answer

    def _require_host(self, headers: Headers) -> None:
        """Refuse a Host header with another name: a page of another site could otherwise reach this server by its own name."""
        name = _host_name(headers)
        if name not in self._hosts and "*" not in self._hosts:
            raise ApiError(403, f"Host: {name[:100]!r} is not a name of this server (console.allowed_hosts)")

    def _user(self, headers: Headers, address: str) -> User:
        if not self._users.needed:
            return User()
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._checked(None, given.strip(), address)
        if kind.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(given, validate=True).decode("utf-8").partition(":")
            except (binascii.Error, UnicodeDecodeError):
                name, secret = "", ""
            return self._checked(name, secret, address)
        user = self._of_cookie(headers)
        if user is None:
            raise ApiError(401, "log in: a user's name and secret, or the secret as a bearer token")
        return user

    def _of_cookie(self, headers: Headers) -> User | None:
        return self._users.of_cookie(_cookie(headers), _now())

    def _checked(self, name: str | None, secret: str, address: str) -> User:
        """Return the user with this secret. So many wrong ones a minute may come from an address; then even right ones wait.

        Raises:
            ApiError: there is none, or the address has to wait.
        """
        if not self._users.needed:
            raise ApiError(404, "nobody has to log in here: console.users_file names no users")
        now = time.monotonic()
        if not self._wrong.left(address, now):
            raise ApiError(429, "too many wrong secrets from this address; wait a minute", "60")
        found = self._users.find(name, secret) if secret else None
        if found is None:
            self._wrong.take(address, now)
            raise _WrongSecretError(401, "the name or the secret is wrong")
        return found

    def _require_rate(self, who: str) -> None:
        wait = self._requests.take(who, time.monotonic())
        if wait:
            raise ApiError(
                429, f"more than {self._console.requests_per_minute} requests in a minute", str(int(wait) + 1)
            )


_COOKIE: Final = "dateline"
_SECURE_COOKIE: Final = "__Host-dateline"
"""Over TLS: by this name a browser knows that no other host, and no page without TLS, has set it."""


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _cookie(headers: Headers) -> str:
    found = cookie_parser(headers.get("cookie", ""))
    return found.get(_SECURE_COOKIE) or found.get(_COOKIE, "")


def _host_name(headers: Headers) -> str:
    host = headers.get("host", "")
    return (host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]).lower()


def _add_headers(message: Message, path: str) -> None:
    found = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        found.setdefault(name, value)
    if path.startswith("/api/"):
        found.setdefault("Cache-Control", "no-store")


def _refusal(error: ApiError, scope: Scope) -> ASGIApp:
    answer = problem(error)
    if error.status == 401 and "sec-fetch-mode" not in Headers(
        scope=scope
    ):  # a browser would ask with a box of its own
        answer.headers["WWW-Authenticate"] = 'Basic realm="Dateline", charset="UTF-8"'
    if error.status == 429:
        answer.headers["Retry-After"] = error.where
    return answer


def _require_own_site(headers: Headers) -> None:
    """Refuse a change that a page of another site caused: it cannot set this header, nor hide where it comes from."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ApiError(403, "the request comes from another site")
    if headers.get("x-dateline") != "1":
        raise ApiError(403, "a change needs the header X-Dateline: 1")
