"""Splitters that spread every task's labels; public in skmtl.model_selection."""

from ._split import MultiTaskKFold, MultiTaskShuffleSplit

__all__ = ["MultiTaskKFold", "MultiTaskShuffleSplit"]
