"""A scikit-learn model on a Kafka stream."""
