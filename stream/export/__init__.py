"""What another system needs to give a model's answers, as files: a table of targets."""

from stream.export.exporter import Exported, Exporter, Option, filled, left_open
from stream.export.targets import EXPORTERS

__all__ = ["EXPORTERS", "Exported", "Exporter", "Option", "filled", "left_open"]
