"""From a recipe to an estimator that is ready to be packed: split by time, search, fit, measure."""
