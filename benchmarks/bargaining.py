"""Bargains and fixed points of weights: how many are right, in one unit and from 1e-6 to 1e6.

Each bargain is checked by its definition, from the numbers b_t and A_t of D_t - L_t(v) = 2 b_t'v -
v'A_t v, which lose no digits; SciPy's SLSQP solves the same concave program in the coefficients
from a feasible start.  Fixed points are compared with their definitions, and with the fit after one
task's rows and labels, and so its loss, have been scaled.
"""

import time
import warnings

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from skmtl import MultiTaskRidge
from skmtl.balancing import NashBargaining

from ._timing import print_table

SPANS = {"one": 0, "1e-6 to 1e6": 6}
TASKS = (2, 3, 5, 10)
ALPHA = 0.1  # of bargains
NEGLIGIBLE = 1e-10  # of fixed points
SOUND = 1e-8  # promised residual of weight times gain
PEER = {"maxiter": 500, "ftol": 1e-13}  # as exact as it goes


def main(quick=False):
    """Print the tables; `quick` draws fewer problems."""
    n_bargains, n_points = (10, 3) if quick else (300, 100)
    columns = ["units", "solved by", "problems", "every task gains", "no bargain, certified"]
    columns += ["said to be unsolved", "wrong, and silent", "largest residual", "fits", "ms"]
    print_table(
        f"Bargains max sum log(D - L) - {ALPHA} |v|^2 T/N of one vector",
        columns,
        bargains(n_bargains),
    )
    columns = ["balancer", "units", "tasks", "warned", "largest residual of the others"]
    columns += ["coefficients after a loss x1000", "fits"]
    print_table(
        f"Weights that are those of their fit ({n_points} problems each)",
        columns,
        fixed_points(n_points),
    )


def drawn(seed, n_tasks, span, n_features=5):
    """(X, Y) of tasks that conflict, with noise and units of their own."""
    rng = np.random.default_rng([seed, n_tasks])
    X = rng.normal(size=(60, n_features))
    W = rng.normal(size=n_features) + 0.8 * rng.normal(size=(n_tasks, n_features))
    noise = rng.choice([0.3, 1.0, 3.0], size=n_tasks)
    Y = X @ W.T + noise * rng.normal(size=(60, n_tasks))
    return X, Y * 10.0 ** rng.uniform(-span, span, size=n_tasks)


# bargains


def bargains(n_problems):
    """Rows of the first table."""
    for units, span in SPANS.items():
        problems = []
        for seed in range(n_problems):
            rng = np.random.default_rng(seed)
            problems.append(drawn(seed, rng.integers(2, 9), span, rng.integers(2, 9)))
        yield _bargain_row(units, "skmtl", [_ours(*problem) for problem in problems])
        yield _bargain_row(units, "SLSQP", [_peer(*problem) for problem in problems])


def _bargain_row(units, name, found):
    residual = np.array([f["residual"] for f in found])
    said = np.array([f["said"] for f in found])
    refused = np.array([f["refused"] for f in found])
    gains = np.array([f["gains"] for f in found])
    silent = ~said & ~refused
    wrong = silent & ~(gains & (residual <= 100 * SOUND))
    return [
        units,
        name,
        len(found),
        int(gains.sum()),
        int(refused.sum()),
        int(said.sum()),
        int(wrong.sum()),
        f"{residual[silent].max(initial=0):.1e}",
        f"{np.median([f['fits'] for f in found]):.0f}",
        f"{1e3 * np.median([f['seconds'] for f in found]):.1f}",
    ]


def _ours(X, Y):
    model = MultiTaskRidge(
        ALPHA, np.inf, balancer=NashBargaining(penalty_against="gains"), fit_intercept=False
    )
    start = time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(X, Y)
    seconds = time.process_time() - start
    refused = any("no coefficients are better" in str(w.message) for w in caught)
    gains, residual = _judged(X, Y, model.coef_[0])
    return {
        "gains": gains,
        "residual": np.inf if refused else residual,
        "refused": refused,
        "said": bool(caught) and not refused,
        "fits": model.n_iter_,
        "seconds": seconds,
    }


