"""The evidence of one data set: frame, route, ascent, and the posterior at its end."""

from typing import Any, NamedTuple

import numpy as np

from .._backend import few_threads, require_memory, to_numpy
from ._cells import Cells
from ._climb import Climb
from ._frame import label_units, make_frame
from ._model import CovarianceModel
from ._posterior import Posterior
from ._routes import DEAR, LONGER, cheapest_route, check_affordable
from ._setting import (
    check_degrees,
    has_common_scale,
    intercept_kind,
    is_auto,
    resolve_words,
    row_weights,
)

CLOSER = 1e-2  # tolerance of the centre of the prior, in that of the ascent


class EvidenceFit(NamedTuple):
    """Result of `EvidenceProblem.maximise`, in the units of X and y, of the labelled tasks.

    Attributes
    ----------
    W, b : ndarrays of shape (n_tasks, n_features) and (n_tasks,)
        Posterior means.
    K : ndarray of shape (n_groups, n_tasks, n_tasks)
        Covariance of the tasks' coefficients of one feature, for each group of features.
    R : ndarray of shape (n_tasks, n_tasks)
    noise_degrees : ndarray of shape (n_tasks,)
        Degrees of freedom of the variances of R, those of the prior included.
    level_variance : float
        Of the tasks' intercepts; inf where they are free, 0 without.
    common_level : float or None
        Posterior mean of the common intercept at the origin, where intercepts are shrunk.
    origin : ndarray of shape (n_features,)
    log_evidence : float
    scores : ndarray of shape (n_iter + 1,)
    n_iter : int
    converged : bool
    separable : bool
        Whether the rows tell coefficients from noise.
    posterior : Posterior
    """

    W: np.ndarray
    b: np.ndarray
    K: np.ndarray
    R: np.ndarray
    noise_degrees: np.ndarray
    level_variance: float
    common_level: float | None
    origin: np.ndarray
    log_evidence: float
    scores: np.ndarray
    n_iter: int
    converged: bool
    separable: bool
    posterior: Any


