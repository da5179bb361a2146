"""Foreign values and the Avro types that they must fit."""

from stream.types.misfit import Misfit, Misfits, dead_letter_of

__all__ = ["Misfit", "Misfits", "dead_letter_of"]
