"""Training along gradients at a distance: SharpnessAware's h_t, taken at theta + eps_t.

"f_mtl" balances the gradients g_t at theta and the flat parts h_t - g_t, each by themselves, and
adds what comes of them; "samo" balances the h_t.
"""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._backend import place_of
from ._distance import at_distance, mixed_directions, of_length
from ._kept import kept_state, taken_up
from ._pass import combined, forward_pass, of_units, shared_jacobian
from ._weigher import Weigher


@dataclass(eq=False)
class Perturbed:
    """Source of steps along perturbed gradients.

    Attributes
    ----------
    objective : Objective
    perturbation : SharpnessAware
    rng : RandomState
        Draws the directions of "samo".
    balanced : Balanced or None
        None: the gradients have the objective's own weights.
    flat : Weigher or None
        Of the flat parts; None: they have the weights of the gradients.
    """

    objective: Any
    perturbation: Any
    rng: Any
    balanced: Any = None
    flat: Any = None

    @property
    def network(self):
        return self.objective.network

    def penalty(self, theta):
        """Value of the penalties, a float."""
        return self.objective.penalty(theta)

    def epoch_weights(self):
        """Mean weights of the epoch that ends; None without a balancer."""
        return (self.balanced or self.objective).epoch_weights()

    def kept(self):
        """What a later training goes on from."""
        flat = None if self.flat is None else kept_state(self.flat.state)
        balancer = {} if self.balanced is None else self.balanced.kept(flat)
        return balancer | {"noise": self.rng}

    def gradient(self, theta, params, rows):
        """(sums of the losses of each task at theta, gradient); the next call overwrites it."""
        objective, rho, J = self.objective, self.perturbation.rho, None
        one = forward_pass(objective, params, rows, objective.workspace(rows))
        if self.perturbation.mode == "samo":
            E = mixed_directions(objective, theta, one, self.perturbation.beta, self.rng)
        else:
            E = J = shared_jacobian(objective, one)
        two, J_2 = at_distance(objective, theta, one, of_length(E, rho), rho)
        if self.balanced is None:
            mean = one.totals / rows.total
            grad = self._gathered([(combined(mean, J_2), mean, two.heads)])
            grad += objective.decay * theta
        else:
            parts = self._weighed(theta, (one, J), (two, J_2))
            grad = self.balanced.finished(theta, self._gathered(parts))
        return one.sums, grad

    def _weighed(self, theta, here, there):
        """(shared gradient, weights of heads, their gradients) of each part that is added."""
        (one, J), (two, J_2), balanced = here, there, self.balanced
        parts = [(balanced.weigher, J_2, two.heads)]
        if self.flat is not None:
            flat_heads = [b - a for a, b in zip(one.heads, two.heads, strict=True)]
            parts = [(balanced.weigher, J, one.heads), (self.flat, J_2 - J, flat_heads)]
        if balanced.is_due():
            told = balanced.told(theta, one)
            first = (two, J_2) if self.flat is None else (one, J)
            balanced.weigher.ask(balanced.seen(*first), one, **told)
            if self.flat is not None:
                self.flat.ask(balanced.seen_of(J_2 - J), one, **told)
        balanced.count(one)
        return [(who.of_shared(G), who.of_heads(one), heads) for who, G, heads in parts]

    def _gathered(self, parts):
        """The flat gradient without penalties."""
        network, (flat, grads) = self.network, self.objective.grad
        flat[:] = 0
        for shared, own, (specific, intercepts) in parts:
            own = of_units(self.objective, own)
            flat[: network.n_shared] += shared
            grads.intercepts[...] += own * intercepts
            if network.has_specific:
                grads.specific[...] += own[:, None] * specific
        return flat


def perturbed(objective, perturbation, memory, balanced, rng):
    """Source of steps along perturbed gradients, going on from a Memory where it can."""
    noise = _ahead(rng) if memory.noise is None else memory.noise
    flat = None
    if perturbation.mode == "f_mtl" and balanced is not None and balanced.reads_gradients:
        kept = memory.balancer and memory.balancer.flat
        state, _ = taken_up(kept, balanced.balancing, noise, place_of(objective.decay))
        flat = Weigher(balanced.balancing, state)
    return Perturbed(objective, perturbation, noise, balanced, flat)


def _ahead(rng):
    """Generator seeded by what `rng` would draw next; what `rng` itself draws stays the same."""
    return np.random.RandomState(copy.deepcopy(rng).randint(2**31))
