"""This machine: the worker's folder and its disk, its port, its clock."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from stream.app import claim_address
from stream.doctor.case import Case
from stream.doctor.diagnosis import Diagnosis, fail, ok, waiting, warn
from stream.errors import Retriable, SettingsError, Stopped
from stream.tasks import statuses
from stream.worker import NOTE, check_own, state_folder

__all__ = ["clock", "disk", "port", "state"]

FULL_BYTES = 128 * 1024
"""The worker's note takes 64 KiB; a file system needs a little for itself."""

LITTLE_BYTES, LITTLE_SHARE = 100 * 1024 * 1024, 0.05

HALF = 0.5
"""Of a small volume of its own, such as a pod's in memory, where a hundred megabytes are never free."""

PLENTY_BYTES = 10 * 1024**3
"""However small a part of the disk that is."""

OFF_S, FAR_OFF_S = 5.0, 300.0
"""Machines that ask a time server differ by milliseconds; Kerberos and many tokens are refused beyond five minutes."""

DATE_S = 1.0
"""A `Date` header has whole seconds."""

OWN_TOPIC = "__transaction_state"
"""Kafka's own list of transactional ids; brokers write their time into it."""


def state(case: Case) -> Diagnosis:
    """Could the worker keep its note?"""
    folder = state_folder(case.settings, case.host)
    about = f"[delivery] state {folder}"
    try:
        check_own(folder, NOTE)
    except SettingsError as error:
        return fail(about, error.message, error.hint)
    except OSError as error:
        named = f"{error.strerror}: {error.filename}" if error.filename else str(error)
        step = (
            "let this user write there, or name another folder: `[delivery] state`, or STREAM_DELIVERY__STATE"
        )
        return fail(about, f"can't be used: {named}", step)
    there = "is there, and this user's alone" if folder.exists() else "is created at the worker's start"
    return ok(about, there)


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.absolute().parents) if place.is_dir())


def disk(case: Case) -> Diagnosis:
    """Is there room for what the worker writes?"""
    folder = _existing(state_folder(case.settings, case.host))
    about = str(folder)
    usage = shutil.disk_usage(folder)
    left = f"{usage.free / 1024**2:,.1f} of {usage.total / 1024**2:,.0f} MiB are free"
    step = "make room, or name a folder on another disk: `[delivery] state`"
    if os.name == "posix" and (files := os.statvfs(folder)).f_files and not files.f_favail:
        return fail(about, "no file can be created: the disk has no inode left", step)
    if usage.free < FULL_BYTES:
        return fail(about, f"{left}: the worker's note takes 64 KiB, and could not be made", step)
    little = min(LITTLE_BYTES, HALF * usage.total)
    if usage.free < little or usage.free < min(LITTLE_SHARE * usage.total, PLENTY_BYTES):
        return warn(about, f"nearly full: {left}", step)
    return ok(about, left)


def port(case: Case) -> Diagnosis:
    """Is the worker's port free, or a worker of this configuration there?"""
    web, settings = case.settings.web, case.settings
    about = f"[web] {web.host}:{web.port}"
    try:
        claim_address("[web] port", web.host, web.port, "").close()
    except SettingsError as error:
        free = error.message
    else:
        return ok(about, "free")
    answers, silent = statuses(settings)
    step = "choose another with STREAM_WEB__PORT, or stop what listens there"
    if not answers:
        return fail(
            about,
            f"{free}; what is there is no worker that answers ({'; '.join(each.reason for each in silent)})",
            step,
        )
    [found] = answers
    own = found.get("group") == settings.kafka.group and found.get("instance") == settings.instance(case.host)
    who = f"worker {found.get('instance')} of group {found.get('group')}, {found.get('state')}"
    if own:
        case.worker = found
        return ok(about, f"taken by this configuration's own {who}")
    return fail(about, f"taken by another {who}", step)


def clock(case: Case) -> Diagnosis:
    """This machine's clock ↔ a broker's, else the registry's, else the newest event's."""
    found = list(_others(case))
    if not found and case.registry is None and (case.survey is None or not case.survey.brokers):
        return waiting("login", "neither a broker nor a registry answers")
    if not found:
        step = "run the doctor as a user who may Describe the topic __transaction_state, or see `timedatectl` here"
        return warn("this machine's", "nothing that could be asked told its time", step)
    whose, skew_s = found[0]
    about = f"by {whose}"
    if abs(skew_s) < OFF_S:
        return ok(about, f"within {max(abs(skew_s), 0.1):.1f} s")
    way = "behind" if skew_s > 0 else "ahead"
    words = f"this machine is {abs(skew_s):,.0f} s {way}"
    step = "let this machine and that one ask a time server (`timedatectl`, chrony)"
    return (fail if abs(skew_s) >= FAR_OFF_S else warn)(about, words, step)


def _others(case: Case) -> Iterator[tuple[str, float]]:
    """Whose clock, and by how many seconds it is ahead of this one; the best first."""
    if case.trial_s is not None and (skew := _broker_skew(case, case.trial_s)) is not None:
        yield "the brokers", skew
    if case.registry is not None and (date := case.registry.skew_s) is not None:
        yield "the schema registry", 0.0 if abs(date) <= DATE_S else date
    if case.survey is not None and (newest := _newest(case)) is not None and newest > OFF_S:
        # An event from the past tells nothing; one from the future does.
        yield f"the newest event of {case.settings.input.topic}", newest


def _broker_skew(case: Case, begun_s: float) -> float | None:
    """The transactional id that was just taken was noted with a broker's time."""
    try:
        case.cluster.refresh()
        newest = case.cluster.newest_ms(OWN_TOPIC)
    except (Retriable, Stopped):
        return None
    if newest is None:
        return None
    noted, now = newest / 1_000, time.time()
    return noted - begun_s if noted < begun_s else max(0.0, noted - now)


def _newest(case: Case) -> float | None:
    try:
        newest = case.cluster.newest_ms(case.settings.input.topic)
    except (Retriable, Stopped):
        return None
    return None if newest is None else newest / 1_000 - time.time()
