"""Losses, one a file: elementwise value, gradient, curvature and prox in the linear predictor z."""

from ._squared_error import SquaredError

LOSSES = {"squared_error": SquaredError()}

__all__ = ["LOSSES", "SquaredError"]
