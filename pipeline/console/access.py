"""Who may do what: users and roles, limits of requests, checks against other sites, headers, and the audit log.

The users are in the file that `console.users_file` names. A user's secret is random and long, so that its plain SHA-256 is
enough to keep: it cannot be guessed from the hash. It is sent as a bearer token, or as the password of basic authentication.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import structlog
from msgspec import Meta
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.console.api import ApiError, Role, User, problem
from pipeline.settings import Console, Section, Settings, SettingsError, convert, read_toml
from pipeline.toml import edit as toml_edit
from pipeline.toml.edit import file_stamp

log = structlog.get_logger("console")

SECRET_BYTES: Final = 32
LOCAL_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})
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


class _ConsoleUser(Section, frozen=True, kw_only=True):
    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._@-]{1,60}$")]
    secret_sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    role: Role = "read"


class _UsersFile(Section, frozen=True, kw_only=True):
    user: tuple[_ConsoleUser, ...] = ()


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


class Users:
    """The users of the file `console.users_file`, read again when it changes. Without the file everybody may do everything.

    Raises:
        SettingsError: the file is wrong at the start.
    """

    def __init__(self, settings: Settings) -> None:
        self._file = settings.path(settings.console.users_file) if settings.console.users_file else None
        self._stamp: object = None
        self._found: tuple[_ConsoleUser, ...] = ()
        if self._file is not None:
            self._read(self._file)

    @property
    def needed(self) -> bool:
        """Whether people have to log in."""
        return self._file is not None

    def find(self, name: str | None, secret: str) -> User | None:
        """Return the user with this secret (and name, if one is given), or None. It takes as long for each wrong secret."""
        if self._file is not None:
            try:
                if self._stamp != file_stamp(self._file):
                    self._read(self._file)
            except (SettingsError, OSError) as error:
                log.error("users_not_reloaded", error=str(error))  # noqa: TRY400 - the user's error, not ours
        given = hash_of(secret)
        found = None
        for one in self._found:
            if hmac.compare_digest(one.secret_sha256, given) and name in (None, "", one.name):
                found = User(name=one.name, role=one.role)
        return found

    def _read(self, file: Path) -> None:
        table = convert(read_toml(file), _UsersFile, where=str(file))
        self._found, self._stamp = table.user, file_stamp(file)


def hash_of(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_user(name: str, role: Role) -> tuple[str, str]:
    """Return a new secret, and the lines for the file of the users."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    return secret, f'[[user]]\nname = "{name}"\nrole = "{role}"\nsecret_sha256 = "{hash_of(secret)}"\n'


def add_user(file: Path, name: str, role: Role) -> str:
    """Add a user to a file, which is made if it is missing, and return the secret.

    Raises:
        SettingsError: the name is taken or cannot be one, or the file is wrong.
        OSError: the file cannot be written.
    """
    known = convert(read_toml(file), _UsersFile, where=str(file)).user if file.exists() else ()
    if name in {one.name for one in known}:
        raise SettingsError(f"{file}: there is a user {name!r} already")
    secret, block = new_user(name, role)
    file.touch(mode=0o600)
    toml_edit.append(file, block, check=lambda draft: convert(read_toml(draft), _UsersFile, where=str(file)))
    file.chmod(0o600)
    return secret


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
    """The application behind these checks: the Host header, the user, the limits, and requests of other sites."""

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
        except _WrongSecretError as error:
            app, wrong_secret = _refusal(error), True
        except ApiError as error:
            app = _refusal(error)
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
        headers = Headers(scope=scope)
        self._require_host(headers)
        if scope["path"] in OPEN_PATHS:
            return User(role="read")
        user = self._user(headers, address)
        self._require_rate(user.name or address)
        if scope["method"] not in SAFE_METHODS:
            _require_own_site(headers)
        return user

    def _require_host(self, headers: Headers) -> None:
        """Refuse a Host header with another name: a page of another site could otherwise reach this server by its own name."""
        host = headers.get("host", "")
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        if name.lower() not in self._hosts and "*" not in self._hosts:
            raise ApiError(403, f"Host: {name[:100]!r} is not a name of this server (console.allowed_hosts)")

    def _user(self, headers: Headers, address: str) -> User:
        if not self._users.needed:
            return User()
        now = time.monotonic()
        if not self._wrong.left(address, now):
            raise ApiError(429, "too many wrong secrets from this address; wait a minute", "60")
        kind, _, given = headers.get("authorization", "").partition(" ")
        name, secret = None, ""
        if kind.lower() == "bearer":
            secret = given.strip()
        elif kind.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(given, validate=True).decode("utf-8").partition(":")
            except (binascii.Error, UnicodeDecodeError):
                secret = ""
        if secret:
            found = self._users.find(name, secret)
            if found is not None:
                return found
            self._wrong.take(address, now)
            raise _WrongSecretError(401, "the name or the secret is wrong")
        raise ApiError(401, "log in: a user's name and secret, or the secret as a bearer token")

    def _require_rate(self, who: str) -> None:
        wait = self._requests.take(who, time.monotonic())
        if wait:
            raise ApiError(
                429, f"more than {self._console.requests_per_minute} requests in a minute", str(int(wait) + 1)
            )


def _add_headers(message: Message, path: str) -> None:
    found = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        found.setdefault(name, value)
    if path.startswith("/api/"):
        found.setdefault("Cache-Control", "no-store")


def _refusal(error: ApiError) -> ASGIApp:
    answer = problem(error)
    if error.status == 401:
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
