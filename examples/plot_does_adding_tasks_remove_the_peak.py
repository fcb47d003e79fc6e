"""
Adding tasks does not remove the peak of double descent, regularisation does
============================================================================

A learner sees more and more features p of n = 40 rows a task. Does learning several alike tasks
together remove the peak of the error where it begins to interpolate? With the whole penalty made
to vanish (left) no: the peak stays at p = n for any number of tasks. With only the shared part set
free (right) it moves to p = T n, where the common coefficients interpolate the rows of all T tasks.
The best penalty, known in closed form, has no peak at all (dashed, for five tasks). Lines are the
theory's, dots the means of fits of MultiTaskRidge with bars of two standard errors.
"""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from skmtl.asymptotics import (
    AsymptoticProblem,
    optimal_penalty,
    penalty_matrix,
    predict_risk,
    task_gram,
)
from skmtl.inspection import DoubleDescentDisplay

N_OVER_D = 0.12
GRID = np.geomspace(0.15, 1 / N_OVER_D, 75)


def problem(n_tasks):
    """All features seen; tasks of similarity 0.8."""
    return AsymptoticProblem(
        N_OVER_D,
        task_gram(n_tasks, similarity=0.8),
        noise_var=0.1,
        penalty_matrix=penalty_matrix(n_tasks, alpha_shared=1.0, alpha_specific=1.0),
    )


def best_error(whole, p_over_n):
    """With the best penalty for what is seen."""
    seen = whole.with_features(min(1.0, p_over_n * N_OVER_D))
    seen = replace(seen, penalty_matrix=optimal_penalty(seen).penalty_matrix)
    return predict_risk(seen).generalization_error.mean()


problems = {f"T = {T}": problem(T) for T in (1, 2, 5)}
best = np.array([best_error(problems["T = 5"], ratio) for ratio in GRID])
figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True, layout="constrained")
titles = {"joint": "whole penalty to 0: the peak stays", "shared": "shared penalty to 0: it moves"}
for ax, (limit, title) in zip(axes, titles.items(), strict=True):
    display = DoubleDescentDisplay.from_problem(
        problems, GRID, limit=limit, simulate=True, n_rows=40, n_dots=9, n_repeats=20, ax=ax
    )
    print(f"\n{title}\ntasks    largest of the grid    at p / n")
    for line in display.lines:
        peak = np.argmax(line.y)
        print(f"{line.label}    {line.y[peak]:19.1f}    {GRID[peak]:8.2f}")
    ax.plot(GRID, best, "--", color="black", linewidth=1.2, label="T = 5, best penalty")
    ax.set(title=title, ylim=(0.5, 60))
    ax.legend(frameon=False)
axes[1].set_ylabel("")
print(f"\nT = 5, best penalty: from {best[0]:.2f} to {best[-1]:.2f}, ", end="")
print("falling all the way" if (np.diff(best) < 0).all() else "not falling all the way")
plt.show()
