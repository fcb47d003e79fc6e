"""Trunk shared by all tasks and linear heads h_t = h_0 + u_t, in one flat vector with views.

A head is a unit of output: one a task in regression, one a class where tasks have more than two.
`channels` says which shared vector each unit deviates from.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .._backend import namespace_of
from ._activations import ACTIVATIONS


class Parameters(NamedTuple):
    """Views of a flat vector, of parameters or of their gradient.

    Attributes
    ----------
    weights : list of arrays of shape (n_in, n_out)
        Of the trunk's layers.
    biases : list of arrays of shape (n_out,)
    shared : array of shape (n_channels, width)
        h_0.
    specific : array of shape (n_units, width)
        u_t.
    intercepts : array of shape (n_units,)
    """

    weights: list
    biases: list
    shared: Any
    specific: Any
    intercepts: Any


class Workspace(NamedTuple):
    """Arrays that passes over as many rows overwrite: one a hidden layer, (n, width) each."""

    layers: list
    deltas: list


@dataclass(frozen=True, eq=False)
class Network:
    """Shapes of a network, and its passes.

    Attributes
    ----------
    sizes : tuple of int
        Features, then the widths of the hidden layers.
    activation : str
    channels : ndarray of shape (n_units,)
        Shared vector of each unit of output.
    n_channels : int
    unit_tasks : ndarray of shape (n_units,)
        Task of each unit, ascending.
    n_tasks : int
    has_shared, has_specific : bool
        Whether h_0 and the u_t differ from zero.
    """

    sizes: tuple
    activation: str
    channels: np.ndarray
    n_channels: int
    unit_tasks: np.ndarray
    n_tasks: int
    has_shared: bool
    has_specific: bool

    def shapes(self):
        """Shapes of all blocks, in the order of the flat vector."""
        width, n_units = self.sizes[-1], len(self.channels)
        trunk = [*pairwise(self.sizes), *((n,) for n in self.sizes[1:])]
        return [*trunk, (self.n_channels, width), (n_units, width), (n_units,)]

    @cached_property
    def _blocks(self):
        """(first, last + 1, shape) of each block in the flat vector."""
        stops = list(accumulate(map(prod, self.shapes())))
        return list(zip([0, *stops], stops, self.shapes(), strict=False))

    @property
    def n_parameters(self):
        return self._blocks[-1][1]

    @property
    def n_shared(self):
        """Parameters of the trunk and of h_0, which come first in the flat vector."""
        return self._blocks[-3][1]

    @cached_property
    def units(self):
        """Slice of the units of each task."""
        stops = np.searchsorted(self.unit_tasks, np.arange(self.n_tasks + 1))
        return [slice(start, stop) for start, stop in pairwise(stops.tolist())]

    def views(self, flat):
        """Parameters that are views of the flat vector."""
        if isinstance(flat, np.ndarray):
            parts = [flat[start:stop].reshape(shape) for start, stop, shape in self._blocks]
        else:
            reshape = namespace_of(flat).reshape
            parts = [reshape(flat[a:b], shape, copy=False) for a, b, shape in self._blocks]
        depth = len(self.sizes) - 1
        return Parameters(parts[:depth], parts[depth : 2 * depth], *parts[2 * depth :])

    def initial(self, rng):
        """Glorot's uniform weights, drawn as scikit-learn draws them; every head begins alike."""
        gain, sizes = ACTIVATIONS[self.activation].gain, [*self.sizes, len(self.channels)]
        flat = np.zeros(self.n_parameters)
        start = self.views(flat)
        for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            bound = np.sqrt(gain / (fan_in + fan_out))
            if layer < len(start.weights):
                start.weights[layer][...] = rng.uniform(-bound, bound, (fan_in, fan_out))
                start.biases[layer][...] = rng.uniform(-bound, bound, fan_out)
            else:  # heads that differed would make the fit depend on the order of the tasks
                heads = rng.uniform(-bound, bound, (fan_in, self.n_channels)).T
                self._set_heads(start, heads)
                start.intercepts[...] = rng.uniform(-bound, bound, self.n_channels)[self.channels]
        return flat

    def _set_heads(self, start, heads):
        if self.has_shared:
            start.shared[...] = heads
        elif self.has_specific:
            start.specific[...] = heads[self.channels]

    def strengths(self, alpha, alpha_shared, alpha_specific):
        """Penalty strength of each parameter, a flat vector."""
        flat = np.zeros(self.n_parameters)
        blocks = self.views(flat)
        for W in blocks.weights:
            W[...] = alpha
        blocks.shared[...] = alpha_shared if self.has_shared else 0
        blocks.specific[...] = alpha_specific if self.has_specific else 0
        return flat

    def curvature_units(self):
        """Units in which h_0 and the u_t curve the objective alike: h_0 moves all heads at once."""
        units = np.ones(self.n_parameters)
        heads = np.maximum(self.incidence().sum(axis=0), 1)
        self.views(units).shared[...] = 1 / np.sqrt(heads)[:, None]
        return units

    def incidence(self):
        """Array (n_units, n_channels) of ones where a unit deviates from a shared vector."""
        return np.equal.outer(self.channels, np.arange(self.n_channels)).astype(float)

    def workspace(self, n, dtype):
        """NumPy arrays for the layers of n rows and for the derivatives in them.

        Arrays of a megabyte that come and go with each pass can cost more than what is done to
        them: the system may have to hand out their pages anew each time.
        """
        layers, deltas = (
            [np.empty((n, width), dtype=dtype) for width in self.sizes[1:]] for _ in range(2)
        )
        return Workspace(layers, deltas)

    def forward(self, params, X, work=None):
        """[X, activations of each hidden layer]; the last one is the representation."""
        layers, apply = [X], ACTIVATIONS[self.activation].apply
        for layer, (W, c) in enumerate(zip(params.weights, params.biases, strict=True)):
            Z = product(layers[-1], W, work and work.layers[layer])
            Z += c
            layers.append(apply(Z))
        return layers

    def deltas(self, params, layers, D, work=None):
        """Yield (layer number, derivative in its preactivation) from the top down.

        `D` is the derivative in the representation, (n, width) or a stack of these, and is
        overwritten.
        """
        slope = ACTIVATIONS[self.activation].slope
        for layer in reversed(range(len(params.weights))):
            D = slope(layers[layer + 1], D)
            yield layer, D
            if layer:
                D = product(D, params.weights[layer].T, work and work.deltas[layer - 1])

    def backward(self, params, grads, layers, D, work=None):
        """Write the trunk's gradient into the views `grads`."""
        for layer, D_l in self.deltas(params, layers, D, work):
            product_into(grads.weights[layer], layers[layer].T, D_l)
            grads.biases[layer][...] = column_sums(D_l)


