"""The contract of a balancer: `init` makes a state, `step` reads statistics and hands back weights
and the next state, `direction` combines the gradients.  Nothing is ever changed in place.

A strategy writes `weigh`, for tasks that are there and whose gradients, if it reads them, are not
zero; what all strategies have in common (degenerate steps, preferences, averages) is done here.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from sklearn.base import BaseEstimator

from .._backend import Array, namespace_of, place_of, take
from .._checks import check_flag, check_strength
from ._parameters import check_preference, check_share
from ._stats import TaskStats

OwnState: TypeAlias = dict[str, Any]  # a strategy's arrays and scalars by name
GRADIENTS = frozenset({"gramian", "jacobian"})
LARGEST = 1e300  # weights end here, so that their products with gradients stay finite
HOW_TO_GIVE = {
    "gramian": "a jacobian of shape (n_tasks, n_params), or norms and a unit Gramian",
    "jacobian": "a jacobian of shape (n_tasks, n_params)",
}


class State(NamedTuple):
    """State of a balancer between two steps.

    Attributes
    ----------
    strategy : str
        Name of the class that it belongs to.
    own : dict
        The strategy's arrays, tasks along the first axis (along both for those in `pairs`), and
        scalars.
    average : ndarray of shape (n_tasks,)
        Running mean of the weights; NaN for a task that has had none.
    weights : ndarray of shape (n_tasks,)
        Weights of the last step.
    status : str
        "ok"; "approximate" if gradients are so nearly dependent that weights are the method's own
        up to a tolerance that it states; "stationary" if no direction improves all tasks and the
        method's own weights diverge or do not matter; "disagreement" if a task gains nothing over
        its disagreement.
    """

    strategy: str
    own: OwnState
    average: np.ndarray
    weights: np.ndarray
    status: str = "ok"


class Answer(NamedTuple):
    """Weights of a step, and the strategy's arrays for the next one, as `weigh` returns them.

    Attributes
    ----------
    weights : ndarray of shape (n_tasks,)
        Weights of the tasks that it saw.
    own : dict
        The strategy's arrays of these tasks, for the next step.
    status : str
        As in :class:`State`.
    """

    weights: np.ndarray
    own: OwnState
    status: str = "ok"


class Terms(NamedTuple):
    """Terms of a bargain between losses.

    Attributes
    ----------
    preference : ndarray of shape (n_tasks,)
        Mean 1.
    disagreement : ndarray of shape (n_tasks,) or None
        Losses without agreement; None: those of a model without features.
    against : {"losses", "gains"}
        What a penalty is weighed against.
    """

    preference: np.ndarray
    disagreement: np.ndarray | None
    against: str


@dataclass(kw_only=True, repr=False, eq=False)
class Balancer(BaseEstimator):
    """Base of the strategies that weigh tasks at each step.

    A strategy holds parameters only: what evolves is the state, passed in and handed back. With
    one task at work its weight is 1; where all gradients are zero the weights are equal; a task
    whose gradient is zero has weight 0 for methods that read gradients, which then weigh the rest.

    Parameters
    ----------
    preference : array-like of shape (n_tasks,), default=None
        Importance of the tasks, in (0, inf), used normalised to mean 1. None: equal.
    smoothing : float in [0, 1), default=0.0
        Share of the running mean of the weights in the next one; 0: none.
    max_norm : float in (0, inf), default=None
        Longest direction; longer ones are scaled down. None: no limit.
    scale_heads : bool, default=True
        Whether parameters that belong to one task alone follow the weighted gradient, and not
        their own as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.balancing import MGDA, TaskStats
    >>> stats = TaskStats(np.array([[2.0, 0.0], [0.0, 1.0]]))
    >>> balancer = MGDA()
    >>> state = balancer.init(2, np.random.RandomState(0))
    >>> weights, state = balancer.step(stats, state)
    >>> balancer.direction(stats, state)
    array([0.4, 0.8])
    """

    needs = frozenset({"gramian"})  # statistics that a step requires
    welcomes = frozenset[str]()  # statistics that a step uses where they are at hand
    promises = frozenset[str]()  # properties that the tests check
    pairs = frozenset[str]()  # names of own arrays of shape (n_tasks, n_tasks)
    long = frozenset[str]()  # names of own arrays of shape (n_tasks, n_params)
    remembers = False  # whether weights depend on earlier steps, beyond their baselines
    settles = True  # whether steps repeated at one point converge to one direction
    owns_direction = False  # whether the direction is no weighted sum of the gradients at hand
    unit_sum = False  # whether equal weights are 1 / n_tasks, as in a mean, and not 1
    divides_by_losses = False  # whether weights grow without a bound as losses vanish

    preference: Any = None
    smoothing: float = 0.0
    max_norm: float | None = None
    scale_heads: bool = True

    def check(self, n_tasks: int) -> None:
        """Raise TypeError or ValueError unless every parameter suits this number of tasks."""
        if self.preference is not None:
            self.preferences(n_tasks)
        check_share("smoothing", self.smoothing)
        if self.max_norm is not None:
            check_strength("max_norm", self.max_norm, infinite=False)
        check_flag("scale_heads", self.scale_heads)

    def init(self, n_tasks: int, rng: np.random.RandomState) -> State:
        """State before the first step.

        Parameters
        ----------
        n_tasks : int
        rng : numpy.random.RandomState
            Read by strategies that draw at random.

        Returns
        -------
        State
        """
        self.check(n_tasks)
        return State(
            type(self).__name__,
            self.start(n_tasks, rng),
            np.full(n_tasks, np.nan),
            self._equal(n_tasks),
        )

    def step(self, stats: TaskStats, state: State) -> tuple[np.ndarray, State]:
        """Weights of the tasks, and the next state.

        Parameters
        ----------
        stats : TaskStats
        state : State
            As `init` or the last step handed it back; it is left as it is.

        Returns
        -------
        weights : ndarray of shape (n_tasks,)
            The method's own, not normalised; 0 for a task that is passed over.
        state : State

        Raises
        ------
        ValueError
            If the method needs a statistic that is not at hand.
        """
        T = stats.n_tasks
        moving = not GRADIENTS.isdisjoint(self._check_at_hand(stats))
        index = stats.active(moving=moving)
        if len(index) == 0 or (not moving and stats.vanishes):
            weights = self._equal(T)
            return weights, state._replace(weights=weights, status="stationary")
        own = {name: self._of_tasks(name, value, index) for name, value in state.own.items()}
        with np.errstate(over="ignore"):  # what is too large ends at LARGEST
            answer = self.weigh(stats.take(index), self.preferences(T)[index], own)
        weights = np.ones(1) if len(index) == 1 else answer.weights.clip(-LARGEST, LARGEST)
        weights = self._averaged(weights, state.average, index)
        spread = _spread(weights, index, T)
        return spread, State(
            state.strategy,
            {k: self._among_all(k, v, state.own.get(k), index, T) for k, v in answer.own.items()},
            _merged(weights, state.average, index, T),
            spread.copy(),
            answer.status,
        )

    def direction(self, stats: TaskStats, state: State) -> Array:
        """Direction d to move against, of shape (n_params,): J' weights, unless it owns another.

        Parameters
        ----------
        stats : TaskStats
            The step's statistics, with a Jacobian.
        state : State
            The state that the step handed back.

        Returns
        -------
        array of shape (n_params,)
            In the Jacobian's library, on its device, no longer than `max_norm`.
        """
        return self.clip(self.combine(stats, state))

    def clip(self, direction: Array) -> Array:
        """The direction, scaled down to `max_norm` if it is longer."""
        if self.max_norm is None or direction.shape[0] == 0:
            return direction
        xp = namespace_of(direction)
        largest = float(xp.max(xp.abs(direction)))
        if largest == 0:
            return direction
        unit = direction / largest  # its squares do not overflow
        length = float(xp.sqrt(xp.sum(unit**2)))
        return unit * (self.max_norm / length) if largest > self.max_norm / length else direction

    def start(self, n_tasks: int, rng: np.random.RandomState) -> OwnState:
        """The strategy's own arrays before the first step, by name."""
        return {}

    def weigh(self, stats: TaskStats, p: np.ndarray, own: OwnState) -> Answer:
        """Weights of tasks that are there and whose gradients, if read, are not zero.

        Parameters
        ----------
        stats : TaskStats
            Of these tasks only.
        p : ndarray of shape (n_tasks,)
            Their preferences.
        own : dict
            Their rows of the strategy's own arrays.

        Returns
        -------
        Answer
        """
        raise NotImplementedError

    def combine(self, stats: TaskStats, state: State) -> Array:
        """The direction before it is clipped; strategies with `owns_direction` override it."""
        return stats.combine(state.weights)

    def reads(self, stats: TaskStats) -> frozenset[str]:
        """Names of the statistics that a step on `stats` reads."""
        return self.needs | {name for name in self.welcomes if stats.has(name)}

    def preferences(self, n_tasks: int) -> np.ndarray:
        """The preferences, normalised to mean 1, of shape (n_tasks,)."""
        return check_preference(self.preference, n_tasks)

    def merit(self, stats: TaskStats, state: State) -> np.ndarray:
        """Weights m >= 0 of a sum of the losses that falls along the direction d, m'J d > 0.

        The step's own weights are such, as m'J d is then ||d||^2, unless some are negative.
        """
        return np.maximum(state.weights, 0.0)

    def check_descent(self, stats: TaskStats) -> None:
        """Raise ValueError where the direction is not defined, so that no descent can follow it."""

    def scales(self, first: np.ndarray) -> np.ndarray | None:
        """Factors of the excesses, for a method that minimises the largest scaled excess.

        Parameters
        ----------
        first : ndarray of shape (n_tasks,)
            Excess before the first step.

        Returns
        -------
        ndarray of shape (n_tasks,) or None
            None for every other method.
        """
        return None

    def terms(self, n_tasks: int) -> Terms | None:
        """Terms of the bargain, for a method that maximises the product of gains.

        Parameters
        ----------
        n_tasks : int

        Returns
        -------
        Terms or None
            None for every other method.
        """
        return None

    def _equal(self, n_tasks: int) -> np.ndarray:
        p = self.preferences(n_tasks)
        return p / n_tasks if self.unit_sum else p

    def _of_tasks(self, name: str, value: Any, index: np.ndarray) -> Any:
        """Entries of a strategy's own array for the tasks `index`; a scalar is for all tasks."""
        if np.ndim(value) == 0:
            return value
        rows = take(value, index)
        return rows[:, index] if name in self.pairs else rows

    def _among_all(self, name: str, new: Any, old: Any, index: np.ndarray, n_tasks: int) -> Any:
        """Array of all tasks: new entries for the tasks `index`, else the old ones, or zeros."""
        if name not in self.pairs or len(index) == n_tasks:
            return _merged(new, old, index, n_tasks)
        all_pairs = np.zeros((n_tasks, n_tasks)) if old is None else old.copy()
        all_pairs[np.ix_(index, index)] = new
        return all_pairs

    def _averaged(self, weights: np.ndarray, average: np.ndarray, index: np.ndarray) -> np.ndarray:
        if self.smoothing == 0:
            return weights
        average = average[index]
        share = np.where(np.isnan(average), 0.0, self.smoothing)
        return share * np.nan_to_num(average) + (1 - share) * weights

    def _check_at_hand(self, stats: TaskStats) -> frozenset[str]:
        reads = self.reads(stats)
        for name in sorted(reads):
            if not stats.has(name):
                how = HOW_TO_GIVE.get(name, f"{name} of shape (n_tasks,)")
                raise ValueError(f"{type(self).__name__} needs {name} and got none; pass {how}.")
        return reads


def _spread(weights: np.ndarray, index: np.ndarray, n_tasks: int) -> np.ndarray:
    spread = np.zeros(n_tasks)
    spread[index] = weights
    return spread


def _merged(new: Any, old: Any, index: np.ndarray, n_tasks: int) -> Any:
    """The old array of all tasks, or zeros, with new rows for the tasks `index`."""
    if np.ndim(new) == 0 or len(index) == n_tasks:
        return new
    xp = namespace_of(new)
    if old is None:
        old = xp.zeros((n_tasks, *new.shape[1:]), dtype=new.dtype, device=place_of(new).device)
    row = np.arange(n_tasks)
    row[index] = n_tasks + np.arange(len(index))
    return take(xp.concat([old, new]), row)
