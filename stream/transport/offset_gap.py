"""A partition that does not hold the offset to read next: what is known of it, and what each way on would skip."""

from __future__ import annotations

from dataclasses import dataclass

from confluent_kafka import TopicPartition

__all__ = ["OffsetGap"]


@dataclass(frozen=True, slots=True)
class OffsetGap:
    """
    Attributes:
        wanted: the partition, and the offset to read next.
        low: the partition's earliest offset.
        high: the one after its last; equal to low where it holds nothing.
    """

    wanted: TopicPartition
    low: int
    high: int

    @property
    def found(self) -> str:
        """What is gone, as far as anybody can tell."""
        place, offset = f"{self.wanted.topic}[{self.wanted.partition}]", self.wanted.offset
        holds = f"it now holds {_offsets(self.low, self.high)}" if self.low < self.high else "it is empty now"
        if offset > self.high:
            return (
                f"{place}: the group would read offset {offset} next, which is beyond the partition's end,"
                f" {self.high}: the topic was made anew, or its brokers lost their newest records; {holds}"
            )
        return (
            f"{place}: the record to read next is gone: retention or an operator deleted"
            f" {_offsets(offset, self.low)} before this group had read past them; {holds}. Up to"
            f" {_records(self.low - offset)} may be missing, or none: ends of transactions and aborted records have"
            " offsets too, and nobody can tell them apart any more"
        )

    @property
    def choices(self) -> str:
        """What each value of `[input] on_out_of_range` would do."""
        earliest = f'"earliest" goes on at offset {self.low} and skips nothing that is there'
        if self.wanted.offset > self.high:
            earliest = f'"earliest" reads everything that is there, from offset {self.low}'
        skips = self.skipped(self.high) or "skips what is written until the worker runs"
        latest = f'"latest" goes on at the end and {skips}'
        return f"set `[input] on_out_of_range`: {earliest}; {latest}"

    def skipped(self, start: int) -> str:
        """What going on there would leave unread, as a verb and its object; empty when nothing."""
        left = start - self.low
        return f"skips {_offsets(self.low, start)}, up to {_records(left)} that are there" if left > 0 else ""


def _offsets(start: int, end: int) -> str:
    return f"offset {start}" if end - start == 1 else f"offsets {start} to {end - 1}"


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count} records"
