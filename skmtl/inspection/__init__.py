"""Figures of fitted models and of comparisons; matplotlib is imported when one is drawn."""

from ._comparison import ComparisonDisplay
from ._comparison_curve import ComparisonCurveDisplay
from ._double_descent import DoubleDescentDisplay
from ._pareto_front import ParetoFrontDisplay
from ._penalty_map import PenaltyMapDisplay
from ._shared_specific import SharedSpecificDisplay
from ._sharing_risk import SharingRiskDisplay
from ._task_clusters import TaskClusterDisplay
from ._task_covariance import TaskCovarianceDisplay
from ._task_weights import TaskWeightsDisplay

__all__ = [
    "ComparisonCurveDisplay",
    "ComparisonDisplay",
    "DoubleDescentDisplay",
    "ParetoFrontDisplay",
    "PenaltyMapDisplay",
    "SharedSpecificDisplay",
    "SharingRiskDisplay",
    "TaskClusterDisplay",
    "TaskCovarianceDisplay",
    "TaskWeightsDisplay",
]
