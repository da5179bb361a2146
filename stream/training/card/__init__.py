"""The model card: one HTML file that says what a model was made from, how good it is, and for whom."""

from stream.training.card.libraries import check_libraries
from stream.training.card.page import card_of

__all__ = ["card_of", "check_libraries"]
