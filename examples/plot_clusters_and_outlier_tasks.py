"""
Task clusters are found, and tasks that belong to none do not spoil them
========================================================================

Thirty tasks with forty rows and twenty features each: three clusters, and five tasks that belong to
none. The tree shows where tasks fuse as `alpha_fuse` grows; the dashed line is where the rule of
`MultiTaskRobustClusteringCV` reads the clusters off, which are its colours, outliers being black.
Below, the error in the coefficients beside the honest baselines: a ridge for each task, one for
all, and clustering without outliers, whose clusters the outliers join or deform.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.metrics import adjusted_rand_score

from skmtl import IndependentTasks, MultiTaskRobustClusteringCV, PooledTasks
from skmtl.datasets import make_clustered_tasks
from skmtl.inspection import TaskClusterDisplay

ALPHAS = np.logspace(-3, 3, 13)
X, y, task, cluster, coef, _ = make_clustered_tasks(
    40, n_tasks=30, n_outliers=5, common_design=False, return_coef=True, random_state=0
)
table = np.column_stack([task, X])
models = {
    "ridge for each task": IndependentTasks(RidgeCV(ALPHAS), task_column=0),
    "pooled ridge": PooledTasks(RidgeCV(ALPHAS), task_dummies=False, task_column=0),
    "clusters, no outliers": MultiTaskRobustClusteringCV(penalty="none", task_column=0),
    "clusters and outliers": MultiTaskRobustClusteringCV(task_column=0),
}


def coefficients(model):
    """Slopes of the predictions of every task."""
    steps = np.vstack([np.zeros(X.shape[1]), np.eye(X.shape[1])])
    values = np.array(
        [model.predict(np.column_stack([np.full(len(steps), t), steps])) for t in range(len(coef))]
    )
    return values[:, 1:] - values[:, :1]


for name, model in models.items():
    error = np.sqrt(np.mean((coefficients(model.fit(table, y)) - coef) ** 2))
    print(f"{name:22} error of the coefficients {error:.3f}")

robust = models["clusters and outliers"]
inside = cluster >= 0
agreement = adjusted_rand_score(cluster[inside], robust.labels_[inside])
print(f"adjusted Rand index of the tasks in clusters {agreement:.2f}")
print("outliers", np.flatnonzero(~inside), "found", np.flatnonzero(robust.labels_ < 0))

TaskClusterDisplay.from_estimator(robust, table, y)
plt.show()
