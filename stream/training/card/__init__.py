"""The model card: one HTML file that says what a model was made from, how good it is, and for whom."""

from stream.training.card.drawing import standalone
from stream.training.card.page import Card, card_of, check_libraries

__all__ = ["Card", "card_of", "check_libraries", "standalone"]
