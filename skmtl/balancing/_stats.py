"""What a balancer may read of one step: losses, distances to optima, and the gradients' Gramian.

J J' = diag(s) C diag(s) with the norms s of the rows and the Gramian C of the unit rows: no product
of gradients overflows, and only these T x T numbers come to the host.
"""

from functools import cached_property
from math import frexp
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._backend import Array, namespace_of, place_of, take, to_numpy, to_place, widest_float

VECTORS = ("losses", "excess", "distances", "disagreement", "post_losses")
FEW, LONG = 10, 2**13  # tasks and parameters of a Jacobian that is so flat that BLAS is slow
TINY = float(np.finfo(np.float64).tiny)  # a shorter gradient is none: 1 / norm would overflow


class TaskStats:
    """Statistics of the tasks at one step, each computed when it is first read.

    Gradients come as a Jacobian, of which the norms and the Gramian of the unit rows are computed,
    or as these two alone; methods that read losses only need neither.

    Parameters
    ----------
    jacobian : array of shape (n_tasks, n_params), default=None
        Gradients of the tasks' losses, of NumPy or any array-API library; it stays where it lies.
    norms : array-like of shape (n_tasks,), default=None
        Norms of the gradients.
    unit_gramian : array-like of shape (n_tasks, n_tasks), default=None
        Inner products of the gradients divided by their norms; rows of zero gradients are not read.
    losses : array-like of shape (n_tasks,), default=None
        Mean loss of each task.
    excess : array-like of shape (n_tasks,), default=None
        Loss of each task minus the least it can have by itself.
    distances : array-like of shape (n_tasks,), default=None
        Distance of the parameters to each task's own optimum.
    disagreement : array-like of shape (n_tasks,), default=None
        Loss of each task where no agreement is reached.
    post_losses : array-like of shape (n_tasks,), default=None
        Losses, after the last step, on the data that this step was made on.
    epoch : int, default=None
        Number of the epoch, from 0.
    present : array-like of shape (n_tasks,), default=None
        Mask of the tasks that the batch has labels of; the others are passed over. None: all.

    Attributes
    ----------
    n_tasks : int
        Number of tasks, as the first statistic given has it.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.balancing import TaskStats
    >>> stats = TaskStats(np.array([[3.0, 4.0], [0.0, 1e-200]]))
    >>> stats.norms
    array([5.e+000, 1.e-200])
    >>> stats.unit_gramian
    array([[1. , 0.8],
           [0.8, 1. ]])
    """

    def __init__(
        self,
        jacobian: Array | None = None,
        *,
        norms: ArrayLike | None = None,
        unit_gramian: ArrayLike | None = None,
        losses: ArrayLike | None = None,
        excess: ArrayLike | None = None,
        distances: ArrayLike | None = None,
        disagreement: ArrayLike | None = None,
        post_losses: ArrayLike | None = None,
        epoch: int | None = None,
        present: ArrayLike | None = None,
    ):
        self.jacobian: Array = jacobian
        self._gradients = None if norms is None else (_vector(norms), _host(unit_gramian))
        self.losses = _vector(losses)
        self.excess = _vector(excess)
        self.distances = _vector(distances)
        self.disagreement = _vector(disagreement)
        self.post_losses = _vector(post_losses)
        self.epoch = epoch
        self.n_tasks = self._first_length()
        self.present = None if present is None else np.asarray(to_numpy(present), dtype=bool)

    @cached_property
    def _scales(self) -> tuple[np.ndarray, np.ndarray]:
        return self._gradients or _norms_and_cosines(self.wide_jacobian)

    @property
    def norms(self) -> np.ndarray:
        """Norms of the gradients, of shape (n_tasks,)."""
        return self._scales[0]

    @property
    def unit_gramian(self) -> np.ndarray:
        """Gramian of the unit gradients, of shape (n_tasks, n_tasks)."""
        return self._scales[1]

    @cached_property
    def span(self) -> tuple[Array, np.ndarray]:
        """(Q, F) with Q F = U' for the unit gradients U, none zero; F comes to the host.

        Q has orthonormal columns and F'F is the Gramian of U, in which small singular values hide.
        """
        J = self.wide_jacobian
        U = J / beside(self.norms, J)[:, None]
        Q, F = namespace_of(U).linalg.qr(U.T, mode="reduced")
        F = _host(F)
        return Q, F / np.linalg.norm(F, axis=0)

    @cached_property
    def vanishes(self) -> bool:
        """Whether gradients are known and all of them are zero."""
        if self._gradients is not None or self.jacobian is None:
            return self.has("gramian") and not (self.norms > TINY).any()
        xp = namespace_of(self.jacobian)
        return not bool(xp.any(self.jacobian != 0))

    def has(self, name: str) -> bool:
        """Whether the statistic is at hand: "gramian", "jacobian", or the name of a parameter."""
        if name == "gramian":
            return self.jacobian is not None or self._gradients is not None
        return getattr(self, name) is not None

    def active(self, *, moving: bool) -> np.ndarray:
        """Indices of the tasks that are present and, if `moving`, whose gradient is not zero."""
        here = self.norms > TINY if moving else np.ones(self.n_tasks, bool)
        return (here if self.present is None else here & self.present).nonzero()[0]

    def take(self, index: np.ndarray) -> "TaskStats":
        """The statistics of some tasks, by a NumPy index array."""
        if len(index) == self.n_tasks:
            return self
        norms = gramian = None
        if self.has("gramian"):
            norms, gramian = self.norms[index], self.unit_gramian[np.ix_(index, index)]
        return TaskStats(
            None if self.jacobian is None else take(self.jacobian, index),
            norms=norms,
            unit_gramian=gramian,
            epoch=self.epoch,
            **{k: getattr(self, k)[index] for k in VECTORS if self.has(k)},
        )

    @cached_property
    def wide_jacobian(self) -> Array:
        """The Jacobian in the widest floating type of its device."""
        return beside(self.jacobian, self.jacobian)

    def combine(self, weights: np.ndarray) -> Array:
        """J' weights, of shape (n_params,), where the Jacobian lies and of its floating type."""
        J = self.wide_jacobian
        # infinities of both signs would make NaN; a power of 2 changes no digit
        size = 2.0 ** max(frexp(max(map(abs, weights.tolist())))[1], 0)
        with np.errstate(over="ignore"):
            direction = beside(weights / size, J) @ J
            return self.like_jacobian(direction * size if size > 1 else direction)

    def like_jacobian(self, direction: Array) -> Array:
        """The direction in the type of the Jacobian, if that is a floating one."""
        dtype = self.jacobian.dtype
        if dtype == direction.dtype:
            return direction
        xp = namespace_of(direction)
        return xp.astype(direction, dtype) if xp.isdtype(dtype, "real floating") else direction

    def _first_length(self) -> int:
        if self.jacobian is not None:
            return self.jacobian.shape[0]
        if self._gradients is not None:
            return len(self._gradients[0])
        lengths = [len(getattr(self, name)) for name in VECTORS if self.has(name)]
        if not lengths:
            raise ValueError("TaskStats needs a jacobian, norms, or losses; got none of them.")
        return lengths[0]


