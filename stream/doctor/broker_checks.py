"""From the configuration to a login: what a client must get past before it can ask a broker anything."""

from __future__ import annotations

import ssl
import threading
import time
from dataclasses import replace
from itertools import combinations

from stream.doctor.case import Case
from stream.doctor.diagnosis import Diagnosis, fail, of_error, ok, warn
from stream.errors import BrokerRefused, Retriable, Stopped
from stream.settings import KafkaSettings
from stream.transport import (
    RELEASES,
    Survey,
    greet,
    knock,
    mechanisms_of,
    principal_of,
    probe_clients,
    reach,
    why_no_connection,
)

__all__ = ["brokers", "configuration", "login", "servers", "tls", "version"]

CONNECT_S = 3.0
"""For all bootstrap servers, tried at once: names looked up and connections made."""

LOGIN_S = 4.0
"""For the first answer behind the login; some milliseconds, by TLS and SCRAM half a second."""

EXPIRES_SOON_S = 14 * 86_400.0

HANGING = ("4.3", "4.4")
"""Releases with KAFKA-20734: docs/guarantees.md, "Hanging transactions"."""

SAFE_REPLICAS = 3


def configuration(case: Case) -> Diagnosis:
    """The file was read; do its parts fit, and does the client take its properties?"""
    settings = case.settings
    probe_clients(settings.kafka, settings.transactional_id(case.host))
    case.survey = Survey(settings.kafka)
    topics = dict(zip(("input", "output", "dead_letters"), settings.topics, strict=True))
    for (one, name), (other, same) in combinations(topics.items(), 2):
        if name == same:
            return fail(
                case.place,
                f"[{one}] topic and [{other}] topic are both {name}: what is written there would be read as "
                "something else",
                "give each a topic of its own",
            )
    for side in ("input", "output"):
        if settings.framing(side) == "confluent" and not settings.schema_registry.url:
            return fail(
                case.place,
                f"[{side}] framing is `confluent`, but there is no registry",
                "set `[schema_registry] url`, or take the framing `single-object`",
            )
    about = f"group {settings.kafka.group}, instance {settings.instance(case.host)}"
    return ok(case.place, f"{about}, {settings.delivery.guarantee}")


def _bootstrap(kafka: KafkaSettings) -> list[str]:
    return [server.strip() for server in kafka.bootstrap_servers.split(",") if server.strip()]


def servers(case: Case) -> Diagnosis:
    """Which bootstrap servers take connections?"""
    about = f"[kafka] bootstrap_servers {case.settings.kafka.bootstrap_servers}"
    found = _reached(_bootstrap(case.settings.kafka))
    case.reached = [server for server, why in found.items() if not why]
    away = "; ".join(f"{server}: {why}" for server, why in found.items() if why)
    if not case.reached:
        step = "start the broker, or correct `[kafka] bootstrap_servers`; from a container, localhost is the container"
        return fail(about, f"no broker answers: {away or 'none is named'}", step)
    if away:
        step = "start it, or take it out of `[kafka] bootstrap_servers`: each client tries it in vain"
        return warn(about, f"{', '.join(case.reached)} takes connections, but {away}", step)
    return ok(about, "takes connections")


def _reached(wanted: list[str]) -> dict[str, str]:
    """Per server why it can't be reached, tried at once: a name's look-up has no time limit of its own."""
    found = dict.fromkeys(
        wanted, f"no answer within {CONNECT_S:g} s: is its name known, is a firewall between?"
    )
    threads = [
        threading.Thread(target=lambda one=one: found.update(reach([one])), daemon=True) for one in wanted
    ]
    for thread in threads:
        thread.start()
    over = time.monotonic() + CONNECT_S
    for thread in threads:
        thread.join(max(0.0, over - time.monotonic()))
    return dict(found)


