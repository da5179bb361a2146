"""A process's latest predictions and how they are spread, taken in each second while somebody looks."""

from __future__ import annotations

from stream.codec import RecordSchema, plain_row, prefix_length, read_row
from stream.errors import PackageError, RecordError
from stream.live import Distribution, Latest, Seen, SeenPrediction, Truth, distribution_of
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
        for seen in self._seen.take():
            values = self._fields(seen)
            if values is not None:
                self.latest.add(seen, values)
                if self._distribution is not None and seen.model == self._model:
                    self._distribution.add(values)

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

    def _fields(self, seen: SeenPrediction) -> dict[str, object] | None:
        """A prediction's fields as JSON has them; None where it can't be read: its version is gone."""
        if not isinstance(seen.value, bytes):
            return dict(seen.value)
        schema = self._schemas.get(seen.model)
        if schema is None:
            return None
        try:
            return plain_row(schema, read_row(schema, seen.value[self._prefix_bytes :]))
        except RecordError:
            return None
