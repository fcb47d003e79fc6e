"""skmtl: scikit-learn-compatible multi-task estimators for small tabular data."""

from importlib.metadata import PackageNotFoundError, version

from .baselines import IndependentTasks, PooledTasks
from .linear_model import (
    MultiTaskBayesianRidge,
    MultiTaskLinearRegressor,
    MultiTaskLogisticRegression,
    MultiTaskLogisticRegressionCV,
    MultiTaskRidge,
    MultiTaskRidgeClassifier,
    MultiTaskRidgeCV,
    MultiTaskRobustClustering,
    MultiTaskRobustClusteringClassifier,
    MultiTaskRobustClusteringCV,
)
from .neural_network import MultiTaskPerceptron, MultiTaskPerceptronClassifier
from .preprocessing import TargetScaler

try:
    __version__ = version("skmtl")
except PackageNotFoundError:  # run from a source tree that is not installed
    __version__ = "0+unknown"

__all__ = [
    "IndependentTasks",
    "MultiTaskBayesianRidge",
    "MultiTaskLinearRegressor",
    "MultiTaskLogisticRegression",
    "MultiTaskLogisticRegressionCV",
    "MultiTaskPerceptron",
    "MultiTaskPerceptronClassifier",
    "MultiTaskRidge",
    "MultiTaskRidgeCV",
    "MultiTaskRidgeClassifier",
    "MultiTaskRobustClustering",
    "MultiTaskRobustClusteringCV",
    "MultiTaskRobustClusteringClassifier",
    "PooledTasks",
    "TargetScaler",
]
