"""The folder of a training run: configuration, folds, weights, and the cases that it has seen."""
