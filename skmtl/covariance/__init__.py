"""Evidence of linear models whose tasks have covariances that are learned, and their posterior."""

from ._all_tasks import AllTasks
from ._problem import EvidenceFit, EvidenceProblem

__all__ = ["AllTasks", "EvidenceFit", "EvidenceProblem"]
