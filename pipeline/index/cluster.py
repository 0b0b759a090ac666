"""The state of the Elasticsearch cluster: its status, shards without a node, and the nodes' disks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline import bus
from pipeline.index import client
from pipeline.settings import Settings

STATUSES: Final = ("green", "yellow", "red")
"""All is there; a replica is missing; data is missing."""


@dataclass(frozen=True, slots=True)
class ElasticsearchCluster:
    """The status (one of STATUSES), the shards with and without a node, the number of nodes, and their disks."""

    status: str
    active_shards: int
    unassigned_shards: int
    nodes: int
    disks: tuple[bus.Disk, ...]


def cluster(settings: Settings) -> ElasticsearchCluster:
    """Return the state of the cluster as it is now.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer, or does not allow it.
    """
    with client.opened(settings) as es:
        health = es.cluster.health().body
        stats = es.nodes.stats(metric="fs", filter_path="nodes.*.name,nodes.*.fs.total").body.get("nodes", {})
    totals = ((node, node.get("fs", {}).get("total", {})) for node in stats.values())
    return ElasticsearchCluster(
        status=str(health["status"]),
        active_shards=int(health["active_shards"]),
        unassigned_shards=int(health["unassigned_shards"]),
        nodes=int(health["number_of_nodes"]),
        disks=tuple(
            bus.Disk(str(node["name"]), int(total["available_in_bytes"]), int(total["total_in_bytes"]))
            for node, total in totals
            if total.get("total_in_bytes", 0) > 0
        ),
    )
