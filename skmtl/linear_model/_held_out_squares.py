"""Squared errors of linear models on labels that they were not fitted to."""

import numpy as np

from .._input import one_unit_each
from ..losses import SquaredError
from ..solvers import HeldOutLoss


class HeldOutSquares:
    """Sums of squared errors of the labels of a test set, for many solutions in turn.

    Parameters
    ----------
    fitted, test : FitInput
        Of the training and the test set, whose tasks are matched by id; those that the training
        set does not have, or has no labels of, get the shared part.
    """

    def __init__(self, fitted, test):
        row = {fitted.tasks[t]: k for k, t in enumerate(fitted.labelled)}
        self.mine = np.array([row.get(test.tasks[t], len(row)) for t in test.labelled])
        layout = one_unit_each(len(self.mine))
        self.evaluate = HeldOutLoss(test.data, layout, SquaredError())
        self.weight = float(test.data.weight_sums.sum())

    def __call__(self, solution):
        """Weighted sum of the squared errors."""
        W = np.vstack([solution.W, solution.shared])
        b = np.append(solution.b, solution.shared_intercept)
        return 2 * float(self.evaluate(W[self.mine], b[self.mine]).sum())
