"""Excess risk: minimise the largest E_t / E_t(first), with E_t the loss above the task's own best.

E_t is given, or estimated by sum_k g_tk^2 / sqrt(S_tk) with S_t the sum of squared gradients so
far, a diagonal stand-in for the Hessian.  w_t <- w_t exp(step_size E_t / E_t(first)).
"""

from dataclasses import KW_ONLY

import numpy as np

from .._backend import namespace_of, to_numpy
from .._checks import check_flag, check_option, check_strength
from ._balancer import LARGEST, Answer, Balancer, OwnState
from ._parameters import parameter_holder
from ._simplex import exponentiated, shares
from ._stats import TaskStats

OFFICIAL_OFFSET = 1e-7  # added to S in the published program


@parameter_holder
class ExcessRisk(Balancer):
    """Weights that grow with the part of a task's loss that can still be removed.

    A task whose labels are noise has a large loss but little excess, so it does not draw the
    weights to itself. The first step sets the baselines and leaves the weights equal.

    Parameters
    ----------
    excess : {"auto", "exact", "diag"}, default="auto"
        "exact": loss minus the least loss of the task, as given in the statistics; "diag": an
        estimate from the gradients, with a state as large as the Jacobian; "auto": exact where
        given.
    step_size : float in (0, inf), default=1.0
        Step of the exponentiated gradient.
    relative : bool, default=True
        Divide each excess by its first positive value, so that units do not matter.
    compat : {None, "official"}, default=None
        "official": the published program's update, whose estimate adds 1e-7 to S_t; it takes no
        exact excess.
    preference, smoothing, max_norm, scale_heads
        As in every :class:`Balancer`; the preferences are factors of the excesses, and of
        the weights.

    Notes
    -----
    The estimate from gradients stays above zero where these are noisy, as in small batches of noisy
    labels, and a task that learns its noise by heart has an excess for long: in many steps of size
    1 such tasks can draw the weights after all. Linear models measure the excess exactly.

    References
    ----------
    Y. He, S. Zhou, G. Zhang, H. Yun, Y. Xu, B. Zeng, T. Chilimbi and H. Zhao, "Robust multi-task
    learning with excess risks", ICML 2024, arXiv:2402.02009.

    Examples
    --------
    >>> from skmtl.balancing import balance
    >>> J = [[1.0, 0.0], [0.0, 1.0]]
    >>> first = balance(J, balancer="excess_risk", excess=[1.0, 20.0])
    >>> first.weights
    array([1., 1.])
    >>> balance(J, balancer="excess_risk", excess=[0.9, 2.0], state=first.state).weights.round(2)
    array([1.38, 0.62])
    """

    long = frozenset({"squares"})
    remembers = True
    promises = frozenset({"equivariant", "nonnegative"})

    excess: str = "auto"
    _: KW_ONLY
    step_size: float = 1.0
    relative: bool = True
    compat: str | None = None

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]  # parameters decide
        return frozenset({"excess"} if self.excess == "exact" else {"jacobian"})

    @property
    def welcomes(self) -> frozenset[str]:  # type: ignore[override]  # parameters decide
        automatic = self.excess == "auto" and self.compat is None
        return frozenset({"excess"} if automatic else ())

    def reads(self, stats: TaskStats) -> frozenset[str]:
        better = super().reads(stats) & {"excess"}
        return better or self.needs

    def check(self, n_tasks: int) -> None:
        super().check(n_tasks)
        check_option("excess", self.excess, ("auto", "exact", "diag"))
        check_strength("step_size", self.step_size, infinite=False)
        check_flag("relative", self.relative)
        check_option("compat", self.compat, (None, "official"))
        if self.compat is not None and (self.excess == "exact" or not self.relative):
            raise ValueError(
                'compat="official" is the published update: leave excess at "auto" or "diag" and '
                f"relative at True, got excess={self.excess!r} and relative={self.relative!r}."
            )

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        return {"log_weights": np.zeros(n_tasks), "baseline": np.zeros(n_tasks)}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        excess, seen = self._excess(stats, own)
        baseline = np.where(own["baseline"] > 0, own["baseline"], excess)
        values = p * (_ratio(excess, baseline) if self.relative else excess)
        first = (own["baseline"] == 0).all()
        log_weights = own["log_weights"]
        if not first:
            log_weights = exponentiated(log_weights, values, self.step_size)
        own = {"log_weights": log_weights, "baseline": baseline, **seen}
        return Answer(shares(log_weights, p), own)

    def scales(self, first: np.ndarray) -> np.ndarray:
        """One over the first excess if `relative`, times the preference."""
        first = np.clip(first, 0, LARGEST)
        p = self.preferences(len(first))
        if not self.relative:
            return p
        return np.where(first > 0, p / np.where(first > 0, first, 1.0), 0.0)

    def _excess(self, stats: TaskStats, own: OwnState) -> tuple[np.ndarray, OwnState]:
        if self.reads(stats) == {"excess"}:
            return np.clip(stats.excess, 0, LARGEST), {}
        g = stats.wide_jacobian
        xp = namespace_of(g)
        squares = g**2 + own["squares"] if "squares" in own else g**2
        offset = OFFICIAL_OFFSET if self.compat == "official" else 0.0
        # entries that have always been zero add nothing
        root = xp.sqrt(xp.where(squares + offset > 0, squares + offset, xp.ones_like(g)))
        excess = to_numpy(xp.sum(g * (g / root), axis=1))
        return np.minimum(np.asarray(excess, np.float64), LARGEST), {"squares": squares}


def _ratio(excess: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """Relative excess, 0 where there has been none."""
    return np.minimum(excess / np.where(baseline > 0, baseline, 1.0), LARGEST)
