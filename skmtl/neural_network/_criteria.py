"""Losses of labels under their weights V, their derivatives in the scores, and labels hit."""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .._backend import namespace_of, place_of, take, to_place
from .._input import float_name
from .._registry import resolve
from ..losses import LOSSES, MultinomialLogLoss

REGRESSION = {name: LOSSES[name] for name in ("squared_error", "huber")}
CLASSIFICATION = {name: LOSSES[name] for name in ("log_loss", "hinge", "squared_hinge")}


class Elementwise(NamedTuple):
    """A loss of one label in one score, times `factor`.

    Attributes
    ----------
    loss : object
        With `value(y, z)` and `gradient(y, z)`.
    factor : float
    """

    loss: Any
    factor: float

    def weighted(self, rows, Z):
        """Weighted losses, of the shape of the labels, and derivatives, of that of the scores Z."""
        V = self.factor * rows.V
        return V * self.loss.value(rows.labels, Z), V * self.loss.gradient(rows.labels, Z)

    def hits(self, rows, Z):
        """Ones where the sign of a score tells the label 0 or 1, of the shape of the labels."""
        xp = namespace_of(Z)
        return xp.astype((Z > 0) == (rows.labels > 0), Z.dtype)


class ByClass:
    """A loss of one label in the scores of its task's classes; labels number them from 0.

    Parameters
    ----------
    sizes : list of int
        Number of classes of each task.
    """

    def __init__(self, sizes):
        self.sizes = np.array(sizes)

    @cached_property
    def groups(self):
        """(number of classes, tasks, their units) for each number of classes."""
        stops = np.cumsum(self.sizes)
        return [
            (size, tasks, (stops[tasks, None] - size + np.arange(size)).ravel())
            for size in np.unique(self.sizes)
            for tasks in [np.flatnonzero(self.sizes == size)]
        ]

    def weighted(self, rows, Z):
        """Weighted losses (n, n_tasks), and derivatives (n, n_units) in the scores Z."""
        losses, slopes = [], []
        for size, tasks, units in self.groups:
            V = _columns(rows.V, tasks)
            one_hot, z = self._one_hot(rows, Z, size, tasks), _stacked(Z, units, size)
            E, R = self.loss_of_classes(one_hot, z)
            losses.append(V * _flat(E, V.shape))
            of_units = _columns(V, np.repeat(np.arange(len(tasks)), size))
            slopes.append(_flat(R, (len(rows), len(units))) * of_units)
        tasks, units = (np.concatenate(parts) for parts in list(zip(*self.groups, strict=True))[1:])
        return _in_order(losses, tasks), _in_order(slopes, units)

    def hits(self, rows, Z):
        """Ones where the largest score is that of the label, (n, n_tasks)."""
        xp, found = namespace_of(Z), []
        for size, tasks, units in self.groups:
            best = xp.argmax(_stacked(Z, units, size)[:, :, 0], axis=1)
            best = xp.astype(xp.reshape(best, (len(rows), len(tasks))), Z.dtype)
            found.append(xp.astype(best == _columns(rows.labels, tasks), Z.dtype))
        return _in_order(found, np.concatenate([tasks for _, tasks, _ in self.groups]))

    def _one_hot(self, rows, Z, size, tasks):
        xp = namespace_of(Z)
        y = xp.reshape(_columns(rows.labels, tasks), (-1, 1, 1))
        numbers = to_place(np.arange(size)[:, None], place_of(Z), float_name(Z))
        return xp.astype(y == numbers, Z.dtype)


class Softmax(ByClass):
    """Log loss of the scores of the classes."""

    loss = MultinomialLogLoss()

    def loss_of_classes(self, one_hot, z):
        return self.loss.value(one_hot, z), self.loss.gradient(one_hot, z)


class OneAgainstRest(ByClass):
    """Binary losses of the scores of all classes of a task, each against the others, summed."""

    def __init__(self, sizes, loss):
        super().__init__(sizes)
        self.loss = loss

    def loss_of_classes(self, one_hot, z):
        E = self.loss.value(one_hot, z)
        return namespace_of(z).sum(E, axis=1), self.loss.gradient(one_hot, z)


def regression_criterion(loss):
    """Twice the half losses of `skmtl.losses`: squares are whole, as in Ridge."""
    found = resolve(loss, REGRESSION, "loss")
    if not (hasattr(found, "value") and hasattr(found, "gradient")) or isinstance(found, type):
        raise TypeError(
            f"loss must be one of {sorted(REGRESSION)} or an object with value(y, z) and "
            f"gradient(y, z), got {loss!r}."
        )
    return Elementwise(found, factor=2.0)


def classification_criterion(loss, sizes):
    """Of tasks that all have one score, if `sizes` is None, or as many as they have classes."""
    if sizes is None:
        return Elementwise(CLASSIFICATION[loss], factor=1.0)
    return Softmax(sizes) if loss == "log_loss" else OneAgainstRest(sizes, CLASSIFICATION[loss])


def _columns(x, index):
    """Columns of x, x itself where it is all of them in order."""
    if len(index) == x.shape[1] and (np.diff(index) == 1).all():
        return x
    return take(x, index, axis=1)


def _stacked(Z, units, size):
    """Scores of a group of shape (n * n_group_tasks, size, 1)."""
    return namespace_of(Z).reshape(_columns(Z, units), (-1, int(size), 1))


def _flat(x, shape):
    return namespace_of(x).reshape(x, shape)


def _in_order(parts, numbers):
    """Parts side by side, whose columns have these numbers, in the order of the numbers."""
    if len(parts) == 1:
        return parts[0]
    return take(namespace_of(parts[0]).concat(parts, axis=1), np.argsort(numbers), axis=1)
