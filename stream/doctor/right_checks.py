"""What this user may do on topics and group: each missing right by the arguments of kafka-acls.sh that grant it."""

from __future__ import annotations

from collections.abc import Callable

from stream.doctor.case import Case
from stream.doctor.diagnosis import Diagnosis, fail, ok, warn
from stream.rights import RIGHTS, Right, named
from stream.transport import is_secured, principal_of

__all__ = ["grants", "may"]


def grants(case: Case, *rights: Right) -> str:
    """How to grant rights to this user."""
    kafka = case.settings.kafka
    server = case.reached[0] if case.reached else kafka.bootstrap_servers
    # How an administrator gets in is not known here: docs/security.md says what the file holds.
    config = " --command-config admin.properties" if is_secured(kafka.properties) else ""
    tool = f"kafka-acls.sh --bootstrap-server {server}{config} --add"
    who = principal_of(kafka.properties)
    return "; ".join(f"{tool} {right.acl(who)}" for right in rights)


def may(name: str) -> Callable[[Case], Diagnosis]:
    """
    The check of a worker's rights on one thing.

    Args:
        name: as in the table of rights: `input`, `output`, `dead letters` or `group`.
    """

    def look(case: Case) -> Diagnosis:
        wanted = [named(right, case.settings) for right in RIGHTS["worker"] if right.name == name]
        who = principal_of(case.settings.kafka.properties)
        held = {right: case.cluster.held(right) for right in wanted}
        about = ", ".join(map(str, wanted))
        lacking = [right for right, has in held.items() if has is False]
        if lacking:
            listed = ", ".join(map(str, lacking))
            return fail(about, f"{who} may not: {listed}", grants(case, *lacking))
        if None in held.values() and name != "group" and case.cluster.layout(wanted[0].name) is None:
            return ok(about, "not told of a topic that is not there")
        if None in held.values():
            step = f"if a worker is refused: {grants(case, *wanted)}"
            return warn(about, "not told by the broker (no answer in time, or it tells nobody)", step)
        return ok(about, f"{who} may")

    return look
