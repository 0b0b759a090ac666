"""The size of each index and what is wrong with it, for `dateline status`."""

from __future__ import annotations

from typing import Any

from pipeline.index import client
from pipeline.index.errors import RefusedError, RequestError, UnavailableError
from pipeline.settings import Settings


def health(settings: Settings) -> dict[str, Any]:
    """Return whether Elasticsearch answers, the cluster's status, and documents and bytes of each alias. Never raises."""
    try:
        with client.opened(settings) as opened_es:
            es = opened_es.options(request_timeout=client.PROBE_SECONDS)
            status = str(es.cluster.health().body["status"])
            indices = {alias: _size(es, alias) for alias in client.aliases(settings)}
    except (RefusedError, UnavailableError, RequestError) as error:
        return {"reachable": False, "status": "unreachable", "error": str(error), "indices": {}}
    return {"reachable": True, "status": status, "error": "", "indices": indices}


def _size(es: Any, alias: str) -> dict[str, Any]:
    """Return documents, bytes and the problem of an alias; one that cannot be counted does not hide the others."""
    try:
        with client.own_errors(alias):
            states = _states(es, alias)
            closed = [index for index, state in states.items() if state == "close"]
            problem = f"closed: {', '.join(closed)}" if closed else ""
            if len(closed) == len(states):
                return {"documents": 0, "bytes": 0, "problem": problem}
            is_open = ",".join(states.keys() - closed)
            return {"documents": client.count(es, is_open), "bytes": _bytes(es, is_open), "problem": problem}
    except (RefusedError, RequestError) as error:
        return {"documents": 0, "bytes": 0, "problem": str(error)}
    except UnavailableError as error:
        if error.connection_lost:
            raise
        return {"documents": 0, "bytes": 0, "problem": str(error)}


def _states(es: Any, alias: str) -> dict[str, str]:
    """Return whether each index of an alias is `open` or `close`."""
    found = es.cluster.state(
        metric="metadata", index=alias, ignore_unavailable=True, allow_no_indices=True,
        expand_wildcards=["open", "closed"], filter_path="metadata.indices.*.state",
    ).body  # fmt: skip
    return {index: str(one["state"]) for index, one in found.get("metadata", {}).get("indices", {}).items()}


def _bytes(es: Any, indices: str) -> int:
    stats = es.indices.stats(index=indices, metric="store", filter_path="_all.total.store.size_in_bytes").body
    return int(stats.get("_all", {}).get("total", {}).get("store", {}).get("size_in_bytes", 0))
