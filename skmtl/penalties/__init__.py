"""Penalties on the coefficients W (n_tasks, n_features), one a file."""

from ._shared_specific import SharedSpecific
from ._task_lasso import TaskLasso
from ._task_mcp import TaskMCP
from ._task_scad import TaskSCAD

PENALTIES = {
    "shared_specific": SharedSpecific,
    "task_lasso": TaskLasso,
    "task_mcp": TaskMCP,
    "task_scad": TaskSCAD,
}

__all__ = ["PENALTIES", "SharedSpecific", "TaskLasso", "TaskMCP", "TaskSCAD"]
