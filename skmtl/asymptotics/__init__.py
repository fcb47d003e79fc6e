"""Risk of shared-plus-specific learning in the proportional limit: n_t / p fixed, p to infinity."""

from ._curves import Curve, double_descent_curve, interpolation_thresholds
from ._equivalent import EquivalentTask, equivalent_single_task
from ._matrices import penalty_matrix, task_gram
from ._optimal import OptimalPenalty, optimal_penalty
from ._predict import predict_risk
from ._prediction import RiskPrediction
from ._problem import AsymptoticProblem
from ._ridgeless import ridgeless_risk
from ._units import from_estimator_alphas, to_estimator_alphas

__all__ = [
    "AsymptoticProblem",
    "Curve",
    "EquivalentTask",
    "OptimalPenalty",
    "RiskPrediction",
    "double_descent_curve",
    "equivalent_single_task",
    "from_estimator_alphas",
    "interpolation_thresholds",
    "optimal_penalty",
    "penalty_matrix",
    "predict_risk",
    "ridgeless_risk",
    "task_gram",
    "to_estimator_alphas",
]
