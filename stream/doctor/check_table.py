"""Every line of `stream doctor`, in the order in which it is printed; docs/operations.md is written from this table."""

from __future__ import annotations

from stream.doctor import (
    broker_checks,
    collector_check,
    group_checks,
    machine_checks,
    memory_check,
    model_checks,
    right_checks,
    schema_checks,
    topic_checks,
    transaction_check,
)
from stream.doctor.examination import Check

__all__ = ["CHECKS"]

CHECKS = (
    Check(
        "configuration",
        "the file or the environment's variables, and librdkafka's properties",
        "fail: the client refuses a property, two topics have one name, or a framing needs a registry and has none",
        broker_checks.configuration,
    ),
    Check(
        "broker",
        "each of `[kafka] bootstrap_servers`: does it take a connection?",
        "fail: none does; warn: some do not",
        broker_checks.servers,
        needs=("configuration",),
    ),
    Check(
        "tls",
        "encryption, and the broker's certificate",
        "fail: only one side speaks TLS, the certificate is not accepted, or what answers is not Kafka; "
        "warn: it expires within 14 days",
        broker_checks.tls,
        needs=("broker",),
    ),
    Check(
        "login",
        "user and password, token or client certificate",
        "fail: the broker does not let this user in, or does not answer",
        broker_checks.login,
        needs=("tls",),
    ),
    Check(
        "version",
        "the broker's release, by the features that it names (patch releases can't be told apart)",
        "warn: 4.3 or 4.4 and exactly-once (KAFKA-20734); a release that was not tested",
        broker_checks.version,
        needs=("tls",),
    ),
    Check(
        "brokers",
        "each broker at the address that the cluster gives out",
        "fail: none can be reached (`advertised.listeners`); warn: some can't",
        broker_checks.brokers,
        needs=("login",),
    ),
    Check(
        "rights input",
        "what this user may do on the input topic",
        "fail: Read is missing; warn: the broker does not tell",
        right_checks.may("input"),
        needs=("login",),
    ),
    Check(
        "rights output",
        "what this user may do on the output topic",
        "fail: Write is missing; warn: the broker does not tell",
        right_checks.may("output"),
        needs=("login",),
    ),
    Check(
        "rights dead letters",
        "what this user may do on the dead-letter topic",
        "fail: Write is missing; warn: the broker does not tell",
        right_checks.may("dead letters"),
        needs=("login",),
    ),
    Check(
        "rights group",
        "what this user may do on the group",
        "fail: Read is missing; warn: the broker does not tell",
        right_checks.may("group"),
        needs=("login",),
    ),
    Check(
        "transactions",
        "a transactional id of the doctor's own, `{group}.stream doctor`, which fences no worker",
        "fail: no coordinator answers, the right on `{group}.…` is missing, or `transaction.timeout.ms` is too long",
        transaction_check.transactions,
        needs=("login",),
    ),
    Check(
        "topic input",
        "leaders, replicas in sync and `min.insync.replicas`, `cleanup.policy`",
        "fail: it is not there, or a partition has no leader; warn: it is compacted, or replicas are missing",
        topic_checks.topic("input"),
        needs=("rights input",),
    ),
    Check(
        "topic output",
        "leaders, replicas in sync and `min.insync.replicas`, `cleanup.policy`, `message.timestamp.type`",
        "fail: it is not there, a partition has no leader, or can't be written to; warn: it is compacted, stamps its "
        "own time, or replicas are missing",
        topic_checks.topic("output"),
        needs=("rights output",),
    ),
    Check(
        "topic dead letters",
        "as the output topic's, and `retention.ms`",
        "fail: as the output topic's, or it is compacted; warn: it keeps letters for less than 3 days",
        topic_checks.topic("dead letters"),
        needs=("rights dead letters",),
    ),
    Check(
        "co-partitioning",
        "the numbers of partitions of input and output",
        "warn: they differ",
        topic_checks.copartitioned,
        needs=("topic input", "topic output"),
    ),
    Check(
        "record sizes",
        "`max.message.bytes` of the input and the dead-letter topic",
        "warn: a record that the input takes may be too large for the dead-letter topic",
        topic_checks.sizes,
        needs=("topic input", "topic dead letters"),
    ),
    Check(
        "group",
        "its members, their `client.id` and topics, and its assignor",
        "fail: a member is no worker of this configuration, uses another assignor, or several are one instance",
        group_checks.group,
        needs=("rights group",),
    ),
    Check(
        "lag",
        "the group's offsets, what the topic still has, and the age of what waits",
        "fail: what is to be read next is gone, or older than `retention.ms`; warn: older than half of it",
        group_checks.lag,
        needs=("topic input", "rights group"),
    ),
    Check(
        "registry",
        "the schema registry, where one is configured",
        "fail: it does not answer, does not let us in, or is none",
        schema_checks.registry,
        needs=("configuration",),
    ),
    Check(
        "signature",
        "the package's manifest, and who signed it",
        "fail: there is no package, its signature is wrong, or missing where it is required; warn: it is missing, and "
        "keys are trusted",
        model_checks.signature,
    ),
    Check(
        "model",
        "the package, opened in a child process: hashes, model, golden rows",
        "fail: a step refuses it; warn: it takes longer than the doctor has",
        model_checks.model,
        needs=("signature",),
    ),
    Check(
        "libraries",
        "versions here and those that the model was packed with",
        "warn: they differ",
        model_checks.libraries,
        needs=("signature",),
    ),
    Check(
        "input schema",
        "the input's newest schema, in the registry or the file, and what the model needs of it",
        "fail: the subject is not there or has another name, or a field is missing; warn: nulls or types that would be "
        "dead letters",
        schema_checks.input_schema,
        needs=("registry", "signature"),
    ),
    Check(
        "prediction schema",
        "the predictions' schema under the output's subject",
        "fail: it is not registered, or not compatible",
        schema_checks.output_schema,
        needs=("registry", "signature"),
    ),
    Check(
        "state folder",
        "the worker's own folder: its owner, its mode, whether it can be written",
        "fail: a worker would refuse it",
        machine_checks.state,
    ),
    Check(
        "disk",
        "room on the state folder's disk",
        "fail: under 1 MiB, or no inode; warn: under 100 MiB, or 5 % if that is less than 10 GiB",
        machine_checks.disk,
    ),
    Check(
        "memory",
        "the most that a worker of these settings takes, with this model, these partitions and brokers",
        "warn: the container, or the machine, lets it take less",
        memory_check.memory,
        needs=("topic input", "signature"),
    ),
    Check(
        "port",
        "`[web] port`: free, or this configuration's own worker answers",
        "fail: something else is there, or another worker",
        machine_checks.port,
    ),
    Check(
        "collector",
        "the OpenTelemetry collector, where `[telemetry]` sends traces or metrics",
        "fail: its address can't be used, or the extra `otel` is missing; warn: it does not answer, or refuses",
        collector_check.collector,
    ),
    Check(
        "clock",
        "this machine's clock and a broker's (by the entry of the transactional id), else the registry's (by `Date`), "
        "else the newest event's",
        "fail: 5 minutes apart; warn: 5 seconds, or nothing told its time",
        machine_checks.clock,
        after=("transactions", "registry"),
    ),
)
"""A check comes after those that it waits for."""
