"""Losses, one a file: value, gradient, curvature and prox in the linear predictor z.

Those in LOSSES are elementwise; MultinomialLogLoss takes a score for each class.
"""

from ._elementwise import ElementwiseLoss
from ._hinge import Hinge
from ._huber import Huber
from ._log_loss import LogLoss
from ._multinomial_log_loss import MultinomialLogLoss
from ._squared_error import SquaredError
from ._squared_hinge import SquaredHinge

LOSSES = {
    "squared_error": SquaredError(),
    "huber": Huber(),
    "log_loss": LogLoss(),
    "hinge": Hinge(),
    "squared_hinge": SquaredHinge(),
}

__all__ = [
    "LOSSES",
    "ElementwiseLoss",
    "Hinge",
    "Huber",
    "LogLoss",
    "MultinomialLogLoss",
    "SquaredError",
    "SquaredHinge",
]
