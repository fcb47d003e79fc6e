"""Splitters that respect tasks, the honest comparison, Pareto fronts, wide and long data."""

from .._splitters import MultiTaskKFold, MultiTaskShuffleSplit
from ._compare import compare
from ._comparison import Comparison
from ._comparison_curve import ComparisonCurve
from ._pareto import ParetoFront, trace_pareto_front
from ._reshape import from_task_lists, to_wide
from ._rows_per_task import compare_by_rows

__all__ = [
    "Comparison",
    "ComparisonCurve",
    "MultiTaskKFold",
    "MultiTaskShuffleSplit",
    "ParetoFront",
    "compare",
    "compare_by_rows",
    "from_task_lists",
    "to_wide",
    "trace_pareto_front",
]