def product(A, B, out=None):
    """A @ B, in the NumPy array `out` if given."""
    if out is None or not isinstance(A, np.ndarray):
        return A @ B
    return np.matmul(A, B, out=out)


def product_into(out, A, B):
    """out[...] = A @ B, without a copy where that is possible."""
    if isinstance(A, np.ndarray):
        np.matmul(A, B, out=out)
    else:
        out[...] = A @ B


def column_sums(D):
    """Sums over the rows of D or of a stack; NumPy takes a third of the time with a product."""
    if isinstance(D, np.ndarray):
        return np.ones(D.shape[-2], dtype=D.dtype) @ D
    return namespace_of(D).sum(D, axis=-2)


def grown(flat, old, new, unit_of, *, fill):
    """A flat vector of the network `old` laid out for `new`, which has more units.

    Parameters
    ----------
    flat : ndarray of shape (old.n_parameters,)
    old, new : Network
    unit_of : ndarray of shape (n_old_units,)
        Number in `new` of each unit of `old`.
    fill : bool
        Whether a new unit begins with the mean of the others' intercepts, not at zero.
    """
    out = np.zeros(new.n_parameters, dtype=flat.dtype)
    source, target = old.views(flat), new.views(out)
    for mine, theirs in zip(
        target.weights + target.biases, source.weights + source.biases, strict=True
    ):
        mine[...] = theirs
    if new.has_shared:
        target.shared[...] = source.shared
    if new.has_specific:  # which then also hold what the heads shared
        target.specific[unit_of] = source.specific
        if not new.has_shared:
            target.specific[unit_of] += source.shared[old.channels]
    if fill and source.intercepts.size:
        target.intercepts[...] = source.intercepts.mean()
    target.intercepts[unit_of] = source.intercepts
    return out
