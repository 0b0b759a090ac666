"""Kafka outside Faust: topics, publishing, reading, consumer groups, lag. The only importer of kafka.

Delivery is at least once everywhere. The collector writes its articles and its feed state in one transaction, and every
consumer here reads committed records only. So a collector that dies in the middle of a poll leaves nothing half written.
"""

from pipeline.bus.broker import BrokerWatch
from pipeline.bus.cluster import Disk, KafkaCluster, cluster
from pipeline.bus.codecs import CodecError, missing_codecs, require_codecs
from pipeline.bus.create import create_topics, update_topics, wait_for_topics
from pipeline.bus.group import Progress, consume, leave, member_name
from pipeline.bus.lag import Lag, Observer, lags
from pipeline.bus.publish import PatientPublisher, Publisher
from pipeline.bus.read import follow, read_all, read_one, removed_before, tail
from pipeline.bus.rights import grant
from pipeline.bus.share import Member, Partitions, ReplacedError, partitions_of
from pipeline.bus.topics import (
    ALERTS,
    ARTICLES,
    BACKFILL,
    BACKFILL_GROUP,
    BRIEFS,
    COLLECTOR_GROUP,
    DOCUMENTS,
    EVENTS,
    FEEDBACK,
    FEEDS,
    GROUP_PREFIX,
    INDEXER_GROUP,
    MESSAGE_BYTES,
    NOTIFIER_GROUP,
    QUARANTINE,
    QUARANTINE_BYTES,
    READS,
    STORIES,
    TOPICS,
    WORKER_GROUP,
    BusError,
    Message,
    RecordSizeError,
    TopicError,
    forget_group,
    reset,
)

__all__ = [
    "ALERTS",
    "ARTICLES",
    "BACKFILL",
    "BACKFILL_GROUP",
    "BRIEFS",
    "COLLECTOR_GROUP",
    "DOCUMENTS",
    "EVENTS",
    "FEEDBACK",
    "FEEDS",
    "GROUP_PREFIX",
    "INDEXER_GROUP",
    "MESSAGE_BYTES",
    "NOTIFIER_GROUP",
    "QUARANTINE",
    "QUARANTINE_BYTES",
    "READS",
    "STORIES",
    "TOPICS",
    "WORKER_GROUP",
    "BrokerWatch",
    "BusError",
    "CodecError",
    "Disk",
    "KafkaCluster",
    "Lag",
    "Member",
    "Message",
    "Observer",
    "Partitions",
    "PatientPublisher",
    "Progress",
    "Publisher",
    "RecordSizeError",
    "ReplacedError",
    "TopicError",
    "cluster",
    "consume",
    "create_topics",
    "follow",
    "forget_group",
    "grant",
    "lags",
    "leave",
    "member_name",
    "missing_codecs",
    "partitions_of",
    "read_all",
    "read_one",
    "removed_before",
    "require_codecs",
    "reset",
    "tail",
    "update_topics",
    "wait_for_topics",
]
