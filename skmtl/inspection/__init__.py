"""Figures of fitted models and of comparisons; matplotlib is imported when one is drawn."""

from ._comparison import ComparisonDisplay

__all__ = ["ComparisonDisplay"]
