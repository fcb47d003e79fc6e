"""Whether the minimiser exists and is unique where the penalty leaves a direction free.

In a free direction the tasks move together, w_t = c_t w.  The rows that see it must outnumber the
features, and for margin losses it must not separate the labels.  By Gordon's comparison it does iff

    min over w of  sum_t alpha_t E[(Z - c_t y x_t'w)_+^2]  <  1,   Z ~ N(0, 1),  c_t = -1 or 1,

where only the part of w in the span of the teachers matters (for one task: Candes and Sur, 2020).
"""

import numpy as np
from scipy.optimize import minimize
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtr

from ._quadrature import gaussian_rule, normal_density
from ._teachers import TEACHERS

ZERO = 1e-13  # of an eigenvalue or an entry, relative to the largest
PENALISE = "penalise it"
LIMIT = f"{PENALISE}, or take the limit of a vanishing penalty by ridgeless_risk"


def check_unique(problem, *, remedy=None):
    """Raise ValueError where a free direction leaves the minimiser undetermined or at infinity."""
    if remedy is None:
        remedy = LIMIT if problem.loss == "squared_error" else PENALISE
    for free in free_directions(problem.penalty_matrix):
        rows = problem.sample_ratio[free != 0].sum()
        if rows <= 1:
            raise ValueError(
                "penalty_matrix must be positive in every direction where rows do not outnumber "
                f"features: one is free at n/p = {rows:.4g}; {remedy}."
            )
        if problem.teacher != "linear" and problem.loss != "squared_error":
            _check_not_separable(problem, free)


def free_directions(penalty):
    """Vectors c of shape (n_tasks,) with penalty @ c = 0, within groups of coupled tasks."""
    scale = np.abs(penalty).max()
    if scale == 0:
        return list(np.eye(len(penalty)))
    _, group = connected_components(np.abs(penalty) > ZERO * scale, directed=False)
    found = []
    for k in range(group.max() + 1):
        tasks = np.flatnonzero(group == k)
        values, vectors = np.linalg.eigh(penalty[np.ix_(tasks, tasks)])
        for vector in vectors[:, values <= ZERO * scale].T:
            free = np.zeros(len(penalty))
            free[tasks] = np.where(np.abs(vector) > ZERO, vector, 0.0)
            found.append(free)
    return found


def _check_not_separable(problem, free):
    slack = _least_slack(problem, np.flatnonzero(free), np.sign(free))
    if slack < 1:
        raise ValueError(
            "penalty_matrix must be positive in every direction that may separate the labels: at "
            f"these ratios a free one does, so that {problem.loss!r} has no unique finite "
            "minimiser; penalise it, or take more rows per feature."
        )


def _least_slack(problem, tasks, signs):
    """The minimum of the module's formula, over w = sum_s g_s beta_s."""
    G = problem.eigenvalue_weights @ problem.eigenvalues * problem.gram
    var, alpha, flip = problem.teacher_var, problem.sample_ratio, problem.flip_proba[:, None]
    s, weights = gaussian_rule(np.sqrt(var), np.zeros((len(var), 1)))
    likely = flip + (1 - 2 * flip) * TEACHERS[problem.teacher].probability(s)
    density = 2 * weights * likely  # of y s

    def slack(g):
        along = signs * (G @ g) / var
        across = np.maximum(g @ G @ g - along**2 * var, 0.0)
        sd, shift = np.sqrt(1 + across)[:, None], along[:, None] * s
        z = shift / sd
        squares = (sd**2 + shift**2) * ndtr(-z) - shift * sd * normal_density(z)
        return (alpha * np.sum(density * squares, axis=1))[tasks].sum()

    return minimize(slack, signs / np.sqrt(var), method="BFGS").fun
