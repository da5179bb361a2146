"""What a model takes and what it answers, for people: as text and as a table in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from stream.codec import ABSENT, Leaf, RecordSchema, find
from stream.manifest import Manifest
from stream.scoring import answer_fields, carried_names
from stream.shown import html_shown, shown

__all__ = ["Contract"]

Line: TypeAlias = tuple[str, str, str]
"""A name, its type, and what is to be known of it."""

_SHOWN = 200
"""Columns that are listed: nobody reads ten thousand."""

_CLASSES = 20


@dataclass(frozen=True, slots=True)
class Contract:
    """
    What a model takes and answers: `print` it, or let a notebook show it.

    Attributes:
        manifest: what the version says of itself.
        schema: of its events.
        notes: sentences below the tables.
    """

    manifest: Manifest
    schema: RecordSchema
    notes: Sequence[str] = ()

    @property
    def takes(self) -> list[Line]:
        """The columns that a row must or may have; others are ignored."""
        names = [(feature.path, "") for feature in self.manifest.features]
        names += [(path, "carried: ") for path in self.manifest.carry if path not in dict(names)]
        return [self._taken(path, carried) for path, carried in names]

    @property
    def answers(self) -> list[Line]:
        """The columns of a prediction."""
        lines = [
            (name, _type(self.schema.leaf(path)), "repeated from the row; null where it has none")
            for path, name in carried_names(self.manifest.carry).items()
        ]
        lines += [
            (
                field.name,
                f"array<{field.type.name}>" if field.array else field.type.name,
                _about(self.manifest, field.name),
            )
            for field in answer_fields(self.manifest)
        ]
        return [
            *lines,
            ("model", "string", f"{self.manifest.model!r}"),
            ("error", "string", "null, or why the row has no prediction: all else is null then"),
        ]

    def _taken(self, path: str, carried: str) -> Line:
        leaf = self.schema.leaf(path)
        steps = find(self.schema.root, path)
        name = ".".join(step.feature or step.name for step in steps)
        default = steps[0].default
        optional = default is not ABSENT or bool(carried)
        said = "required" if not optional else "may be left out"
        if not carried and default is not ABSENT and default is not None:
            said += f" (then {default!r})"
        also = "" if name == path else f"; in Avro: {path}"
        return name, _type(leaf), f"{carried}{said}{also}"

    @property
    def _title(self) -> str:
        return f"{self.manifest.model}: {self.manifest.task}, packed {self.manifest.created}"

    def __str__(self) -> str:
        parts = [self._title]
        for title, lines in (("takes", self.takes), ("answers", self.answers)):
            lines = [(shown(a), shown(b), shown(c)) for a, b, c in lines]
            wide = [max(len(line[i]) for line in lines[:_SHOWN]) for i in (0, 1)]
            parts += ["", f"{title}:"]
            parts += [f"  {a:<{wide[0]}}  {b:<{wide[1]}}  {c}" for a, b, c in lines[:_SHOWN]]
            parts += [f"  … and {len(lines) - _SHOWN} more"] * (len(lines) > _SHOWN)
        return "\n".join([*parts, *([""] if self.notes else []), *map(shown, self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.html

    @property
    def html(self) -> str:
        """The same as HTML, every text escaped: what a notebook shows."""
        parts = [f"<p><b>{html_shown(self._title)}</b></p>"]
        for title, lines in (("takes", self.takes), ("answers", self.answers)):
            more = f" (the first {_SHOWN} of {len(lines)})" if len(lines) > _SHOWN else ""
            head = f'<tr><th colspan="3" style="text-align:left">{title}{more}</th></tr>'
            parts.append(f"<table>{head}{''.join(map(_row, lines[:_SHOWN]))}</table>")
        if self.notes:
            notes = "".join(f"<li>{html_shown(note)}</li>" for note in self.notes)
            parts.append(f"<details><summary>notes</summary><ul>{notes}</ul></details>")
        return "".join(parts)


def _row(line: Line) -> str:
    cells = (f'<td style="text-align:left">{html_shown(cell)}</td>' for cell in line)
    return f"<tr>{''.join(cells)}</tr>"


def _type(leaf: Leaf) -> str:
    return f"{leaf.type.full_name}{' or null' if leaf.nullable else ''}"


def _about(manifest: Manifest, name: str) -> str:
    """What an answer means."""
    classes = manifest.classes or ()
    shown = ", ".join(map(repr, classes[:_CLASSES])) + (", …" if len(classes) > _CLASSES else "")
    if name == "score":
        return _about_score(manifest)
    if name == "label":
        known = {"outlier": "1 = as expected, -1 = an outlier", "clusterer": "the cluster's number"}
        return known.get(manifest.task, f"one of {shown}" if classes else "what `predict` says")
    if name == "probabilities":
        return f"in the order of the classes: {shown}"
    return "the predicted number" if name == "value" else "in the order of the outputs"


def _about_score(manifest: Manifest) -> str:
    classes = manifest.classes or ()
    binary = len(classes) == 2
    if manifest.score == "predict_proba":
        return (
            f"the probability of {classes[1]!r}, whatever the label" if binary else "the label's probability"
        )
    if manifest.task == "outlier":
        return "`decision_function`: below 0 is an outlier"
    sign = f"above 0 is {classes[1]!r}" if binary else "the label's"
    return f"`decision_function`: {sign}; not a probability"
