"""The model package: whose it is, whether it opens, and with which libraries it was made."""

from __future__ import annotations

import time
from dataclasses import replace
from importlib.metadata import version

from stream.doctor.case import Case
from stream.doctor.diagnosis import Diagnosis, fail, ok, warn
from stream.errors import PackageError, Retriable
from stream.settings import Seconds

__all__ = ["libraries", "model", "signature"]


def signature(case: Case) -> Diagnosis:
    """Is there a package, and does somebody who is trusted vouch for it?"""
    # Imported only here, as in the other checks that need it: it takes a second, which the network need not wait for.
    from stream.resources import package_folder, trust_of
    from stream.store import read_vouched_head, resolve

    chosen = case.settings.model
    about = f"[model] uri {chosen.uri}"
    trust = trust_of(chosen)
    try:
        head = read_vouched_head(resolve(package_folder(case.settings)), trust)
    except PackageError as error:
        step = error.hint or "pack the model again, or correct [model] uri"
        return fail(about, f"step {error.step or 'manifest'}: {error.message}", step)
    case.head = head
    about = head.manifest.model
    if head.signer is not None:
        return ok(about, f"by {head.signer.fingerprint}")
    if not trust.keys:
        return ok(
            about, "not checked, since no key is trusted: hashes prove that it is whole, not where it is from"
        )
    return warn(
        about,
        "missing, though keys are trusted: nothing proves where it is from",
        "pack it again with --sign KEY.pem, and set [model] require_signature = true",
    )


def model(case: Case) -> Diagnosis:
    """Does it open, in a child process, as a worker's does?"""
    from stream.resources import asked_of, trust_of
    from stream.store import answer

    chosen = case.settings.model
    about = case.package.model
    left_s = max(0.1, case.deadline.left_s() - 0.5)
    allowed_s = min(chosen.open_timeout or left_s, left_s)
    begun = time.monotonic()
    try:
        asked = asked_of(replace(chosen, open_timeout=Seconds(allowed_s)), case.vouched, trust_of(chosen))
        case.opening.check(asked, answer, lambda step, found: None)
    except Retriable as error:
        return fail(about, error.message, error.hint or "give the machine room for another process")
    except PackageError as error:
        if time.monotonic() - begun >= allowed_s and allowed_s == left_s:
            step = "`stream models verify` takes the time that it needs"
            return warn(
                about, f"not opened within {allowed_s:.1f} s, so it was not looked at to its end", step
            )
        step = error.hint or "pack the model again, or roll back with `stream models rollback`"
        return fail(about, f"step {error.step}: {error.message}", step)
    return ok(about, "opens, and its golden rows score as they did when it was packed")


def libraries(case: Case) -> Diagnosis:
    """The versions here ↔ those that the model was packed with."""
    from stream.store import differences

    names = ("confluent-kafka", "faust-streaming", "scikit-learn", "numpy", "pandas", "pyarrow")
    here = ", ".join(f"{name} {version(name)}" for name in names)
    differ = differences(case.package.libraries, case.package.fitted)
    about = case.package.model
    if differ:
        step = "install the versions of the package's manifest, or pack the model again with these"
        return warn(about, "; ".join(differ), step)
    return ok(about, f"as it was packed with; {here}")
