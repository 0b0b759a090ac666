"""The only importer of elasticsearch: connection, index templates, bulk requests and queries.

Its errors are those of errors.py, never the client's own.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import elasticsearch
import structlog
from elasticsearch import ApiError, Elasticsearch, TransportError

from pipeline.index import actions, templates, wire
from pipeline.index.errors import (
    TEMPORARY_STATUSES,
    RefusedError,
    RequestError,
    UnavailableError,
    lies_with_index,
)
from pipeline.index.index_table import IndexTable, known
from pipeline.settings import Settings

# The client warns of each single failure; the bulk loop logs an outage once a minute.
logging.getLogger("elastic_transport").setLevel(logging.ERROR)

log = structlog.get_logger("index")
T = TypeVar("T")

PROBE_SECONDS: Final = 3.0
"""How often the health monitor asks Elasticsearch, and how long it may take to answer that."""


# --- the connection and the indices ----------------------------------------------------------------------------------


def connect(settings: Settings, **options: Any) -> Elasticsearch:
    """Return a client; nothing is sent yet. It never retries by itself, because its callers know better when to."""
    wanted = settings.elasticsearch
    if wanted.api_key:
        options["api_key"] = wanted.api_key
    elif wanted.username:
        options["basic_auth"] = (wanted.username, wanted.password)
    if wanted.ca_file:
        options["ca_certs"] = str(settings.path(wanted.ca_file))
    return Elasticsearch(
        settings.elasticsearch_url, request_timeout=wanted.request_timeout_seconds, max_retries=0, **options
    )


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Elasticsearch]:
    """Give a client for a few requests and close it afterwards.

    Raises:
        RefusedError, UnavailableError, RequestError: instead of the client's errors, with the address of the server.
    """
    es = connect(settings)
    try:
        with _answers_of(settings):
            yield es
    finally:
        es.close()


@contextlib.contextmanager
def _answers_of(settings: Settings) -> Iterator[None]:
    """Turn the client's errors into ours; where the server does not answer at all, that is all that is said."""
    try:
        with own_errors(f"Elasticsearch at {settings.elasticsearch_url}"):
            yield
    except UnavailableError as error:
        cause = error.__cause__
        silent = isinstance(cause, elasticsearch.ConnectionError) and not isinstance(cause, elasticsearch.SSLError)
        if not silent and not isinstance(cause, elasticsearch.ConnectionTimeout):
            raise
        plain = f"Elasticsearch at {settings.elasticsearch_url} does not answer"
        raise UnavailableError(plain, connection_lost=True) from error


@contextlib.contextmanager
def own_errors(what: str) -> Iterator[None]:
    """Turn the client's errors into ours, with `what` in the message. The client's secret is never in their text."""
    try:
        yield
    except ApiError as error:
        status = error.meta.status
        message = f"{what}: {status} {error}".replace("\n", " ")[:600]
        if _lies_with_index(error):
            raise UnavailableError(message) from error
        if status in (400, 413) and "media_type_header_exception" not in message:
            raise RequestError(message) from error
        if 400 <= status < 500 and status not in TEMPORARY_STATUSES | {409}:
            raise RefusedError(message) from error
        raise UnavailableError(message) from error
    except TransportError as error:
        message = f"{what}: {error.message}".replace("\n", " ")[:600]
        raise UnavailableError(message, connection_lost=True) from error


def _lies_with_index(error: ApiError) -> bool:
    told = error.body.get("error") if isinstance(error.body, Mapping) else None
    return isinstance(told, Mapping) and lies_with_index(str(told.get("type")), str(told.get("reason")))


def set_up(es: Elasticsearch, settings: Settings) -> None:
    """Update the templates, and the mappings of existing indices, to this version of Dateline. Safe to run at any time.

    Mappings are strict, so the index of the current month must learn a field that a new version adds. An index of an earlier
    version of the mapping keeps the types of the fields that it has.

    Raises:
        RefusedError: the server does not allow it, or an existing mapping contradicts ours.
        UnavailableError: the server does not answer.
    """
    prefix = settings.elasticsearch.index_prefix
    for name in actions.INDICES:
        wanted = templates.template(name, settings)
        try:
            with own_errors(f"the indices {actions.pattern(prefix, name)} cannot be set up"):
                es.indices.put_index_template(name=actions.alias(prefix, name), **wanted)
                found = es.indices.get_mapping(index=actions.everywhere(prefix, name)).body
            for index, mapping in templates.updates(found, wanted["template"]["mappings"]):
                with own_errors(f"the mapping of {index} cannot be set up"):
                    es.indices.put_mapping(index=index, **mapping)
        except RequestError as error:
            raise RefusedError(str(error)) from error
    restore_aliases(es, settings)


