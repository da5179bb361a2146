"""From the command's words to a backfill that can run: which one it is, and whether it was begun before."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from stream.backfill.backfill_run import Backfill
from stream.backfill.backfill_topics import backfill_rights, wanted_by
from stream.backfill.backfill_wish import BackfillWish, aimed, member
from stream.backfill.bounds import Resolved, Topic, resolve_extents
from stream.backfill.plan import Extent, Plan, PlanBook, Purpose
from stream.backfill.plan_topic import PlanTopic
from stream.backfill.retention import check_retention, compacted, first_records, keeps_ms
from stream.errors import SettingsError
from stream.first_opening import FirstOpening
from stream.resources import open_configured, trust_of
from stream.settings import Settings
from stream.store import Package, read_vouched_head
from stream.transport import Cluster, Reader, WantedTopic

__all__ = ["Scene", "look_at", "opened_backfill"]


@dataclass(frozen=True, slots=True)
class Scene:
    """
    What there is before anything is done.

    Attributes:
        settings: the configuration.
        wish: what is asked for.
        target: the configuration with the backfill's topics.
        cluster: where they are.
        package: what answers.
        wanted: the topics that are written to, the plans' first.
        missing: names of those that are not there.
        plan: the backfill's plan, where it was begun before; None = it was not.
        extents: of the plan; without one, what the range means today.
        remarks: where the range is less than was asked for.
        finished_ms: when it was finished, in milliseconds since 1970; None = it is not.
    """

    settings: Settings
    wish: BackfillWish
    target: Settings
    cluster: Cluster
    package: Package
    wanted: Sequence[WantedTopic]
    missing: Sequence[str]
    plan: Plan | None
    extents: Mapping[int, Extent]
    remarks: Sequence[str]
    finished_ms: int | None

    @property
    def group(self) -> str:
        """The backfill's consumer group. The backfill must have been begun."""
        assert self.plan is not None
        return f"{self.settings.backfill_prefix}{self.plan.id}"


def look_at(settings: Settings, wish: BackfillWish, opening: FirstOpening, *, dry: bool) -> Scene:
    """
    Look at everything that a backfill needs; nothing is changed.

    Args:
        settings: the configuration; its model is the one that answers.
        wish: what is asked for.
        opening: lets a child process open the package first.
        dry: nothing will be written.
    Raises: Refused when the model, a setting or the range can't be used; Stopped when the broker does not answer, or
        the input topic is not there.
    """
    target = aimed(settings, wish)
    cluster = Cluster(settings.kafka, backfill_rights(settings, target, dry=dry))
    cluster.require(settings.input.topic)
    embedded = cluster.is_embedded()
    if embedded and not dry:
        raise SettingsError(
            "[kafka] bootstrap_servers: the embedded broker only pretends transactions: records might be scored twice",
            hint="backfill on a real Kafka; `--dry-run` works here too",
        )
    package = open_configured(settings, opening=opening)
    with cluster.naming_refusals():
        wanted = wanted_by(settings, target, cluster)
        missing = [state.name for state in cluster.look(wanted) if state.partitions is None]
        book, purpose = PlanBook(), None
        if not embedded and not {settings.input.backfills, target.output.topic} & set(missing):
            book = PlanTopic(settings).read()
            purpose = _purpose(settings, target, wish, package, cluster)
        plan = None if purpose is None else book.plans.get(purpose.id)
        resolved = Resolved() if plan else _resolved(settings, wish, cluster)
        if plan is None:
            there = [each.name for each in wanted[1:] if each.name not in missing]
            configs = {name: cluster.topic_config(name) for name in there}
            _check_retention(settings, configs, resolved)
            resolved.remarks += compacted(configs)
    if purpose is not None and plan is None:
        check_twins(book, purpose, package, wish)
        resolved.remarks += overlaps(book, purpose, resolved.extents)
    return Scene(
        settings, wish, target, cluster, package, wanted, missing, plan,
        plan.extents if plan else resolved.extents, resolved.remarks,
        book.finished.get(plan.id) if plan else None,
    )  # fmt: skip


