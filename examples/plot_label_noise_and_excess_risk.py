"""
Group DRO chases the task of pure noise; excess risk looks at what can still be gained
======================================================================================

Four tasks share one vector of coefficients, and the labels of the last are drowned in noise. Group
DRO raises the weight of the task with the largest loss: nearly all weight goes to the noise (left),
and the clean tasks pay for it (right). Excess risk first takes away the loss that no coefficients
can remove, and the noise draws little more than its share.

Its aim is the largest excess relative to that of zero coefficients, the noisy task's included. For
the worst clean task it gains nothing over equal weights, the baseline: a little less relative
excess, within its error, and more plain excess. A ridge for each task is printed too: the four
disagree, and no weights make one vector serve all.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import Ridge

from skmtl import IndependentTasks, MultiTaskRidge

N_SEEDS, NOISE = 40, np.array([0.1, 0.1, 0.1, 5.0])
ONE_VECTOR = {"alpha_shared": 1e-8, "alpha_specific": np.inf, "alpha_intercept": np.inf}
MODELS = {
    "equal weights": MultiTaskRidge(**ONE_VECTOR),
    "excess risk": MultiTaskRidge(**ONE_VECTOR, balancer="excess_risk"),
    "group DRO": MultiTaskRidge(**ONE_VECTOR, balancer="group_dro"),
    "ridge by task": IndependentTasks(Ridge(1e-8)),
}


def outcome(model, seed, n=200, p=5):
    """Weights of the tasks, and the excess risks of the clean tasks, plain and relative."""
    rng = np.random.default_rng(seed)
    X, X_new = rng.normal(size=(n, p)), rng.normal(size=(2000, p))
    W = rng.normal(size=p) + 0.5 * rng.normal(size=(4, p))
    model.fit(X, X @ W.T + NOISE * rng.normal(size=(n, 4)))
    truth = X_new @ W.T
    excess = ((model.predict(X_new) - truth) ** 2).mean(axis=0)[:3]
    relative = excess / (truth**2).mean(axis=0)[:3]
    return getattr(model, "task_weights_", np.full(4, np.nan)), excess.max(), relative.max()


def mean_and_error(values):
    return values.mean(axis=0), values.std(axis=0, ddof=1) / len(values) ** 0.5


runs = {name: [outcome(model, seed) for seed in range(N_SEEDS)] for name, model in MODELS.items()}
columns = {name: [np.array(v) for v in zip(*run, strict=True)] for name, run in runs.items()}
measured = {name: [mean_and_error(v) for v in values] for name, values in columns.items()}
print(f"{'means over data sets, s.e.':27}{'weight of the noise':21}worst clean excess   relative")
for name, ((w, w_se), (e, e_se), (r, r_se)) in measured.items():
    share = f"{w[3]:.3f} ± {w_se[3]:.3f} of 4" if name != "ridge by task" else ""
    print(f"{name:27}{share:21}{e:.3f} ± {e_se:.3f}        {r:.3f} ± {r_se:.3f}")
gains = [columns["excess risk"][k] - columns["equal weights"][k] for k in (1, 2)]
(e, e_se), (r, r_se) = map(mean_and_error, gains)
print(f"{'excess risk - equal, paired':48}{e:.3f} ± {e_se:.3f}       {r:.3f} ± {r_se:.3f}")

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for k, name in enumerate(list(MODELS)[:3]):
    (w, w_se), *excesses = measured[name]
    left.bar(np.arange(4) + 0.27 * (k - 1), w, 0.25, yerr=w_se, label=name)
    means, errors = zip(*excesses, strict=True)
    right.bar(np.arange(2) + 0.27 * (k - 1), means, 0.25, yerr=errors)
left.set_xticks(range(4), ["clean 1", "clean 2", "clean 3", "noise"])
left.set_ylabel(f"weight of the task ({N_SEEDS} data sets, s.e.)")
left.legend(frameon=False)
right.set_xticks(range(2), ["excess risk", "relative to zero coefficients"])
right.set_ylabel("of the worst clean task")
plt.show()