def tls(case: Case) -> Diagnosis:
    """Do client and listener speak the same, encrypted or not, and do they trust each other?"""
    kafka, server = case.settings.kafka, case.reached[0]
    protocol = str(kafka.properties.get("security.protocol", "plaintext")).upper()
    about = f"{server} by {protocol}"
    try:
        greeting = greet(kafka, server)
    except (OSError, ValueError) as error:
        why = knock(replace(kafka, bootstrap_servers=server))
        if why is not None:
            return of_error(about, why)
        if isinstance(error, ssl.SSLError) or not isinstance(error, OSError):
            return fail(
                about, f"TLS: {error}", "check ssl.ca.location and the certificates in [kafka.properties]"
            )
        words = "says nothing" if isinstance(error, TimeoutError) else why_no_connection(error)
        step = "look at the broker's log and its load, if this is a Kafka broker's port at all"
        return fail(about, f"it takes connections, but then: {words}", step)
    case.greeting = greeting
    if greeting.valid_until is not None:
        days = (greeting.valid_until - time.time()) / 86_400
        if days * 86_400 < EXPIRES_SOON_S:
            return warn(
                about,
                f"the broker's certificate expires in {days:.1f} days",
                "have it renewed before then",
            )
        return ok(about, f"{greeting.tls}, the broker's certificate is valid for {days:.0f} days")
    return ok(about, greeting.tls or "not encrypted, as both want it")


def login(case: Case) -> Diagnosis:
    """Does the broker let this user in?"""
    kafka = case.settings.kafka
    who = principal_of(kafka.properties)
    about = f"as {who}"
    try:
        case.cluster.enter(case.deadline.left_s(LOGIN_S))
    except BrokerRefused as error:
        return of_error(about, error)
    except (Retriable, Stopped) as error:
        return _silent(about, kafka, case.reached[0], error.message)
    return ok(about, f"let in; brokers: {len(case.cluster.brokers)}")


def _silent(about: str, kafka: KafkaSettings, server: str, message: str) -> Diagnosis:
    """No answer to the first question: does the listener wait for a user?"""
    asks = str(kafka.properties.get("security.protocol", "plaintext")).lower().startswith("sasl")
    try:
        offered = () if asks else mechanisms_of(kafka, server)
    except (OSError, ValueError):
        offered = ()
    if offered:
        protocol = (
            "SASL_SSL"
            if "ssl" in str(kafka.properties.get("security.protocol", "")).lower()
            else "SASL_PLAINTEXT"
        )
        return fail(
            about,
            f"{server} asks for a user ({', '.join(offered)}), and this client names none",
            f'set "security.protocol" to "{protocol}", "sasl.mechanism", "sasl.username" and "sasl.password" in '
            "[kafka.properties]",
        )
    return fail(
        about,
        f"{server} does not answer: {message}",
        "look at the broker's log; it may be starting, or stuck",
    )


def version(case: Case) -> Diagnosis:
    """Which release of Kafka is it?"""
    assert case.greeting is not None
    release, settings = case.greeting.release, case.settings
    about = case.reached[0]
    tested = f"this program is tested with {RELEASES[0]} to {RELEASES[-1]}"
    if not release:
        return warn(about, f"it does not say which Kafka it is; {tested}", "compare its version yourself")
    if release not in RELEASES:
        return warn(about, f"Kafka {release}; {tested}", "try it on a copy first, or take a tested release")
    if release in HANGING and settings.delivery.guarantee == "exactly-once":
        return warn(
            about,
            f"Kafka {release} has KAFKA-20734: a transaction can hang once all replicas of a partition were down "
            "together",
            f"give topics, __transaction_state and __consumer_offsets {SAFE_REPLICAS} replicas in different places; "
            'docs/guarantees.md, "Hanging transactions", says how to find and end one',
        )
    return ok(about, f"Kafka {release}")


def brokers(case: Case) -> Diagnosis:
    """Can every broker be reached where the cluster says that it is?"""
    named = case.cluster.brokers
    about = f"all {len(named)} of the cluster" if len(named) > 1 else "the cluster's one"
    found = _reached([broker.server for broker in named])
    away = [f"broker {each.number} at {each.server}: {why}" for each in named if (why := found[each.server])]
    if not away:
        return ok(about, f"reached at {', '.join(found)}")
    step = "start it, or correct its `advertised.listeners`: clients connect to the address that it gives out"
    state = fail if len(away) == len(named) else warn
    return state(about, "; ".join(away), step)
