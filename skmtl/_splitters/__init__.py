"""Splitters that spread every task's labels; public in skmtl.model_selection."""

from ._given import splits_of
from ._split import MultiTaskKFold, MultiTaskShuffleSplit

__all__ = ["MultiTaskKFold", "MultiTaskShuffleSplit", "splits_of"]
