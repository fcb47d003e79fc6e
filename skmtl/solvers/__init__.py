"""Solvers, one algorithm a file: from TaskData, a loss and a penalty to a Solution."""

from ._quadratic import SOLVERS, QuadraticProblem, choose_solver
from ._solution import Solution

__all__ = ["SOLVERS", "QuadraticProblem", "Solution", "choose_solver"]