def _resolved(settings: Settings, wish: BackfillWish, cluster: Cluster) -> Resolved:
    name = settings.input.topic
    ends = {partition.index: each for partition, each in cluster.ends(name).items()}
    with closing(Reader(settings.kafka, name, ())) as reader:
        return resolve_extents(Topic(name, ends, reader.offsets_at, _now_ms()), wish.start, wish.end)


def _check_retention(
    settings: Settings, configs: Mapping[str, Mapping[str, str]], resolved: Resolved
) -> None:
    if any(keeps_ms(config) is not None for config in configs.values()):
        first = first_records(settings.kafka, settings.input.topic, resolved.extents, 1)
        check_retention(configs, first.timestamps_ms)


def _now_ms() -> int:
    return int(time.time() * 1_000)


def _purpose(
    settings: Settings, target: Settings, wish: BackfillWish, package: Package, cluster: Cluster
) -> Purpose:
    """Which backfill it is. Input and output topic must be there."""
    names = settings.input.topic, target.output.topic
    ids = cluster.topic_ids(names)
    source, output = ((name, ids[name]) for name in names)
    manifest = read_vouched_head(package.path, trust_of(settings.model)).sha256
    return Purpose(source, output, str(wish.start), str(wish.end), package.manifest.model, manifest)


def check_twins(book: PlanBook, purpose: Purpose, package: Package, wish: BackfillWish) -> None:
    """
    A package's current version may have changed since a backfill began: it must not begin anew unasked.

    Raises: SettingsError when another version's backfill of the same range is not finished, and none was named.
    """
    twins = [] if wish.named_version else book.unfinished_twins(purpose)
    if twins:
        theirs = twins[0].purpose.model
        older, this = _named(package, theirs.rpartition("@")[2])
        raise SettingsError(
            f"a backfill of the same range by {theirs} is not finished; {purpose.model} would begin anew",
            hint=f"name the version: --model {older} goes on with that one, --model {this} begins this one",
        )


def _named(package: Package, other: str) -> tuple[str, str]:
    """How another version of the package is named on a command line, and how this one."""
    registered = package.manifest.registered
    if registered is not None:
        return f"{registered.uri.rpartition('/')[0]}/{other}", registered.uri
    return str(package.path.parent / other), str(package.path)


def overlaps(book: PlanBook, purpose: Purpose, extents: Mapping[int, Extent]) -> list[str]:
    """What is on the output topic, or will be, of the same records by the same version; for people."""
    return [
        f"the backfill from {plan.purpose.start} to {plan.purpose.end} has some of these offsets too: their predictions"
        f" by {purpose.model} will be on {purpose.target[0]} twice"
        for plan in book.overlapping(purpose, extents)
    ]


def opened_backfill(scene: Scene) -> Backfill:
    """
    A backfill that is ready to run: its topics are made, and its plan is made or found.

    Args:
        scene: as `look_at` saw it, not dry.
    Raises: Stopped when the broker does not answer or refuses, or has no transactions.
    """
    settings, cluster = scene.settings, scene.cluster
    with cluster.naming_refusals():
        states = cluster.create(scene.wanted)
        if scene.missing:
            # What may be done with a topic the broker tells once it is there.
            Cluster(settings.kafka, cluster.rights).partitions()
        purpose = _purpose(settings, scene.target, scene.wish, scene.package, cluster)
        book = PlanTopic(settings, fresh=states[0].created)
        plan = scene.plan or book.agree(purpose, lambda: Plan(purpose, scene.extents, _now_ms()))
    group = f"{settings.backfill_prefix}{plan.id}"
    return Backfill(
        plan,
        member(scene.target, group, scene.package, scene.wish.rate),
        scene.package,
        book,
        scene.wish.rate,
    )
