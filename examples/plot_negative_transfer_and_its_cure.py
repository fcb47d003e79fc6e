"""
Equal sharing harms the task that resembles no other; learned sharing leaves it alone
=====================================================================================

Five tasks are alike and one has coefficients of its own. A model that shares equally draws it to
the others and predicts it worse than a model of its own: negative transfer (left, above the line).
MultiTaskBayesianRidge learns from the labels who resembles whom (right): the five keep most of
their gain and the sixth loses next to nothing. The three models differ in the covariance of the
tasks alone; a ridge for each task, tuned by leave-one-out, is printed beside them.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeCV

from skmtl import IndependentTasks, MultiTaskBayesianRidge
from skmtl.inspection import TaskCovarianceDisplay

TASKS = ["a", "b", "c", "d", "e", "other"]
COVARIANCE = np.full((6, 6), 0.9) + 0.1 * np.eye(6)
COVARIANCE[5, :5] = COVARIANCE[:5, 5] = 0.0
MODELS = {
    "ridge by task": IndependentTasks(RidgeCV(np.logspace(-1, 5, 13))),
    "independent": MultiTaskBayesianRidge("diagonal", "diagonal"),
    "equal sharing": MultiTaskBayesianRidge("shared", "diagonal"),
    "learned sharing": MultiTaskBayesianRidge("full", "diagonal"),
}


def excess_risk(model, seed, n=40, p=40):
    """Mean squared distance of each task's predictions from the noiseless truth, on new rows."""
    rng = np.random.default_rng(seed)
    W = np.linalg.cholesky(COVARIANCE / p) @ rng.normal(size=(6, p))
    X, X_new = rng.normal(size=(n, p)), rng.normal(size=(500, p))
    model.fit(X, X @ W.T + 0.7 * rng.normal(size=(n, 6)))
    return ((model.predict(X_new) - X_new @ W.T) ** 2).mean(axis=0)


risks = {
    name: np.array([excess_risk(model, seed) for seed in range(20)])
    for name, model in MODELS.items()
}
print(f"{'mean excess risk':18}", "  ".join(f"{task:>5}" for task in TASKS))
for name, risk in risks.items():
    print(f"{name:18}", "  ".join(f"{r:5.3f}" for r in risk.mean(axis=0)))

figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 5), width_ratios=(1.2, 1), layout="constrained"
)
alone = risks["independent"].mean(axis=0)
for k, name in enumerate(["equal sharing", "learned sharing"]):
    risk = risks[name]
    se = risk.std(axis=0, ddof=1) / len(risk) ** 0.5 / alone
    left.bar(np.arange(6) + 0.4 * k - 0.2, risk.mean(axis=0) / alone, 0.38, yerr=se, label=name)
left.axhline(1, color="black", linewidth=1)
left.set_xticks(range(6), TASKS)
left.set(xlabel="task", ylabel="excess risk, relative to independent models\n(20 data sets, s.e.)")
left.legend()
last = MODELS["learned sharing"]
display = TaskCovarianceDisplay(
    correlation=last.task_correlation_, tasks=TASKS, label="learned correlation of the coefficients"
)
display.plot(ax=right)
plt.show()
