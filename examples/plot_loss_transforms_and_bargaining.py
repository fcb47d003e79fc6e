"""
Bargaining over directions ignores how a loss is measured; the sum of losses does not
=====================================================================================

Three tasks pull at one vector of coefficients. One of them then reports its loss through an
increasing function: cubed, as a logarithm, as an exponential, or in another unit. That task still
prefers what it preferred before, but the minimum of the sum of losses moves. DiBS, which lets every
task pull towards its own optimum with its distance to it, reads nothing but directions of gradients
and stays where it was, to rounding. The two are different points of the Pareto front; only one of
them is independent of how losses are measured.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

from skmtl.balancing import balance

TRANSFORMS = {  # value and derivative
    "f": (lambda f: f, lambda f: 1.0),
    "f cubed": (lambda f: f**3, lambda f: 3 * f**2),
    "log f": (np.log, lambda f: 1 / f),
    "exp f": (np.exp, np.exp),
    "1000 f": (lambda f: 1000 * f, lambda f: 1000.0),
}
rng = np.random.default_rng(0)
X = [rng.normal(size=(30, 4)) * rng.uniform(0.5, 2, size=4) for _ in range(3)]
Y = [A @ rng.normal(size=4) + 0.5 * rng.normal(size=30) for A in X]
OPTIMA = np.array([np.linalg.lstsq(A, y, rcond=None)[0] for A, y in zip(X, Y, strict=True)])


def losses_and_gradients(theta, transform):
    """Half the mean squares and their gradients, the first task's through the transform."""
    residuals = [A @ theta - y for A, y in zip(X, Y, strict=True)]
    losses = np.array([r @ r / (2 * len(r)) for r in residuals])
    J = np.array([A.T @ r / len(r) for A, r in zip(X, residuals, strict=True)])
    value, derivative = transform
    J[0] *= derivative(losses[0])
    losses[0] = value(losses[0])
    return losses, J


def bargain(transform):
    """Steps against the direction of exact DiBS, from zero."""
    theta, state = np.zeros(4), None
    for _ in range(2000):
        losses, J = losses_and_gradients(theta, transform)
        distances = np.linalg.norm(theta - OPTIMA, axis=1)
        step = balance(J, losses, "dibs", state, distances=distances)
        theta, state = theta - 0.05 * step.direction, step.state
    return theta


def least_sum(transform):
    """A minimum of the sum of the losses, from the one with the plain losses."""

    def value_and_gradient(theta):
        losses, J = losses_and_gradients(theta, transform)
        return losses.sum(), J.sum(axis=0)

    start = np.zeros(4) if transform is TRANSFORMS["f"] else least_sum(TRANSFORMS["f"])
    return minimize(value_and_gradient, start, jac=True, method="BFGS", options={"gtol": 1e-10}).x


moved = {}
for name, find in {"sum of losses": least_sum, "exact DiBS": bargain}.items():
    plain = find(TRANSFORMS["f"])
    moved[name] = [np.abs(find(TRANSFORMS[t]) - plain).max() for t in list(TRANSFORMS)[1:]]

print("largest change of a coefficient")
print(f"{'':14}", "  ".join(f"{t:>8}" for t in list(TRANSFORMS)[1:]))
for name, changes in moved.items():
    print(f"{name:14}", "  ".join(f"{change:8.1e}" for change in changes))

figure, ax = plt.subplots(layout="constrained")
for k, (name, changes) in enumerate(moved.items()):
    ax.bar(np.arange(4) + 0.4 * k - 0.2, np.maximum(changes, 1e-17), 0.38, label=name)
ax.axhline(np.finfo(float).eps, color="black", linewidth=1, linestyle="--")
ax.text(3.5, 3e-16, "rounding", ha="right")
ax.set_yscale("log")
ax.set_ylim(1e-17, 1e3)
ax.set_xticks(range(4), list(TRANSFORMS)[1:])
ax.set(xlabel="what the first task reports", ylabel="largest change of a coefficient")
ax.legend(frameon=False, ncols=2, loc="upper center")
plt.show()
