"""What a balancer remembers, on the host between trainings and beside the data in them."""

from typing import Any, NamedTuple

from .._backend import is_foreign, to_numpy, to_place


class KeptState(NamedTuple):
    """A balancer's state on the host, and the names of arrays that were elsewhere.

    Attributes
    ----------
    state : State
    elsewhere : frozenset
    epoch : int
        Epochs that it has seen.
    flat : KeptState or None
        State for the flat parts of gradients, under a perturbation.
    """

    state: Any
    elsewhere: frozenset
    epoch: int = 0
    flat: Any = None


def kept_state(state, epoch=0, flat=None):
    """KeptState of a state, after so many epochs."""
    elsewhere = frozenset(name for name, value in state.own.items() if is_foreign(value))
    own = {k: to_numpy(v) if k in elsewhere else v for k, v in state.own.items()}
    return KeptState(state._replace(own=own), elsewhere, epoch, flat)


def taken_up(kept, balancing, rng, place):
    """(state, epochs seen) to go on from; a balancer begins anew where there are other tasks."""
    balancer, n_tasks = balancing.balancer, balancing.n_tasks
    balancer.check(n_tasks)
    own = (type(balancer).__name__, n_tasks)
    if kept is None or (kept.state.strategy, len(kept.state.weights)) != own:
        return balancer.init(n_tasks, rng), 0
    arrays = {k: to_place(v, place) for k, v in kept.state.own.items() if k in kept.elsewhere}
    return kept.state._replace(own=kept.state.own | arrays), kept.epoch
