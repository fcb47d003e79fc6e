"""Linear multi-task models."""

from ._bayesian_ridge import MultiTaskBayesianRidge
from ._cluster_path import ClusterPath
from ._linear_regressor import MultiTaskLinearRegressor
from ._logistic import MultiTaskLogisticRegression
from ._logistic_cv import MultiTaskLogisticRegressionCV
from ._ridge import MultiTaskRidge
from ._ridge_classifier import MultiTaskRidgeClassifier
from ._ridge_cv import MultiTaskRidgeCV
from ._robust_clustering import MultiTaskRobustClustering
from ._robust_clustering_classifier import MultiTaskRobustClusteringClassifier
from ._robust_clustering_cv import MultiTaskRobustClusteringCV

__all__ = [
    "ClusterPath",
    "MultiTaskBayesianRidge",
    "MultiTaskLinearRegressor",
    "MultiTaskLogisticRegression",
    "MultiTaskLogisticRegressionCV",
    "MultiTaskRidge",
    "MultiTaskRidgeCV",
    "MultiTaskRidgeClassifier",
    "MultiTaskRobustClustering",
    "MultiTaskRobustClusteringCV",
    "MultiTaskRobustClusteringClassifier",
]
