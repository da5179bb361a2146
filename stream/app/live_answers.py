"""A process's latest predictions and how they are spread, taken in each second while somebody looks."""

from __future__ import annotations

from collections.abc import Mapping

from stream.codec import RecordSchema, plain_row, prefix_length, read_row
from stream.errors import PackageError, RecordError
from stream.live import LATEST, Distribution, Latest, Seen, SeenPrediction, Truth, distribution_of
from stream.settings import Settings
from stream.store import Package, golden_of

__all__ = ["LiveAnswers"]


class LiveAnswers:
    """
    Used by one thread at a time.

    Attributes:
        latest: predictions.
    """

    def __init__(self, settings: Settings, seen: Seen, truth: Truth | None = None) -> None:
        """
        Args:
            settings: the configuration.
            seen: where predictions are taken from.
            truth: who knows what turned out; None = nobody.
        """
        self._prefix_bytes = prefix_length(settings.framing("output"))
        self._seen = seen
        self.latest = Latest(redact=seen.redact, truth=truth)
        self._schemas: dict[str, RecordSchema] = {}
        self._model = ""
        self._distribution: Distribution | None = None

    def scores(self) -> dict[str, object] | None:
        """The snapshot's `scores`."""
        return None if self._distribution is None else self._distribution.view()

    def take_in(self, package: Package) -> None:
        """
        Take in what was seen since the last call.

        Args:
            package: the model that answers.
        """
        if package.manifest.model != self._model:
            self._turn_to(package)
        found = [(seen, values) for seen in self._seen.take() if (values := self._fields(seen)) is not None]
        if self._distribution is not None:
            for seen, values in found:
                if seen.model == self._model:
                    self._distribution.add(values)
        for seen, values in found[-LATEST:]:
            self.latest.add(seen, self._plain(seen, values))

    def _turn_to(self, package: Package) -> None:
        """Another version answers; the one before is still known by its last predictions."""
        before = self._schemas.get(self._model)
        self._schemas = {} if before is None else {self._model: before}
        self._model = package.manifest.model
        self._schemas[self._model] = RecordSchema(package.prediction)
        try:
            self._distribution = distribution_of(package.manifest, golden_of(package).answers)
        except (PackageError, OSError):  # its folder was changed or removed since it was opened
            self._distribution = None

    def _fields(self, seen: SeenPrediction) -> Mapping[str, object] | None:
        """A prediction's fields, numbers as they are; None where it can't be read: its version is gone."""
        if not isinstance(seen.value, bytes):
            return seen.value
        schema = self._schemas.get(seen.model)
        if schema is None:
            return None
        try:
            return read_row(schema, seen.value[self._prefix_bytes :])
        except RecordError:
            return None

    def _plain(self, seen: SeenPrediction, values: Mapping[str, object]) -> Mapping[str, object]:
        """The same fields as JSON has them."""
        return plain_row(self._schemas[seen.model], values) if isinstance(seen.value, bytes) else values
