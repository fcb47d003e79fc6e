"""Splitters that respect tasks, the honest comparison, and reshaping between wide and long data."""

from ._compare import compare
from ._comparison import Comparison
from ._reshape import from_task_lists, to_wide
from ._split import MultiTaskKFold, MultiTaskShuffleSplit

__all__ = [
    "Comparison",
    "MultiTaskKFold",
    "MultiTaskShuffleSplit",
    "compare",
    "from_task_lists",
    "to_wide",
]
