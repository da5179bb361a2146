"""A scikit-learn model on a Kafka stream."""

__all__: list[str] = []
