"""
In a loop of one's own, Nash bargaining does not depend on the units of losses; the mean does
=============================================================================================

Two tasks share a hidden layer, and the loss of the second is reported in its own unit or in
hundredths of it. :func:`~skmtl.balancing.balance` takes the Jacobian of the losses in the shared
parameters, a row a task, and answers with one direction in the same library. Steps along the mean
gradient follow the task with the larger numbers. Nash bargaining takes the same steps in both
units, but for rounding, which training amplifies. Whoever knows the units can divide by them first:
that is the mean gradient with losses times 1, which needs no balancer.

The network is PyTorch's where that is installed. Without it the same network is written out in
NumPy; the loop stays as it is.
"""

import matplotlib.pyplot as plt
import numpy as np

from skmtl.balancing import balance

try:
    import torch
except ImportError:
    torch = None

UNITS, N_STEPS, LENGTH = (1.0, 100.0), 300, 0.5
rng = np.random.default_rng(0)
X = rng.normal(size=(100, 5))
Y = np.sign(X @ rng.normal(size=(5, 2))) + 0.1 * rng.normal(size=(100, 2))
TRUNK, HEADS = rng.normal(size=(5, 3)) / 2, rng.normal(size=(3, 2)) / 2


class TorchModel:
    """Gradients by automatic differentiation: a row for each task, of all shared parameters."""

    def __init__(self):
        self.X, self.Y = torch.from_numpy(X), torch.from_numpy(Y)
        self.trunk = torch.tensor(TRUNK, requires_grad=True)
        self.heads = torch.tensor(HEADS, requires_grad=True)

    def losses_and_gradients(self):
        """Losses (2,), their Jacobian in the shared layer (2, 15), gradients of the heads."""
        outputs = torch.tanh(self.X @ self.trunk) @ self.heads
        losses = ((outputs - self.Y) ** 2).mean(dim=0)
        rows = [torch.autograd.grad(f, self.trunk, retain_graph=True)[0].ravel() for f in losses]
        heads = torch.autograd.grad(losses.sum(), self.heads)[0]
        return losses.detach(), torch.stack(rows), heads

    def step(self, trunk, heads):
        with torch.no_grad():
            self.trunk -= trunk.reshape(self.trunk.shape)
            self.heads -= heads


class NumpyModel:
    """The same by hand: the chain rule through one hidden layer."""

    def __init__(self):
        self.trunk, self.heads = TRUNK.copy(), HEADS.copy()

    def losses_and_gradients(self):
        H = np.tanh(X @ self.trunk)
        R = H @ self.heads - Y
        slopes = (1 - H**2)[:, None] * self.heads.T * R[:, :, None] * 2 / len(X)  # in the layer
        J = np.einsum("np,nth->tph", X, slopes).reshape(2, -1)
        return (R**2).mean(axis=0), J, 2 / len(X) * H.T @ R

    def step(self, trunk, heads):
        self.trunk -= trunk.reshape(self.trunk.shape)
        self.heads -= heads


def train(balancer, unit):
    """Losses (N_STEPS, 2) in their first unit; shared steps have lengths of their own."""
    model, state, path = (NumpyModel if torch is None else TorchModel)(), None, []
    for k in range(N_STEPS):
        losses, J, heads = model.losses_and_gradients()
        path.append([float(f) for f in losses])
        losses[1] *= unit
        J[1] *= unit
        answer = balance(J, losses, balancer, state)
        d, state = answer.direction, answer.state
        length = float((d**2).sum()) ** 0.5
        model.step(LENGTH / (k + 5) ** 0.5 / length * d, 0.1 * heads)
    return np.array(path)


figure, axes = plt.subplots(1, 2, sharey=True, figsize=(8, 4), layout="constrained")
print("gradients from", "NumPy" if torch is None else "PyTorch")
print("mean squared error in the end      task 0  task 1")
for k, (name, balancer) in enumerate({"mean gradient": "equal", "Nash": "nash"}.items()):
    paths = [train(balancer, unit) for unit in UNITS]
    for unit, path in zip(UNITS, paths, strict=True):
        print(f"{name:13}  loss 1 times {unit:<5g}       {path[-1, 0]:7.4f} {path[-1, 1]:7.4f}")
        for t, ax in enumerate(axes):
            style = "-" if unit == 1 else "--"
            ax.plot(path[:, t], style, color=f"C{k}", label=f"{name}, times {unit:g}")
    print(f"{name:13}  largest difference      {np.abs(paths[1] - paths[0]).max():.1e}")

for t, ax in enumerate(axes):
    ax.set(title=f"task {t}", xlabel="step", yscale="log")
axes[0].set_ylabel("mean squared error")
axes[1].legend(frameon=False)
plt.show()
