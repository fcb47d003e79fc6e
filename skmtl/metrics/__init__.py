"""Regression metrics by task: labels not observed (NaN) are left out, then tasks are averaged.

On a complete Y the values are scikit-learn's.
"""

from ._regression import (
    multitask_explained_variance_score,
    multitask_mean_absolute_error,
    multitask_mean_squared_error,
    multitask_r2_score,
    multitask_root_mean_squared_error,
)
from ._relative import average_relative_rmse, delta_m
from ._scorer import make_multitask_scorer

__all__ = [
    "average_relative_rmse",
    "delta_m",
    "make_multitask_scorer",
    "multitask_explained_variance_score",
    "multitask_mean_absolute_error",
    "multitask_mean_squared_error",
    "multitask_r2_score",
    "multitask_root_mean_squared_error",
]