def _vector(values: ArrayLike | None) -> Any:
    return None if values is None else np.atleast_1d(_host(values))


def _host(values: Any) -> np.ndarray:
    return np.asarray(to_numpy(values), dtype=np.float64)


def beside(values: Any, J: Array) -> Array:
    """Numbers as an array on the device of J, in the widest floating type there."""
    if isinstance(J, np.ndarray):
        return np.asarray(values, dtype=np.float64)
    place = place_of(J)
    return to_place(values, place, widest_float(place))


def _norms_and_cosines(J: Array) -> tuple[np.ndarray, np.ndarray]:
    """Norms of the rows and the Gramian of the unit rows, with ones on its diagonal."""
    info = namespace_of(J).finfo(J.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        G = _gramian(J)
        norms = lengths = np.sqrt(G.diagonal())
        squares = G.diagonal().tolist()  # Python finds the extremes of a few numbers sooner
        if not (min(squares) > info.smallest_normal / info.eps**2 and max(squares) < np.inf):
            scale = _largest(J)  # some over- or underflow
            G = _gramian(J / beside(scale, J)[:, None])
            lengths = np.sqrt(G.diagonal())
            norms = np.minimum(lengths * scale, np.finfo(np.float64).max)
            lengths = np.where(lengths > 0, lengths, 1.0)
    cosines = np.minimum(np.maximum(G / (lengths * lengths[:, None]), -1.0), 1.0)
    cosines.flat[:: len(G) + 1] = 1.0
    return norms, cosines


def _gramian(J: Array) -> np.ndarray:
    T, d = J.shape
    if not isinstance(J, np.ndarray):
        return _host(J @ J.T)
    if T > FEW or d < LONG:
        return J.dot(J.T)  # begins sooner than matmul
    G = np.empty((T, T))
    for t in range(T):  # a third of the time of one product: BLAS packs what it reads but once
        G[t, t:] = G[t:, t] = J[t:] @ J[t]
    return G


def _largest(J: Array) -> np.ndarray:
    """Largest absolute entry of each row, 1 where the row is zero."""
    if J.shape[1] == 0:
        return np.ones(J.shape[0])
    xp = namespace_of(J)
    largest = _host(xp.max(xp.abs(J), axis=1))
    return np.where(largest > TINY, largest, 1.0)