def _peer(X, Y):
    """SLSQP in the coefficients, from a point at which all tasks gain if one was found."""
    A, b = X.T @ X / len(X), Y.T @ X / len(X)
    # the direction in which all unit gradients fall alike, if there is one, and a short step
    U = b / np.linalg.norm(b, axis=1, keepdims=True)
    along = np.linalg.lstsq(U, np.ones(len(U)), rcond=None)[0]
    length = np.min(b @ along) / (along @ A @ along)

    def minus(v):
        g = 2 * b @ v - v @ A @ v
        if not (g > 0).all():
            return np.inf, np.zeros_like(v)
        slope = 2 * ALPHA * v - len(X) * ((b - A @ v) * 2 / g[:, None]).sum(axis=0)
        return ALPHA * v @ v - len(X) * np.log(g).sum(), slope

    start = time.process_time()
    with np.errstate(all="ignore"):
        found = minimize(minus, length * along, jac=True, method="SLSQP", options=PEER)
    seconds = time.process_time() - start
    gains, residual = _judged(X, Y, found.x)
    return {
        "gains": gains,
        "residual": residual,
        "refused": False,
        "said": not found.success,
        "fits": found.nfev,
        "seconds": seconds,
    }


def _judged(X, Y, v):
    """(whether every task gains, the Newton step that is left in units of the gains)."""
    A, b = X.T @ X / len(X), Y.T @ X / len(X)
    g = 2 * b @ v - v @ A @ v
    if not np.isfinite(v).all() or not (g > 0).all():
        return False, np.inf
    pulls = 2 * (b - A @ v) / g[:, None]
    gradient = len(X) * pulls.sum(axis=0) - 2 * ALPHA * v
    H = len(X) * (pulls.T @ pulls + 2 * A * (1 / g).sum()) + 2 * ALPHA * np.eye(len(v))
    root = np.sqrt(H.diagonal())
    step = np.linalg.solve(H / (root[:, None] * root), gradient / root) / root
    return True, float(np.abs(pulls @ step).max())


# fixed points


def fixed_points(n_problems):
    """Rows of the second table."""
    definitions = {
        "dibs": _distances_over_lengths,
        "uncertainty": _inverse_losses,
        "gls": _inverse_losses,
        "imtl_l": _inverse_losses,
        "stch": _softmax,
    }
    for name, definition in definitions.items():
        for units, span in SPANS.items():
            for n_tasks in TASKS:
                problems = [drawn(seed, n_tasks, span) for seed in range(n_problems)]
                yield [
                    name, units, n_tasks, *_fixed_point_cells(name, definition, problems)
                ]  # fmt: skip


def _fixed_point_cells(name, definition, problems):
    warned, left, moved, fits = 0, [0.0], [], []
    for X, Y in problems:
        model, said = _fitted(name, X, Y, np.ones(Y.shape[1]))
        fits.append(model.n_iter_)
        warned += said
        if said:
            continue
        with np.errstate(divide="ignore"):
            logs = np.log(model.task_weights_) - np.log(definition(model.coef_[0], X, Y))
        left.append(np.abs(logs - logs.mean()).max())
        scales = np.ones(Y.shape[1])
        scales[0] = np.sqrt(1e3)
        other, said = _fitted(name, X, Y, scales)
        moved.append(np.abs(other.coef_ - model.coef_).max() / np.abs(model.coef_).max())
    promised = name != "stch"
    change = f"{max(moved, default=0):.1e}" if promised else "(not promised)"
    return [warned, f"{max(left):.1e}", change, f"{np.median(fits):.0f}"]


def _fitted(name, X, Y, scales):
    """(model, whether it warned), each task with rows and labels of its own times its scale."""
    T = Y.shape[1]
    rows = np.vstack([np.column_stack([c * X, np.full(len(X), t)]) for t, c in enumerate(scales)])
    model = MultiTaskRidge(
        NEGLIGIBLE, np.inf, balancer=name, fit_intercept=False, task_column=X.shape[1]
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(rows, (scales[:, None] * Y.T).ravel())
    assert model.coef_.shape[0] == T
    return model, bool(caught)


def _inverse_losses(v, X, Y):
    return 1 / np.mean((X @ v[:, None] - Y) ** 2, axis=0)


def _softmax(v, X, Y):
    losses = np.mean((X @ v[:, None] - Y) ** 2, axis=0)
    return np.maximum(np.exp(losses - losses.max()), 1e-300)


def _distances_over_lengths(v, X, Y):
    away = v - np.linalg.lstsq(X, Y, rcond=None)[0].T
    return np.linalg.norm(away, axis=1) / np.linalg.norm(away @ (X.T @ X), axis=1)
