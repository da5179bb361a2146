"""Kafka: the only room that knows confluent-kafka."""

from stream.transport.client_trial import probe_clients, try_transactions
from stream.transport.clients import client_version
from stream.transport.cluster_survey import (
    GroupView,
    Member,
    Survey,
    TopicLayout,
    reach,
    why_no_connection,
)
from stream.transport.consumer_group import GroupMetadata, group_without_members
from stream.transport.failed_records import Refusal
from stream.transport.greeting import RELEASES, Greeting, greet, mechanisms_of
from stream.transport.group_layout import GroupLayout, GroupWatch
from stream.transport.handshake import knock
from stream.transport.key_partition import partition_of_key
from stream.transport.listener import Listener
from stream.transport.mock import EmbeddedBroker
from stream.transport.outbox import BY_KEY
from stream.transport.permissions import is_secured, principal_of
from stream.transport.properties import WORKER_CLIENT, FetchMemory, fetch_memory
from stream.transport.reader import OffsetRange, Reader, first_and_last
from stream.transport.sink import Sink
from stream.transport.source import Source
from stream.transport.topic_admin import Cluster
from stream.transport.transactions import TransactionalSink
from stream.transport.wanted_topics import TopicState, WantedTopic
from stream.transport.whole_topic import read_whole

__all__ = [
    "BY_KEY",
    "RELEASES",
    "WORKER_CLIENT",
    "Cluster",
    "EmbeddedBroker",
    "FetchMemory",
    "Greeting",
    "GroupLayout",
    "GroupMetadata",
    "GroupView",
    "GroupWatch",
    "Listener",
    "Member",
    "OffsetRange",
    "Reader",
    "Refusal",
    "Sink",
    "Source",
    "Survey",
    "TopicLayout",
    "TopicState",
    "TransactionalSink",
    "WantedTopic",
    "client_version",
    "fetch_memory",
    "first_and_last",
    "greet",
    "group_without_members",
    "is_secured",
    "knock",
    "mechanisms_of",
    "partition_of_key",
    "principal_of",
    "probe_clients",
    "reach",
    "read_whole",
    "try_transactions",
    "why_no_connection",
]
