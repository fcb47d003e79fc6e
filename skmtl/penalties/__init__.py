"""Penalties on the coefficients W (n_tasks, n_features), one a file."""

from ._graph_laplacian import GraphLaplacian
from ._l21 import L21
from ._penalty import Penalty
from ._shared_specific import SharedSpecific
from ._task_lasso import TaskLasso
from ._task_mcp import TaskMCP
from ._task_scad import TaskSCAD

PENALTIES = {
    "graph_laplacian": GraphLaplacian,
    "l21": L21,
    "shared_specific": SharedSpecific,
    "task_lasso": TaskLasso,
    "task_mcp": TaskMCP,
    "task_scad": TaskSCAD,
}

__all__ = [
    "L21",
    "PENALTIES",
    "GraphLaplacian",
    "Penalty",
    "SharedSpecific",
    "TaskLasso",
    "TaskMCP",
    "TaskSCAD",
]
