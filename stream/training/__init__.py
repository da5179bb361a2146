"""From a recipe to an estimator that is ready to be packed: split, search, fit, measure."""
