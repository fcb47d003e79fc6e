"""The squared error in Gram form: its value and slopes without another look at the rows.

With intercepts at their best values, and H_t and c_t the weighted Grams of the centred features of
task t with themselves and with its labels,
    f(W) = 1/2 sum_t w_t' H_t w_t - sum_t c_t' w_t + f(0).
A step then costs the features squared, however many rows there are.
"""

import numpy as np

from .._backend import place_of, take, to_place, widest_float
from ._design import make_design, make_frame

LARGEST = 2**24  # numbers in the Grams, beyond which rows are kept


def gram_fits(objective, n_features):
    """Whether a squared error in so many features is better in Gram form."""
    n_grams = 1 if objective.data.is_common_design else objective.n_units
    # beyond twice the rows a product with the Gram costs more than two with the rows
    few = n_features <= 2 * objective.n_rows and n_grams * n_features**2 <= LARGEST
    return objective.loss.is_quadratic and few


class GramObjective:
    """What `fista` reads of a LinearObjective, for the squared error in some of the features.

    Scores are [W, H W], which are linear in W as scores are.

    Parameters
    ----------
    objective : LinearObjective
        With one unit a task; rows of W are in its order.
    features : ndarray
        Numbers of the features, ascending.
    """

    def __init__(self, objective, features):
        self.loss, self.n_units = objective.loss, objective.n_units
        self.n_coordinates = self.width = len(features)
        self.put, self.place, self.zeros_of = objective.put, objective.place, objective.zeros_of
        data, order = objective.restricted_data(features), objective.unit_numbers
        frame = make_frame(
            data, objective.omega, fit_intercept=objective.fit_intercept, reduce=False
        )
        design = make_design(
            data, objective.omega, frame, fit_intercept=objective.fit_intercept, free=True
        )
        if data.is_common_design:
            H, C, squares = _common_grams(data, design, objective.fit_intercept)
            self.H, self.C = H, take(C, order)
            self.scale = objective.put(objective.omega[order])[:, None]
        else:
            G, p = design.grams(np.arange(data.n_tasks)), len(features)
            self.H, self.C = take(G[:, :p, :p], order), take(G[:, p, :p], order)
            self.scale, squares = 1.0, G[:, p, p]
        self.null = float(self.place.xp.sum(squares)) / 2
        self.largest_square = float(self.place.xp.max(squares))
        self.rounding = take(objective.rounding_of_squares(), features)

    def zeros(self):
        """Coefficients zero."""
        return self.zeros_of((self.n_units, self.width))

    def scores(self, W):
        """W and H W."""
        return [W, self._times(W)]

    def loss_sum(self, scores):
        """Half the weighted sum of squared errors, at the best intercepts."""
        W, HW = scores
        return float(self.place.xp.sum(W * (HW / 2 - self.C))) + self.null

    def energy(self, scores):
        """Half the Hessian's form of the coefficients of these scores."""
        return float(self.place.xp.sum(scores[0] * scores[1])) / 2

    def slopes(self, scores):
        """Gradient in W."""
        return scores[1] - self.C

    def diagonals(self, second):
        """Diagonal of the Hessian, of shape (n_tasks, n_features)."""
        diagonal = self.place.xp.linalg.diagonal(self.H)
        return diagonal * self.scale if self.H.ndim == 2 else diagonal

    def curve(self, second, step):
        """Hessian times a step."""
        return self._times(step)

    def gap_parts(self, scores):
        """(slopes, half the squares of the residuals, their product with y, half those of y)."""
        with_y = 2 * self.null - float(self.place.xp.sum(self.C * scores[0]))
        return self.slopes(scores), self.loss_sum(scores), with_y, self.null

    def slope_length(self):
        """Largest weighted sum of squares of a task's labels."""
        return self.largest_square

    def rounding_of_squares(self):
        """What sums of squares of a centred constant column may come to, of shape (m,)."""
        return self.rounding

    def _times(self, W):
        if self.H.ndim == 2:
            return (W @ self.H) * self.scale
        return (W[:, None, :] @ self.H)[:, 0, :]


def _common_grams(data, design, fit_intercept):
    """(H, C, weighted squares of the labels) of rows that all tasks have; H without omega."""
    place = place_of(data.X)
    dtype = widest_float(place)
    root = to_place(np.sqrt(data.row_weight), place, dtype)[:, None]
    Y = design.y.reshape(data.n_tasks, -1)
    X = to_place(data.X, place, dtype)
    X = (X - design.x_means[0, :] if fit_intercept else X) * root
    y = to_place(Y * design.omega[:, None], place, dtype) * root.T
    squares = to_place((Y**2 * data.row_weight).sum(axis=1) * design.omega, place, dtype)
    return X.T @ X, y @ X, squares
