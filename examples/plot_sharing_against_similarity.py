"""
MultiTaskRidgeCV follows the better of pooling and separating
=============================================================

Eight tasks with twelve rows each. From unrelated tasks (left) to identical ones (right) the best
simple model changes from independent ridges to one pooled ridge; the shared-plus-specific model
chooses between them, and lies below both where tasks are alike but not equal.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeCV

from skmtl import IndependentTasks, MultiTaskRidgeCV, PooledTasks
from skmtl.datasets import make_multitask_regression

SIMILARITIES = np.linspace(0, 1, 6)
ALPHAS = np.logspace(-1, 5, 13)
MODELS = {
    "independent": IndependentTasks(RidgeCV(ALPHAS), task_column=0),
    "pooled": PooledTasks(RidgeCV(ALPHAS), task_dummies=False, task_column=0),
    "MultiTaskRidgeCV": MultiTaskRidgeCV(task_column=0),
}


def excess_risk(model, similarity, seed):
    """Mean squared distance of predictions from the noiseless truth, on new rows of every task."""
    X, y, task, coef, intercept = make_multitask_regression(
        12,
        10,
        8,
        similarity=similarity,
        noise=1.0,
        common_design=False,
        return_coef=True,
        random_state=seed,
    )
    model.fit(np.column_stack([task, X]), y)
    X_new = np.random.default_rng(seed).normal(size=(200, 10))
    errors = [
        model.predict(np.column_stack([np.full(200, t), X_new])) - X_new @ coef[t] - intercept[t]
        for t in range(8)
    ]
    return np.mean(np.square(errors))


risks = {
    name: np.array([[excess_risk(model, s, seed) for seed in range(10)] for s in SIMILARITIES])
    for name, model in MODELS.items()
}
print("similarity        ", "  ".join(f"{s:5.1f}" for s in SIMILARITIES))
for name, risk in risks.items():
    print(f"{name:18}", "  ".join(f"{r:5.3f}" for r in risk.mean(axis=1)))

figure, ax = plt.subplots()
for name, risk in risks.items():
    se = risk.std(axis=1, ddof=1) / np.sqrt(risk.shape[1])
    ax.errorbar(SIMILARITIES, risk.mean(axis=1), se, marker="o", capsize=3, label=name)
ax.set(xlabel="similarity of the tasks' coefficients", ylabel="excess risk (10 data sets, s.e.)")
ax.legend()
plt.show()
