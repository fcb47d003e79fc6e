"""Where theory meets estimators: risks simulated, and a data set seen through the theory's eyes."""

from ._estimate import ProblemEstimate, estimate_problem
from ._risk import RiskSimulation, simulate_risk

__all__ = ["ProblemEstimate", "RiskSimulation", "estimate_problem", "simulate_risk"]
