"""
Balancers choose a point of the Pareto front; none of them gets past it
=======================================================================

Two tasks with rows of their own pull at one vector of coefficients. Preferences from one task to
the other trace the front: what one gains the other loses. DiBS, Nash bargaining and excess risk
each end at another point of it, which some fixed weights reach too: what a balancer brings is a
rule for the choice, not a better front. Equal weights are one more point. A model with coefficients
for each task need not choose at all: printed last, it reaches both ends at once.
"""

import matplotlib.pyplot as plt
import numpy as np

from skmtl import MultiTaskRidge
from skmtl.inspection import ParetoFrontDisplay
from skmtl.model_selection import trace_pareto_front

BALANCERS = {"DiBS": "dibs", "Nash bargaining": "nash_bargaining", "excess risk": "excess_risk"}
ONE_VECTOR = {"alpha_shared": 1e-8, "alpha_specific": np.inf, "fit_intercept": False}

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 5)) * np.repeat([[0.7, 1, 1, 1, 1.4], [1.4, 1, 1, 1, 0.7]], 100, axis=0)
coef = rng.normal(size=5) + 0.7 * rng.normal(size=(2, 5))
Y = (X @ coef.T + 0.5 * rng.normal(size=(200, 2))) * [1.0, 1.5]
Y[100:, 0] = Y[:100, 1] = np.nan  # every row has a label of one task


def losses(model):
    """Mean squared error of each task."""
    return np.nanmean((model.fit(X, Y).predict(X) - Y) ** 2, axis=0)


share = np.linspace(0, 1, 21)[1:-1]
preferences = np.column_stack([share**2, (1 - share) ** 2])
front = trace_pareto_front(MultiTaskRidge(**ONE_VECTOR), preferences, X, Y)
points = {name: losses(MultiTaskRidge(**ONE_VECTOR, balancer=b)) for name, b in BALANCERS.items()}
own = losses(MultiTaskRidge(np.inf, 1e-8, fit_intercept=False))

print(f"{front.dominated.sum()} of {len(share)} points traced are dominated")
print("mean squared error     task 0  task 1")
for name, point in {"equal weights": front.equal_losses, **points, "own coefficients": own}.items():
    print(f"{name:22}{point[0]:7.2f} {point[1]:7.2f}")

figure, ax = plt.subplots(figsize=(7, 5), layout="constrained")
ParetoFrontDisplay.from_front(front, ax=ax)
for marker, (name, point) in zip("^sv", points.items(), strict=True):
    ax.plot(*point, marker, color="C2", markersize=9, label=name, zorder=4, linestyle="none")
ax.plot(*own, "P", color="grey", markersize=9, label="own coefficients", linestyle="none")
ax.legend(frameon=False)
plt.show()
