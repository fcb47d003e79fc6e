"""Figures of fitted models and of comparisons; matplotlib is imported when one is drawn."""

from ._comparison import ComparisonDisplay
from ._comparison_curve import ComparisonCurveDisplay
from ._shared_specific import SharedSpecificDisplay

__all__ = ["ComparisonCurveDisplay", "ComparisonDisplay", "SharedSpecificDisplay"]
