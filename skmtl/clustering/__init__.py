"""Convex and robust clustering of tasks: fusion of their centres, outliers, certificates."""

from ._graph import check_graph
from ._model import OUTLIER
from ._problem import INITS, ClusteringProblem

__all__ = ["INITS", "OUTLIER", "ClusteringProblem", "check_graph"]