def restore_aliases(es: Elasticsearch, settings: Settings) -> tuple[str, ...]:
    """Give each index its alias again where it is lost, because a search would not find what is there. Return these indices.

    Raises:
        RefusedError, UnavailableError, RequestError: the server does not allow it, or does not answer.
    """
    prefix, lost = settings.elasticsearch.index_prefix, []
    with own_errors("the aliases cannot be set up"):
        for name in actions.INDICES:
            alias = actions.alias(prefix, name)
            # A replay takes the alias from what it replaces, and gives it to what it writes only at its end.
            meant = (alias, actions.replaced_alias(prefix, name))
            found = es.indices.get_alias(
                index=actions.everywhere(prefix, name), expand_wildcards=["open", "closed"]
            ).body
            without = [
                index
                for index, has in found.items()
                if not any(one in meant or one.startswith(f"{prefix}-r") for one in has.get("aliases", {alias}))
            ]
            if without:
                es.indices.put_alias(index=without, name=alias)
                lost += without
    return tuple(sorted(lost))


def places_of(es: Elasticsearch, settings: Settings) -> IndexTable:
    """Return the indices behind our aliases."""
    prefix = settings.elasticsearch.index_prefix
    answer = es.indices.get_alias(index=f"{prefix}-*", expand_wildcards=["open", "closed"]).body
    return known(
        {
            name: [index for index, has in answer.items() if actions.alias(prefix, name) in has.get("aliases", {})]
            for name in actions.INDICES
        }
    )


def prepare(settings: Settings) -> str:
    """Check the server and set up the indices, as the indexer does at its start; return the server's version.

    Raises:
        RefusedError, UnavailableError: see set_up.
    """
    with opened(settings) as es:
        version = check_server(es)
        set_up(es, settings)
    return version


def check_server(es: Elasticsearch) -> str:
    """Return the server's version, or `unknown` for a user who may write but not look at the cluster.

    Raises:
        RefusedError: its major version is not the client's, or it refuses the log-in.
        UnavailableError: it does not answer.
    """
    try:
        with own_errors("Elasticsearch"):
            nodes = es.nodes.info(metric="plugins", filter_path="nodes.*.version").body.get("nodes", {})
    except RefusedError as error:
        if isinstance(error.__cause__, elasticsearch.AuthorizationException):
            return "unknown"
        raise
    versions = sorted({str(node["version"]) for node in nodes.values()})
    ours = str(elasticsearch.__version__[0])
    for version in versions:
        if version.partition(".")[0] != ours:
            raise RefusedError(f"Elasticsearch is {version}, and this client speaks {ours}.x only")
    return ", ".join(versions) or "unknown"


def probe(es: Elasticsearch, settings: Settings) -> str:
    """Return `ok`, or why Elasticsearch cannot be used now. An alias that is lost is restored."""
    try:
        restored = restore_aliases(es.options(request_timeout=PROBE_SECONDS), settings)
        if restored:
            log.warning("aliases_restored", indices=restored)
    except (RefusedError, UnavailableError, RequestError) as error:
        log.debug("aliases_unknown", error=str(error))  # what follows says what is wrong
    return answers(es)


def answers(es: Elasticsearch) -> str:
    """Return `ok`, or why Elasticsearch cannot be used now."""
    try:
        with own_errors("Elasticsearch"):
            es.options(request_timeout=PROBE_SECONDS).cluster.health(filter_path="status")
    except RefusedError as error:
        may_write = isinstance(error.__cause__, elasticsearch.AuthorizationException)  # but not look at the cluster
        return "ok" if may_write else str(error)
    except (UnavailableError, RequestError) as error:
        return str(error)
    return "ok"


class ElasticsearchServer:
    """Elasticsearch for the bulk loop (`bulk.BulkServer`)."""

    def __init__(self, es: Elasticsearch, settings: Settings) -> None:
        self._es = es
        self._settings = settings

    def prepare(self) -> str:
        """Check the server's version and set up the indices."""
        version = check_server(self._es)
        set_up(self._es, self._settings)
        return version

    def places(self) -> IndexTable:
        """Return the indices behind our aliases."""
        with own_errors("the indices"):
            return places_of(self._es, self._settings)

    def write(self, documents: Sequence[tuple[bytes, bytes]], *, max_records: int) -> Iterator[Mapping[str, Any]]:
        """Send documents in bulk requests and yield the answer for each; requests have at most `bulk_bytes`."""
        # The client's own helper encodes, counts and copies each line once more: a fifth of the indexer's time.
        with own_errors("bulk"):
            for lines in wire.requests(documents, max_records, self._settings.elasticsearch.bulk_bytes):
                for answer in self._es.bulk(operations=lines).body["items"]:  # type: ignore[arg-type]  # encoded already
                    yield next(iter(answer.values()))


# --- queries ---------------------------------------------------------------------------------------------------------


