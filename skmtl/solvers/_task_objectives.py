"""One objective a task, of the same parameters: f_t = c L_t + penalty / T, c = N / T.

L_t is the weighted mean loss of task t, N the sum of all weights, so that for weights w of mean 1
    sum_t w_t f_t = sum_t w_t c L_t + penalty
is the objective of a weighted fit, and that of plain sums where all tasks are alike.
"""

from copy import copy
from functools import cached_property

import numpy as np
from sklearn.base import clone

from .._backend import to_numpy
from ._displaced import hessian_solver, sensitivity


class TaskObjectives:
    """Values, gradients and minimisers of the tasks' objectives.

    Parameters
    ----------
    problem : SmoothProblem
        With weights one for every task.
    penalty : object with alpha_shared, alpha_specific and alpha_intercept
    weight_sums : ndarray of shape (n_tasks,)
        Sum of the weights of each task's labels.
    limits : dict
        solver, tol and max_iter of the inner fits.
    unit : float
        Of the losses that balancers see, in losses of the problem: 2 for squared errors.
    own_risks : ndarray of shape (n_tasks,), optional
        Least mean loss that a task can be expected to have, where its minimiser would interpolate;
        NaN where the minimiser is to be used.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl._input import UnitLayout
    >>> from skmtl._data import wide_data
    >>> from skmtl.losses import LogLoss
    >>> from skmtl.penalties import SharedSpecific
    >>> from skmtl.solvers import SmoothProblem, TaskObjectives
    >>> X, Y = np.array([[-1.0], [0.0], [1.0]]), np.array([[0.0, 0], [1, 0], [1, 1]])
    >>> data, _ = wide_data(X, Y)
    >>> layout = UnitLayout([np.zeros(1, int)] * 2, [np.ones(1)] * 2, 1)
    >>> problem = SmoothProblem(data, LogLoss(), layout, np.ones(2), fit_intercept=True)
    >>> limits = {"solver": "irls", "tol": 1e-8, "max_iter": 50}
    >>> penalty = SharedSpecific(1.0, np.inf, np.inf)
    >>> objectives = TaskObjectives(problem, penalty, np.full(2, 3.0), limits)
    >>> _, point = objectives.fit(np.ones(2))
    >>> bool((objectives.excess(point) >= 0).all()), objectives.jacobian(point).shape
    (True, (2, 2))
    """

    def __init__(self, problem, penalty, weight_sums, limits, *, unit=1.0, own_risks=None):
        self.problem, self.penalty = problem.set_penalty(penalty), penalty
        self.n, self.n_tasks = weight_sums, len(weight_sums)
        self.c = weight_sums.sum() / len(weight_sums)
        self.limits, self.unit = limits, unit
        self.own_risks = np.full(self.n_tasks, np.nan) if own_risks is None else own_risks

    def fit(self, w, start=None):
        """(Solution, Point) of the weighted fit, w of mean 1."""
        weighted = self.problem.weighted(self.c * w / self.n)
        return weighted.solve(self.penalty, start=start, polish=True, **self.limits)

    def losses(self, point):
        """Mean loss of each task, in the balancers' unit."""
        return self.unit * self._mean_losses(point)

    def values(self, point):
        """f_t of each task."""
        return self.c * self._mean_losses(point) + self._penalty_value(point.P) / self.n_tasks

    def excess(self, point):
        """What each task could still gain if it were alone, no less than nothing."""
        return np.maximum(self.gains(point), 0.0)

    def gains(self, point):
        """The same, negative where a task does better than its own leave-one-out risk."""
        lonely = self.c * (self._mean_losses(point) - self.own_risks)
        return np.where(np.isnan(lonely), self.values(point) - self._least, lonely)

    def distances(self, point):
        """Distance of the parameters to the nearest minimiser of each task's own objective."""
        away = [to_numpy(point.P - P) for P in self._minimisers]
        return np.linalg.norm(np.where(self._matter, away, 0.0), axis=(1, 2))

    @cached_property
    def _matter(self):
        """Whether task t's objective depends on a parameter: not on unpenalised ones of others."""
        problem, A = self.problem, to_numpy(self.problem.A)
        matter = np.broadcast_to(A > 0, (self.n_tasks, *A.shape)).copy()
        C = problem.layout.n_channels
        matter[:, :C] = True
        for block, span in zip(problem.blocks, problem.spans, strict=True):
            task = np.repeat(block.tasks, block.channels.shape[1])
            matter[task, np.arange(C + span.start, C + span.stop)] = True
        return matter

    def jacobian(self, point):
        """Gradients (n_tasks, n_params) of the f_t."""
        taken = to_numpy(self.problem.taken).reshape(-1) > 0
        return self._gradients(point)[:, taken]

    def sensitivity(self, point, w):
        """J H^-1 J' of these gradients J and the Hessian H of the fit with weights w of mean 1."""
        weighted = self.problem.weighted(self.c * w / self.n)
        solve = hessian_solver(weighted, point, self.limits["solver"])
        return sensitivity(weighted, self._gradients(point), solve)

    def _gradients(self, point):
        share = to_numpy(self.problem.A * point.P).reshape(-1) / self.n_tasks
        return self.problem.task_gradients(point) * (self.c / self.n)[:, None] + share

    def moved(self, point, step):
        """Point at a step in the parameters that take part."""
        P = to_numpy(point.P).copy()
        P[to_numpy(self.problem.taken) > 0] += step
        return self.problem.at(self.problem.put(P))

    @cached_property
    def _optima(self):
        return [self.fit(self.n_tasks * e)[1] for e in np.eye(self.n_tasks)]

    @cached_property
    def _minimisers(self):
        return [point.P for point in self._optima]

    @cached_property
    def _least(self):
        return np.array([self.values(point)[t] for t, point in enumerate(self._optima)])

    @property
    def disagreement(self):
        """Mean loss of each task without features."""
        return self.losses(self.without_features)

    @cached_property
    def without_features(self):
        """Point of the best intercepts alone, at equal weights."""
        no_slopes = clone(self.penalty).set_params(alpha_shared=np.inf, alpha_specific=np.inf)
        return copy(self.problem).solve(no_slopes, polish=True, **self.limits)[1]

    def _mean_losses(self, point):
        return self.problem.task_losses(point.scores) / self.n

    def _penalty_value(self, P):
        return 0.5 * float((to_numpy(self.problem.A) * to_numpy(P) ** 2).sum())
