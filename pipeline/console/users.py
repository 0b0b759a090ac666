"""Users and their roles, and the log-ins of browsers.

The users are in the file that `console.users_file` names. A user's secret is random and long, so that its plain SHA-256 is
enough to keep: it cannot be guessed from the hash. A program sends it as a bearer token, or as the password of basic
authentication. A browser sends it once, in the form of the page, and from then on a signed cookie.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections import OrderedDict
from pathlib import Path
from typing import Annotated, Final

import msgspec
import structlog
from msgspec import Meta

from pipeline.console.api import Role, User
from pipeline.settings import Section, Settings, SettingsError, convert, read_toml
from pipeline.toml import edit as toml_edit
from pipeline.toml.edit import file_stamp

log = structlog.get_logger("console")

SECRET_BYTES: Final = 32
KEY_BYTES: Final = 32
LOGIN_HOURS: Final = 12
"""How long a browser stays logged in: a long day of work."""

ENDED: Final = 10_000
"""How many log-ins that were ended by hand are remembered; the oldest of more have expired long before."""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """What the form of the page sends."""

    name: Annotated[str, Meta(max_length=200)] = ""
    secret: Annotated[str, Meta(min_length=1, max_length=500)]


class _ConsoleUser(Section, frozen=True, kw_only=True):
    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._@-]{1,60}$")]
    secret_sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    role: Role = "read"


class _UsersFile(Section, frozen=True, kw_only=True):
    user: tuple[_ConsoleUser, ...] = ()


class Users:
    """The users of the file `console.users_file`, read again when it changes. Without the file everybody may do everything.

    Raises:
        SettingsError: the file of the users, or `console.session_key_file`, is wrong at the start.
    """

    def __init__(self, settings: Settings) -> None:
        console = settings.console
        self._file = settings.path(console.users_file) if console.users_file else None
        self._stamp: object = None
        self._found: tuple[_ConsoleUser, ...] = ()
        self._ended: OrderedDict[str, None] = OrderedDict()
        key_file = console.session_key_file
        self._key = _key(settings.path(key_file)) if key_file else secrets.token_bytes(KEY_BYTES)
        if self._file is not None:
            self._read(self._file)

    @property
    def needed(self) -> bool:
        """Whether people have to log in."""
        return self._file is not None

    def find(self, name: str | None, secret: str) -> User | None:
        """Return the user with this secret (and name, if one is given), or None. It takes as long for each wrong secret."""
        given = hash_of(secret)
        found = None
        for one in self._users():
            if hmac.compare_digest(one.secret_sha256, given) and name in (None, "", one.name):
                found = User(name=one.name, role=one.role)
        return found

    def begin(self, user: User, now: dt.datetime) -> str:
        """Return the cookie of a new log-in of this user, signed and valid for LOGIN_HOURS."""
        until = int((now + dt.timedelta(hours=LOGIN_HOURS)).timestamp())
        said = f"{user.name}~{until}~{secrets.token_urlsafe(16)}"
        own = next(one for one in self._users() if one.name == user.name)
        return f"{said}~{self._sign(said, own)}"

    def of_cookie(self, cookie: str, now: dt.datetime) -> User | None:
        """Return who logged in with this cookie; None if it is not ours, too old, ended, or the user's secret has changed."""
        said, _, signature = cookie.rpartition("~")
        name, _, rest = said.partition("~")
        own = next((one for one in self._users() if one.name == name), None)
        if own is None or not hmac.compare_digest(signature.encode(), self._sign(said, own).encode()):
            return None
        until = dt.datetime.fromtimestamp(int(rest.partition("~")[0]), dt.UTC)
        return None if until <= now or said in self._ended else User(name=own.name, role=own.role, until=until)

    def end(self, cookie: str) -> None:
        """End a log-in, so that a copy of its cookie is worth nothing."""
        self._ended[cookie.rpartition("~")[0]] = None
        while len(self._ended) > ENDED:
            self._ended.popitem(last=False)

    def _sign(self, said: str, user: _ConsoleUser) -> str:
        """Return the signature of a cookie; the hash of the secret is in it, so that a new secret ends old log-ins."""
        return hmac.new(self._key, f"{said}~{user.secret_sha256}".encode(), "sha256").hexdigest()

    def _users(self) -> tuple[_ConsoleUser, ...]:
        if self._file is not None:
            try:
                if self._stamp != file_stamp(self._file):
                    self._read(self._file)
            except (SettingsError, OSError) as error:
                log.error("users_not_reloaded", error=str(error))  # noqa: TRY400 - the user's error, not ours
        return self._found

    def _read(self, file: Path) -> None:
        table = convert(read_toml(file), _UsersFile, where=str(file))
        self._found, self._stamp = table.user, file_stamp(file)


def _key(file: Path) -> bytes:
    """Return the key that several consoles share.

    Raises:
        SettingsError: the file cannot be read or has too few bytes to be a key.
    """
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"console.session_key_file: {file}: {error.strerror}") from None
    if len(key) < KEY_BYTES:
        raise SettingsError(f"console.session_key_file: {file} has {len(key)} bytes, and a key needs {KEY_BYTES}")
    return key


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
