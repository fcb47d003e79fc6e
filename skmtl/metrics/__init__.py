"""Metrics by task: labels not observed (NaN) are left out, then tasks are averaged.

On a complete Y the values are scikit-learn's.
"""

from ._accuracy import multitask_accuracy_score, multitask_balanced_accuracy_score
from ._probability import multitask_brier_score, multitask_log_loss
from ._ranking import multitask_average_precision_score, multitask_roc_auc_score
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
    "multitask_accuracy_score",
    "multitask_average_precision_score",
    "multitask_balanced_accuracy_score",
    "multitask_brier_score",
    "multitask_explained_variance_score",
    "multitask_log_loss",
    "multitask_mean_absolute_error",
    "multitask_mean_squared_error",
    "multitask_r2_score",
    "multitask_roc_auc_score",
    "multitask_root_mean_squared_error",
]
