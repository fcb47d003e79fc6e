"""What a multi-task model has to beat: one model per task, and one model for all tasks.

Both wrap any scikit-learn regressor or classifier, and read wide y with missing labels or long rows
as every estimator here does, so that the same data, splits and scorers serve them.
"""

from ._independent import IndependentTasks
from ._pooled import PooledTasks

__all__ = ["IndependentTasks", "PooledTasks"]