class EvidenceProblem:
    """Restricted likelihood of K and R, cov(w_s, w_t) = K_st I and cov(e_s, e_t) = R_st in a row.

    Parameters
    ----------
    data : TaskData
    covariance : {"auto", "full", "low_rank", "shared", "diagonal"} or ndarray of shape (T, T)
        An array: K is a scale of it.
    noise : {"auto", "full", "diagonal", "common"}
    rank : int
    prior_strength : float
    shrink_intercept : bool or "auto"
    fit_intercept : bool
    groups : ndarray of int of shape (n_features,), optional
        Groups 0, 1, ... of features with a covariance each.

    Raises
    ------
    ValueError
        If the data cannot tell the covariances, or an evaluation would take too long.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._data import wide_data
    >>> from skmtl.covariance import EvidenceProblem
    >>> X = np.linspace(-1, 1, 12)[:, None]
    >>> data, _ = wide_data(X, np.hstack([X, -X]) + 0.1 * np.cos(9 * X))
    >>> fitted = EvidenceProblem(data).maximise()
    >>> bool(fitted.K[0, 0, 1] < 0 < fitted.R[0, 1])
    True
    """

    def __init__(
        self,
        data,
        covariance="auto",
        noise="auto",
        *,
        rank=2,
        prior_strength=1.0,
        shrink_intercept="auto",
        fit_intercept=True,
        groups=None,
    ):
        T = data.n_tasks
        require_memory(
            4 * T**2,
            f"covariances of {T} tasks",
            "use MultiTaskRidgeCV, which learns none, or fewer tasks",
        )
        row_weight = row_weights(data)
        asked = covariance, noise
        covariance, noise = resolve_words(*asked, data, row_weight)
        intercept = intercept_kind(fit_intercept, shrink_intercept, data)
        check_degrees(data, intercept)
        common = has_common_scale(covariance, noise, intercept)
        X = np.asarray(to_numpy(data.X), dtype=np.float64)
        by_label = np.bincount(data.labels.row, data.labels.s)
        self.origin = np.average(X, axis=0, weights=by_label) * (intercept != "none")
        weight = row_weight
        if weight is None or intercept == "shrunk":  # then it matters which: as in MultiTaskRidge
            weight = by_label
        self.frame, self.cells = _in_frame(X, data, weight, row_weight, groups, intercept, common)
        if is_auto(asked[0]) and covariance == "full":
            covariance, noise = self._affordable_default(noise, asked[1], rank)
        model = CovarianceModel(self.cells, covariance, noise, rank=rank, strength=prior_strength)
        cost, make = self._route_for(model)
        check_affordable(cost, self.cells, covariance, noise)
        self.climb = Climb(make(), model)

    def _affordable_default(self, noise, asked, rank):
        """A full covariance, or loadings where it is dear and they are not."""
        cost, _ = cheapest_route(self.cells, [None], diagonal=noise != "full")
        cheaper = "diagonal" if asked == "auto" else noise
        less, _ = cheapest_route(self.cells, [rank], diagonal=cheaper != "full")
        if cost <= max(DEAR, LONGER * less):
            return "full", noise
        return "low_rank", cheaper

    def _route_for(self, model):
        return cheapest_route(self.cells, model.ranks, diagonal=model.has_diagonal_noise)

    def maximise(self, *, tol=1e-5, max_iter=500):
        """Learn the covariances.

        Parameters
        ----------
        tol : float
            Relative gain in evidence at which the ascent stops, twice in a row.
        max_iter : int

        Returns
        -------
        EvidenceFit
        """
        with few_threads(max(self.cells.Z.shape)):
            climb = self.climb
            if climb.model.has_prior_centre:
                variances = self._unrelated_variances(tol * CLOSER, max_iter)
                climb = Climb(climb.route, climb.model.centred_at(*variances))
            return self._fit(climb, climb.run(tol=tol, max_iter=max_iter))

    def _unrelated_variances(self, tol, max_iter):
        """(K, R) of unrelated tasks."""
        model = self.climb.model.unrelated()
        ascent = Climb(self._route_for(model)[1](), model).run(tol=tol, max_iter=max_iter)
        return model.covariances(ascent.theta)

    def _fit(self, climb, ascent):
        cells, frame, theta = self.cells, self.frame, ascent.theta
        K, R = climb.model.covariances(theta)
        inner = climb.route.posterior(*climb.arguments(theta))
        posterior = Posterior(frame, inner, K, R)
        W, b = posterior.mean()
        level, variance = None, np.inf if cells.intercept == "free" else 0.0
        if cells.intercept == "shrunk":
            level = frame.y_scale[0] * inner.common_level + frame.y_centre[0]
            variance = float(K[-1, 0, 0] * frame.y_scale[0] ** 2)
        lost = self._lost_by_scaling()
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            K = K[: len(cells.blocks)] / frame.scales[:, None, None] ** 2
            K = K * np.outer(frame.y_scale, frame.y_scale)
        return EvidenceFit(
            W=W,
            b=b,
            K=K,
            R=posterior.R,
            noise_degrees=self._noise_degrees(climb.model, inner, R),
            level_variance=variance,
            common_level=level,
            origin=self.origin,
            log_evidence=float(climb.evaluate(theta).value - lost),
            scores=np.array(ascent.scores) - lost,
            n_iter=len(ascent.scores) - 1,
            converged=ascent.converged,
            separable=climb.route.separable,
            posterior=posterior,
        )

    def _noise_degrees(self, model, inner, R):
        """Squares of the residuals in units of their variances, which EM leaves as they are."""
        degrees = self.cells.residual_squares(inner.W, inner.b) / R.diagonal()
        if model.has_common_noise:
            return np.full(len(degrees), degrees.sum())
        return degrees + model.noise_prior_count

    def _lost_by_scaling(self):
        """What the evidence loses from the units of the frame to those of the labels."""
        cells, scale = self.cells, np.log(self.frame.y_scale)
        if cells.intercept == "shrunk":  # one scale for all
            return cells.degrees * scale[0]
        return (cells.totals - (cells.intercept == "free")) @ scale


def _in_frame(X, data, weight, row_weight, groups, intercept, common):
    """The frame of the data, about the weighted mean of X, and its cells."""
    labels = data.labels
    y_centre, y_scale = label_units(
        labels.y, labels.s, labels.indptr, intercept=intercept, common=common
    )
    frame, Z = make_frame(X, weight, groups, y_centre, y_scale, centred=intercept != "none")
    y = (labels.y - y_centre[labels.task]) / y_scale[labels.task]
    cells = Cells(
        Z, frame.blocks, labels.row, labels.task, y, labels.s, data.n_tasks, intercept, row_weight
    )
    return frame, cells
