"""Penalties on the coefficients W (n_tasks, n_features), one a file."""

from ._shared_specific import SharedSpecific

PENALTIES = {"shared_specific": SharedSpecific}

__all__ = ["PENALTIES", "SharedSpecific"]
