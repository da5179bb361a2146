"""What a PromQL expression names: metrics, labels, and the values that it compares labels with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from stream.telemetry import TABLE

__all__ = ["ADDED", "CLIENT", "Matcher", "Selector", "grouped", "labels_of", "metrics", "selectors"]

ADDED = frozenset({"job", "instance", "namespace", "pod"})
"""Labels that Prometheus, or an operator's PodMonitor, puts on whatever it scrapes."""

CLIENT = frozenset(
    {
        "process_cpu_seconds_total",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
    }
)
"""Of prometheus_client's own collectors, which every process of ours has; a test asks one."""

_STRING = r'"(?:[^"\\]|\\.)*"'
_SELECTOR = re.compile(rf"([A-Za-z_:][\w:]*)\s*(\{{(?:[^{{}}\"]|{_STRING})*\}})?(?!\s*\(|[\w:])")
_MATCHER = re.compile(rf"(\w+)\s*(=~|!~|!=|=)\s*({_STRING})")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
_WORDS = {"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "inf", "nan"}
_DURATION = re.compile(r"\[[^\]]*\]|\b\d+(?:\.\d+)?(?:e[+-]?\d+)?(?:ms|[smhdwy])?\b")


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on a label."""

    label: str
    operator: str
    value: str

    def takes(self, value: str) -> bool:
        """Whether a label's value meets it."""
        met = re.fullmatch(self.value, value) if "~" in self.operator else value == self.value
        return bool(met) != self.operator.startswith("!")


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric and what is asked of its labels."""

    metric: str
    matchers: tuple[Matcher, ...]


def selectors(expression: str) -> Iterator[Selector]:
    """The selectors of an expression; raises ValueError for one that names no metric."""
    if re.search(r"(?:^|[\s(,])\{", expression):
        raise ValueError(f"a selector without a metric: {expression}")
    plain = _DURATION.sub(" ", _GROUPING.sub(" ", _hidden(expression)))
    for name, braces in _SELECTOR.findall(plain):
        if name.lower() not in _WORDS:
            found = _MATCHER.findall(_shown(braces))
            yield Selector(name, tuple(Matcher(label, op, _text(value)) for label, op, value in found))


def grouped(expression: str) -> set[str]:
    """The labels of its `by (…)`, `on (…)` and the like."""
    lists = _GROUPING.findall(_hidden(expression))
    return {label.strip() for each in lists for label in each.split(",") if label.strip()}


def metrics() -> dict[str, tuple[str, ...]]:
    """Every series' name that our processes expose, with its own labels."""
    found: dict[str, tuple[str, ...]] = {"up": (), **dict.fromkeys(CLIENT, ())}
    for metric in TABLE:
        if metric.kind == "histogram":
            found[f"{metric.name}_bucket"] = (*metric.labels, "le")
            found[f"{metric.name}_sum"] = found[f"{metric.name}_count"] = metric.labels
        else:
            found[metric.name] = metric.labels
    return found


def labels_of(expression: str) -> set[str]:
    """The labels that may be asked of an expression's series."""
    known = metrics()
    return set(ADDED).union(*(known[each.metric] for each in selectors(expression)))


def _hidden(expression: str) -> str:
    """Strings as hexadecimal digits within quotes, so that nothing in them is taken for syntax."""
    return re.sub(_STRING, lambda found: f'"x{found[0].encode().hex()}"', expression)


def _shown(text: str) -> str:
    return re.sub(r'"x([0-9a-f]*)"', lambda found: bytes.fromhex(found[1]).decode(), text)


def _text(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[1:-1])
