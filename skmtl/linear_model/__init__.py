"""Linear multi-task models."""

from ._ridge import MultiTaskRidge
from ._ridge_cv import MultiTaskRidgeCV

__all__ = ["MultiTaskRidge", "MultiTaskRidgeCV"]