def query(settings: Settings, name: str, **body: Any) -> dict[str, Any]:
    """Return the answer to a search of the alias of `name`. An alias that has no index yet has no hits.

    The search weighs words over all months together; otherwise a hit in a month of few events would have almost no weight.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer the search.
    """

    def search() -> dict[str, Any]:
        with opened(settings) as es:
            answer: dict[str, Any] = es.search(
                index=actions.alias(settings.elasticsearch.index_prefix, name),
                ignore_unavailable=True, allow_no_indices=True, search_type="dfs_query_then_fetch", **body,
            ).body  # fmt: skip
        return answer

    return _retried(search)


class Searcher:
    """Holds one connection for many searches, for the console and the exports. `close` ends it.

    Its methods raise RefusedError, UnavailableError and RequestError.
    """

    def __init__(self, settings: Settings) -> None:
        self._es = connect(settings, serializers={wire.MIME: wire.Json()})
        self._undecoded = connect(settings, serializers={wire.MIME: wire.Undecoded()})
        self._settings = settings

    def close(self) -> None:
        """Close the connection."""
        self._es.close()
        self._undecoded.close()

    def page(self, **body: Any) -> bytes:
        """Return the undecoded answer to a search of a point in time, for whoever decodes only a part of it."""
        return self._ask(lambda: bytes(self._undecoded.search(**body).body))

    def search(self, name: str, **body: Any) -> dict[str, Any]:
        """Return the answer to a search of the alias of `name`, or of the point in time that `body` has as `pit`."""
        where: dict[str, Any] = {} if "pit" in body else {"index": self._alias(name), **_MISSING_IS_EMPTY}
        if "query" in body and body.get("size") != 0 and "_score" in body.get("sort", ("_score",)):
            where["search_type"] = "dfs_query_then_fetch"  # weighs words over all months together
        return self._ask(lambda: dict(self._es.search(**where, **body).body))

    def open_pit(self, name: str, *, keep_seconds: int) -> str:
        """Return the id of a point in time of the alias of `name`; empty if no index of it exists yet."""

        def ask() -> str:
            found = self._es.open_point_in_time(
                index=self._alias(name), keep_alive=f"{keep_seconds}s", ignore_unavailable=True
            )
            return str(found.body["id"])

        return self._ask(ask)

    def close_pit(self, identifier: str) -> None:
        """Free a point in time on the server; it ends by itself too."""
        with contextlib.suppress(RefusedError, UnavailableError, RequestError):
            self._ask(lambda: self._es.close_point_in_time(id=identifier))

    def _alias(self, name: str) -> str:
        return actions.alias(self._settings.elasticsearch.index_prefix, name)

    def _ask(self, ask: Callable[[], T]) -> T:
        def guarded() -> T:
            with _answers_of(self._settings):
                return ask()

        return _retried(guarded)


_MISSING_IS_EMPTY: Final = {"ignore_unavailable": True, "allow_no_indices": True}


def counts(settings: Settings) -> dict[str, int]:
    """Return the number of documents of each alias, after a refresh.

    Raises:
        RefusedError, UnavailableError: Elasticsearch does not answer.
    """

    def count_all() -> dict[str, int]:
        with opened(settings) as es:
            return {alias: count(es, alias) for alias in aliases(settings)}

    return _retried(count_all)


def _retried(ask: Callable[[], T]) -> T:
    """Retry for a second: an index cannot be searched at the moment when the first record of a month creates it."""
    for _ in range(4):
        try:
            return ask()
        except UnavailableError as error:
            if error.connection_lost:
                raise
            time.sleep(0.25)
    return ask()


def latest(settings: Settings, n: int = 10, *, name: str = "events") -> list[dict[str, Any]]:
    """Return the newest documents of an alias, as `_source` with `_id`.

    Events and documents are ordered by when they were first seen, others by `@timestamp`.

    Raises:
        RefusedError, UnavailableError: Elasticsearch does not answer.
    """
    by = {"events": "news.first_seen_at", "documents": "news.first_seen_at"}.get(name, "@timestamp")
    order = [
        {by: {"order": "desc", "unmapped_type": "date"}},
        {"event.id": {"order": "asc", "unmapped_type": "keyword"}},
    ]
    answer = query(settings, name, size=n, sort=order)
    return [{"_id": hit["_id"], **hit["_source"]} for hit in answer["hits"]["hits"]]


def aliases(settings: Settings) -> list[str]:
    """Return the aliases of all indices."""
    return [actions.alias(settings.elasticsearch.index_prefix, name) for name in actions.INDICES]


def count(es: Elasticsearch, indices: str) -> int:
    """Return the number of documents of an alias or of indices (separated by commas), after a refresh."""
    es.indices.refresh(index=indices, ignore_unavailable=True)
    return int(es.count(index=indices, ignore_unavailable=True, allow_no_indices=True).body["count"])
