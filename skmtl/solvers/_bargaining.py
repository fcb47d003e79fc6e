"""Nash bargaining between losses: max sum_t p_t log(D_t - L_t(theta)) - mu pen(theta), concave.

With weights w_t = 1 / (D_t - L_t) the dual min_w sum_t p_t (w_t D_t - log w_t) - min_theta
{sum_t p_t w_t L_t + mu pen} is convex in n_tasks numbers.  Newton in u = log w, free of units:
    {diag(p) + (p w) J H^-1 J' (p w)} step = -p (w gain - 1),
with the gains and the Hessian H of the fit under these weights.  Line searches look at slopes only.
A task with w gain > 1 is brought down in logarithms, as its weight may be too large by any factor.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import nnls

from .._backend import to_numpy
from ._displaced import DisplacedProblem

FARTHEST = 3.0  # step in logarithms
ROUGH = 0.01  # residual until mu is roughly known
SOLVED, SOUND = 1e-11, 1e-8  # |w gain - 1| at which it stops, and above which it says so
STATIONARY = 1e-8  # root of rounding: gains grow with the square of the least combination
SHORTENINGS = 10
ROUNDING = 1e-14  # of the Hessian, which is singular but for diag(p) where tasks oppose each other
MOST_FITS, PATIENCE = 500, 15  # and steps without a residual of half the size
LEVEL = 1e-5  # growth of log mu relative to log mean(p w), from which they never meet
BACK = 0.5  # slope at the end of a step relative to that at its beginning


class Bargain(NamedTuple):
    """What was agreed on.

    Attributes
    ----------
    point : Point
    weights : ndarray of shape (n_tasks,)
        p_t / (D_t - L_t), of mean 1.
    n_fits : int
    residual : float
        Largest |w_t (D_t - L_t) - 1|, or the last step of the fit relative to all, if that is more.
    why : str
        What is wrong with it, or nothing.
    tasks : ndarray of int
        Those of which it is.
    """

    point: Any
    weights: np.ndarray
    n_fits: int
    residual: float
    why: str
    tasks: np.ndarray


def bargain(objectives, terms):
    """Solve the bargaining problem of TaskObjectives for certain.

    Parameters
    ----------
    objectives : TaskObjectives
    terms : object with preference, disagreement and against
        Preferences p of mean 1; losses D (n_tasks,), or None for those without features; "gains" or
        "losses": what the penalty is weighed against.

    Returns
    -------
    Bargain
    """
    table = _Table(objectives, terms)
    if terms.disagreement is None:
        shares, shortest = least_combination(table.slopes)
        if shortest <= STATIONARY:
            return table.no_agreement(shares, shortest)
    w = table.start()
    if terms.against == "gains":
        return table.answer(table.solve(w, objectives.unit / objectives.c))
    return table.answer(*table.solve_against_losses(w))


def least_combination(J):
    """(shares, length) of the shortest convex combination of the unit rows of J.

    b >= 0 that minimises ||U'b||^2 + (sum b - 1)^2 is proportional to it.
    """
    norms = np.linalg.norm(J, axis=1)
    if (norms == 0).any():
        return (norms == 0) / np.count_nonzero(norms == 0), 0.0
    U = J / norms[:, None]
    R = np.linalg.qr(U.T, mode="r")  # of the rows themselves: a Gramian would square the angles
    b = nnls(np.vstack([R, np.ones(len(J))]), np.append(np.zeros(len(R)), 1.0))[0]
    shares = b / b.sum()
    return shares, float(np.linalg.norm(shares @ U))


class _State(NamedTuple):
    """Weights w, mu, the fit there, residuals w gain - 1 and gains."""

    w: np.ndarray
    mu: float
    fit: Any
    residuals: np.ndarray
    gains: np.ndarray

    @property
    def largest(self):
        return np.abs(self.residuals).max()


class _Table:
    """The tasks at the table: gains from the point without features, as the dual needs them."""

    def __init__(self, objectives, terms):
        self.objectives, self.p = objectives, terms.preference
        origin = objectives.without_features
        self.displaced = DisplacedProblem(
            objectives.problem, origin, objectives.n, objectives.limits["solver"]
        )
        self.head_start = np.zeros(len(self.p))
        if terms.disagreement is not None:
            D = terms.disagreement / objectives.unit
            self.head_start = D - objectives.losses(origin) / objectives.unit
        self.n_fits = 0

    @property
    def slopes(self):
        """Gradients of the mean losses without features, in units of the features' curvature."""
        problem, origin = self.displaced.problem, self.displaced.origin
        weighted = problem.weighted(1 / self.displaced.n)
        own = weighted.diagonals(weighted.second_order(origin.scores))
        D = to_numpy(weighted._spread(own)) * to_numpy(problem.taken)
        root = np.sqrt(np.where(D > 0, D, 1.0)).reshape(-1)
        return problem.task_gradients(origin) / self.displaced.n[:, None] / root

    def start(self):
        """Weights 1 / gain, a gain being guessed as the task's slope times the least slope."""
        norms = np.linalg.norm(self.slopes, axis=1)
        moving = norms[norms > 0]
        gains = norms * (moving.min() if moving.size else 1.0)
        gains = np.maximum(gains, np.abs(self.head_start))
        return 1 / np.where(gains > 0, gains, 1.0)

    def at(self, w, mu, start=None):
        """State under these weights."""
        self.n_fits += 1
        fit = self.displaced.fit(self.p * w / mu, start)
        gains = self.head_start + self.displaced.gains(fit)
        return _State(w, mu, fit, w * gains - 1, gains)

    def solve(self, w, mu, start=None, tol=SOLVED):
        """State at the optimum for one mu, to this residual."""
        best = state = self.at(w, mu, start)
        since = 0
        while state.largest > tol and since < PATIENCE and self.n_fits < MOST_FITS:
            new = self._step(state, self._direction(state))
            rounding = new.largest < SOUND and new.largest > state.largest / 2
            state, since = new, since + 1
            if state.largest < best.largest / 2 or rounding:
                since = 0
            best = min(best, state, key=lambda s: s.largest)
            if rounding:
                break
        return best

    def solve_against_losses(self, w):
        """State whose mu is mean(p w) / c: the penalty as it stands, against weights of mean 1.

        Root in tau = log mu of log(mean(p w) / c) - tau, by Newton's method inside a bracket.
        """
        state, _ = self._root(w, self._level(w), None, ROUGH)
        return self._root(state.w, np.log(state.mu), state.fit, SOLVED)

    def _root(self, w, tau, fit, tol):
        """(state, what is left) for solutions to this residual, which tell no smaller a rest."""
        low, high, last = -np.inf, np.inf, np.inf
        while True:
            state = self.solve(w, np.exp(tau), fit, tol)
            excess, fit = self._level(state.w) - tau, state.fit
            rounding = last / 2 < abs(excess) < SOUND
            if abs(excess) <= 10 * tol or rounding or state.largest > max(tol, SOUND):
                return state, excess
            low, high = (tau, high) if excess > 0 else (low, tau)
            turn, slope = self._turn(state)
            if (slope < LEVEL and excess > ROUGH) or self.n_fits >= MOST_FITS:
                return state, excess
            move = np.clip(excess / slope if slope > 0 else excess, -FARTHEST, FARTHEST)
            if not low < tau + move < high:
                move = ((low if excess < 0 else high) - tau) / 2
            w, tau, last = state.w * np.exp(turn * move), tau + move, abs(excess)

    def _turn(self, state):
        """(derivative of log w in tau, minus that of the level of w less tau)."""
        solve, S = self._hessian(state, np.ones(len(self.p)))
        turn = solve(S.sum(axis=1))
        q = self.p * state.w
        return turn, 1 - q @ turn / q.sum()

    def _level(self, w):
        return float(np.log(np.mean(self.p * w) / self.objectives.c))

    def _direction(self, state):
        """Newton step on log(w gain) = 0 of a task that gains too much, on w gain = 1 of others."""
        ratio = np.maximum(state.residuals + 1, 1.0)
        solve, _ = self._hessian(state, ratio)
        short = np.minimum(state.residuals, 0.0)
        step = solve(-self.p * (short + ratio * np.log(ratio)))
        if step @ (self.p * state.residuals) < 0:
            return step
        return solve(-self.p * state.residuals)

    def _hessian(self, state, ratio):
        """(solver of diag(p ratio) + S, S = (p w) J H^-1 J' (p w) / mu), numbers without units."""
        pw = self.p * state.w
        S = self.displaced.sensitivity(state.fit) * pw[:, None] * pw / state.mu
        B = S + np.diag(self.p * ratio + ROUNDING * S.diagonal())
        root = np.sqrt(B.diagonal())
        factor = cho_factor(B / (root[:, None] * root), lower=True)
        return lambda r: cho_solve(factor, r / root) / root, S

    def _step(self, state, step):
        """State after a step, or the part of it that is not too long and does not overshoot."""
        slope = step @ (self.p * state.residuals)
        length = min(1.0, FARTHEST / np.abs(step).max())
        for _ in range(SHORTENINGS):
            new = self.at(state.w * np.exp(length * step), state.mu, state.fit)
            end = step @ (self.p * new.residuals)
            if end <= BACK * abs(slope) or state.largest < SOUND:
                break
            length *= np.clip(-slope / (end - slope), 0.1, 0.5)
        return new

    def answer(self, state, excess=0.0):
        """Bargain of a state, and of what is left between the level of the weights and mu."""
        w, residual = self.p * state.w, max(state.largest, state.fit.left)
        why, lost = "", np.flatnonzero(state.gains <= 0)
        if lost.size or residual > SOUND:
            why = self._failure(state, w, lost, residual)
        elif abs(excess) > SOUND:
            why = (
                "every task gains, but at these penalties no weights of mean 1 are those of the "
                "gains, which vanish; choose penalty_against='gains', an alpha_intercept of 0 or "
                "inf, or smaller penalties"
            )
        return Bargain(self.displaced.at(state.fit), w / w.mean(), self.n_fits, residual, why, lost)

    def _failure(self, state, w, lost, residual):
        if not lost.size:
            return (
                "every task gains, but the bargain is only known to a relative residual of "
                f"{residual:.1g} in weight times gain, above {SOUND:g}; standardise the "
                "features, or raise the penalties"
            )
        bars = (
            self.head_start + self.objectives.losses(self.displaced.origin) / self.objectives.unit
        )
        share = (w @ state.gains) / (w @ np.abs(bars))
        return (
            "no coefficients were found at which every task gains over its disagreement: with the "
            f"weights task_weights_ the weighted mean gain is at most {share:.1g} of the "
            "disagreement, unless penalties are larger than here; raise the disagreement"
        )

    def no_agreement(self, shares, shortest):
        """The model without features, and the weights with which the gradients cancel there."""
        norms = np.linalg.norm(self.slopes, axis=1)
        w = shares / np.where(norms > 0, norms, 1.0)
        why = (
            "no coefficients are better than none for all tasks, so that they do not agree: "
            "without features the gradients of the mean losses, with the weights task_weights_, "
            f"cancel to {shortest:.1g} of their lengths, and no task can gain unless another "
            "loses; this model without features is returned; leave out tasks, give them "
            "coefficients of their own, or raise the disagreement"
        )
        blocking = np.flatnonzero(shares > 0)
        return Bargain(self.displaced.origin, w / w.mean(), 1, 0.0, why, blocking)
