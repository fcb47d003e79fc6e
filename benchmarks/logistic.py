"""MultiTaskLogisticRegression against LogisticRegression on the augmented design, and calibration.

Both minimise the same objective, with one common intercept, to the same largest gradient of the
sum over tasks of mean losses.
"""

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from skmtl import (
    MultiTaskLogisticRegression,
    MultiTaskLogisticRegressionCV,
    MultiTaskRidgeClassifier,
)
from skmtl.datasets import make_multitask_classification
from skmtl.model_selection import MultiTaskShuffleSplit

from ._data import own_rows
from ._timing import RATIO_COLUMNS, interleaved, print_table, ratio_row

TOL = 1e-6  # largest gradient of the sum over tasks of mean losses
SIZES = [  # tasks, rows a task, features, alpha_shared, alpha_specific, ratio asked for
    (10, 100, 20, 1.0, 10.0, 3.0),
    (10, 100, 20, 0.01, 0.1, 3.0),
    (10, 1000, 20, 1.0, 10.0, 3.0),
    (50, 20, 200, 1.0, 10.0, 3.0),
    (50, 100, 20, 1.0, 10.0, 50.0),
    (50, 100, 20, 0.01, 0.1, 50.0),
]
BINS = np.linspace(0, 1, 6)


def main(quick=False):
    """Print the tables; `quick` leaves out the cases with 50 tasks."""
    print_table(
        "One fit, at equal gradient",
        [*RATIO_COLUMNS[:-1], "largest gradient, ours and peer's"],
        augmented(SIZES[:2] if quick else SIZES),
    )
    print_table("Ridge on +-1 beside log loss", RATIO_COLUMNS, [ridge()])
    print_table(
        "Calibration on held-out rows: predicted and observed share of the positive class",
        ["predicted", "rows", "mean prediction", "observed", "s.e."],
        reliability(20 if quick else 40),
    )


def augmented(sizes):
    """Rows of ratios."""
    for T, n, p, shared, specific, bar in sizes:
        X, amount, task = own_rows(T, n, p)
        X = X - X.mean(axis=0)  # where the common intercept stands
        noise = np.random.default_rng(0).logistic(scale=amount.std() / 3, size=len(amount))
        y = (amount + noise > 0).astype(int)
        problem = Augmented(X, y, task, shared, specific)
        Z = np.column_stack([X, task])
        tol = TOL * n / problem.largest_at_zero()
        model = MultiTaskLogisticRegression(
            shared, specific, alpha_intercept=np.inf, task_column=p, tol=tol
        )
        peer = problem.peer(TOL * n)
        ours, theirs = interleaved(
            lambda m=model, Z=Z, y=y: m.fit(Z, y),
            lambda q=problem, m=peer, y=y: m.fit(q.design(), y),
            repeats=3,
        )
        reached = problem.gradient(model.shared_coef_, model.specific_coef_, model.intercept_[0])
        peers = problem.gradient(*problem.parts(peer))
        yield ratio_row(
            f"({T},{n},{p}), alphas {shared:g} and {specific:g}",
            ours,
            theirs,
            bar,
            f"{reached / n:.0e} {peers / n:.0e}",
        )


def ridge():
    """Row of the ratio of MultiTaskLogisticRegression to MultiTaskRidgeClassifier."""
    T, n, p = 50, 100, 20
    X, amount, task = own_rows(T, n, p)
    Z, y = np.column_stack([X, task]), (amount > 0).astype(int)
    ours, peer = MultiTaskRidgeClassifier(task_column=p), MultiTaskLogisticRegression(task_column=p)
    times = interleaved(lambda: ours.fit(Z, y), lambda: peer.fit(Z, y), repeats=5)
    return ratio_row(f"({T},{n},{p}) MultiTaskRidgeClassifier to logistic", *times, 1)


class Augmented:
    """The problem as one LogisticRegression on [X, sqrt(a0/a1) X of the task]."""

    def __init__(self, X, y, task, shared, specific):
        self.X, self.y, self.task = X, y, task
        self.alphas, self.T = (shared, specific), task.max() + 1
        self.scale = np.sqrt(shared / specific)

    def design(self):
        """The augmented design (n, p (T + 1))."""
        n, p = self.X.shape
        design = np.zeros((n, p * (self.T + 1)))
        design[:, :p] = self.X
        columns = p * (self.task[:, None] + 1) + np.arange(p)
        design[np.arange(n)[:, None], columns] = self.scale * self.X
        return design

    def peer(self, largest):
        """LogisticRegression that stops at the same gradient; its own is that of the mean loss."""
        tol = largest * min(1.0, self.scale) / len(self.X)
        return LogisticRegression(C=1 / self.alphas[0], tol=tol, max_iter=100_000, solver="lbfgs")

    def parts(self, peer):
        """Shared and specific coefficients and the intercept of the fitted peer."""
        p = self.X.shape[1]
        coef = peer.coef_[0]
        return coef[:p], self.scale * coef[p:].reshape(self.T, p), peer.intercept_[0]

    def gradient(self, w0, V, b):
        """Largest gradient in a coefficient."""
        g0, gv = self._gradients(w0, V, b)
        return max(abs(g0).max(), abs(gv).max())

    def largest_at_zero(self):
        """Largest gradient at zero coefficients."""
        p = self.X.shape[1]
        return self.gradient(np.zeros(p), np.zeros((self.T, p)), 0.0)

    def _gradients(self, w0, V, b):
        z = np.sum(self.X * (w0 + V)[self.task], axis=1) + b
        r = (expit(z) - self.y)[:, None] * self.X
        own = np.zeros_like(V)
        np.add.at(own, self.task, r)
        return own.sum(axis=0) + self.alphas[0] * w0, own + self.alphas[1] * V


def reliability(n_splits):
    """Rows of a reliability table, over random splits of simulated tasks with few positives."""
    X, y, task = make_multitask_classification(
        80,
        24,
        20,
        similarity=0.7,
        class_shares=0.2,
        common_design=False,
        random_state=1,
    )
    Z, predicted, observed = np.column_stack([X, task]), [], []
    losses = []
    cv = MultiTaskShuffleSplit(n_splits, n_per_task=40, random_state=0, task_column=24)
    for train, test in cv.split(Z, y):
        model = MultiTaskLogisticRegressionCV(task_column=24, criterion="alo")
        P = model.fit(Z[train], y[train]).predict_proba(Z[test])[:, 1]
        predicted.append(P)
        observed.append(y[test])
        losses.append((log_loss(y[test], P), log_loss(y[test], np.full(len(P), y[train].mean()))))
    yield from bins_of(np.concatenate(predicted), np.concatenate(observed))
    ours, constant = np.mean(losses, axis=0)
    yield ["log loss", len(np.concatenate(observed)), f"{ours:.4f}", f"{constant:.4f}", "constant"]


def bins_of(predicted, observed):
    """One row for each bin of predictions; the standard error is binomial."""
    number = np.clip(np.digitize(predicted, BINS) - 1, 0, len(BINS) - 2)
    for k in range(len(BINS) - 1):
        rows = number == k
        if not rows.any():
            continue
        mean, share = predicted[rows].mean(), observed[rows].mean()
        se = np.sqrt(share * (1 - share) / rows.sum())
        yield [
            f"{BINS[k]:.1f} to {BINS[k + 1]:.1f}",
            int(rows.sum()),
            f"{mean:.3f}",
            f"{share:.3f}",
            f"{se:.3f}",
        ]
