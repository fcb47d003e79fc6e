"""simulate_risk: the errors that theory predicts, from drawn data and the package's estimators."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from .._checks import check_count, check_jobs, check_option
from ._estimators import estimator_fit

FEATURES = {  # of mean 0 and variance 1
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.uniform(-np.sqrt(3), np.sqrt(3), shape),
    "rademacher": lambda rng, shape: rng.choice([-1.0, 1.0], size=shape),
    "exponential": lambda rng, shape: rng.standard_exponential(shape) - 1,
}


class RiskSimulation(NamedTuple):
    """Errors of every task on simulated data.

    Attributes
    ----------
    generalization_error, training_error : ndarray of shape (n_tasks,)
        Means over the repeats, as in :class:`~skmtl.asymptotics.RiskPrediction`.
    generalization_error_sem, training_error_sem : ndarray of shape (n_tasks,)
        Standard errors of these means.
    n_repeats : int
    """

    generalization_error: np.ndarray
    generalization_error_sem: np.ndarray
    training_error: np.ndarray
    training_error_sem: np.ndarray
    n_repeats: int


def simulate_risk(
    problem,
    n_features=300,
    n_repeats=20,
    random_state=None,
    n_jobs=None,
    *,
    features="normal",
    limit=None,
    fit=None,
):
    """Errors of every task, from data drawn as an asymptotic problem says, and estimators fitted.

    Parameters
    ----------
    problem : AsymptoticProblem
    n_features : int, default=300
        ``sample_ratio * n_features`` must be whole numbers of rows.
    n_repeats : int, default=20
        Data sets drawn, at least 2.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same data at every call.
    n_jobs : int, default=None
        Data sets computed at a time, in threads.
    features : {"normal", "uniform", "rademacher", "exponential"}, default="normal"
        Distribution of the features before they are scaled by the spectrum. The theory is of the
        first; others show how far it reaches.
    limit : {None, "joint", "shared"}, default=None
        A limit of vanishing penalty, as in :func:`~skmtl.asymptotics.ridgeless_risk`: the alphas
        of the estimator that vanish are taken 1e-6 times as large. For "squared_error" and
        "log_loss".
    fit : callable, default=None
        ``fit(problem, X, y, task)`` returns coefficients of shape (n_tasks, n_features) from rows
        X, labels y and task numbers. None: the package's own estimator, where there is one (see
        Notes).

    Returns
    -------
    RiskSimulation

    Raises
    ------
    ValueError
        If no estimator has the problem's loss or penalty and `fit` is None, or none that follows it
        to the `limit`, the rows are no whole numbers, or there are too few features for the Gram
        matrix.
    TypeError
        If a count is no integer.

    See Also
    --------
    skmtl.asymptotics.predict_risk : The limit of many features.

    Notes
    -----
    The estimators are :class:`~skmtl.linear_model.MultiTaskRidge` for "squared_error",
    :class:`~skmtl.linear_model.MultiTaskLogisticRegression` for "log_loss", and for the others,
    but "absolute_error", perceptrons without hidden layers, trained by L-BFGS:
    :class:`~skmtl.neural_network.MultiTaskPerceptronClassifier` for "squared_hinge",
    :class:`~skmtl.neural_network.MultiTaskPerceptron` for "huber" and, as L-BFGS needs slopes
    without jumps, for a hinge whose kink is rounded over 0.01. They are fitted without intercepts,
    the perceptrons on rows and their mirror images (-x, -y). The penalty matrix must be that of one
    `alpha_shared` and one `alpha_specific`; :func:`~skmtl.asymptotics.to_estimator_alphas` gives
    them in the estimators' units.

    The true coefficients of a data set have the problem's Gram matrix exactly, and errors on new
    rows are computed from the overlaps of learnt and true coefficients instead of from a test set,
    so that only the training data are random. (For binary labels and features that are not normal,
    that computation takes the prediction to be normal, which it is in the limit.)

    Examples
    --------
    >>> from skmtl.asymptotics import AsymptoticProblem, penalty_matrix, predict_risk, task_gram
    >>> from skmtl.simulation import simulate_risk
    >>> problem = AsymptoticProblem(
    ...     sample_ratio=0.5,
    ...     gram=task_gram(3, similarity=0.8),
    ...     noise_var=0.1,
    ...     penalty_matrix=penalty_matrix(3, alpha_shared=0.1, alpha_specific=1.0),
    ... )
    >>> simulated = simulate_risk(problem, n_features=100, n_repeats=10, random_state=0)
    >>> predicted = predict_risk(problem)
    >>> ratio = simulated.generalization_error / predicted.generalization_error
    >>> bool((abs(ratio - 1) < 0.1).all())
    True
    """
    check_option("features", features, FEATURES)
    check_option("limit", limit, (None, "joint", "shared"))
    if limit is not None and fit is not None:
        raise ValueError(f"limit must be None where fit is given, got {limit!r}.")
    check_count("n_repeats", n_repeats, least=2)
    rows = problem.n_rows(n_features)
    seeds = check_random_state(random_state).randint(2**31 - 1, size=n_repeats)
    fit = estimator_fit(problem, n_features, limit) if fit is None else fit
    draw = FEATURES[features]
    errors = Parallel(n_jobs=check_jobs("n_jobs", n_jobs), prefer="threads")(
        delayed(_errors)(problem, n_features, rows, draw, fit, seed) for seed in seeds
    )
    mean, sem = np.mean(errors, axis=0), np.std(errors, axis=0, ddof=1) / np.sqrt(n_repeats)
    return RiskSimulation(mean[0], sem[0], mean[1], sem[1], n_repeats)


def _errors(problem, n_features, rows, draw, fit, seed):
    """(generalisation, training) errors of one data set, of shape (2, n_tasks)."""
    rng = np.random.RandomState(seed)
    variance, coef = _draw_truth(problem, n_features, rng)
    task = np.repeat(np.arange(problem.n_tasks), rows)
    X = draw(rng, (len(task), n_features)) * np.sqrt(variance)
    y = problem.sample_labels(np.sum(X * coef[task], axis=1), task, rng)
    W = fit(problem, X, y, task)
    test = problem.error_of(np.sum(W * variance * coef, axis=1), np.sum(W**2 * variance, axis=1))
    predicted = np.sum(X * W[task], axis=1)
    wrong = (y - predicted) ** 2 if problem.teacher == "linear" else y * predicted < 0
    return test, np.bincount(task, wrong) / rows


def _draw_truth(problem, n_features, rng):
    """Variances of the features, and coefficients whose Gram is exact for each eigenvalue."""
    sizes = _apportion(problem.eigenvalue_weights, n_features)
    values, vectors = np.linalg.eigh(problem.gram)
    factor = vectors * np.sqrt(np.maximum(values, 0.0))
    if sizes.min() < problem.n_tasks:
        raise ValueError(
            f"n_features must give every eigenvalue of the spectrum at least n_tasks="
            f"{problem.n_tasks} features, got {sizes.min()} of {n_features}."
        )
    frames = [np.linalg.qr(rng.standard_normal((size, problem.n_tasks)))[0] for size in sizes]
    parts = [
        np.sqrt(weight) * factor @ frame.T
        for weight, frame in zip(problem.eigenvalue_weights, frames, strict=True)
    ]
    return np.repeat(problem.eigenvalues, sizes), np.concatenate(parts, axis=1)


def _apportion(weights, total):
    """Whole numbers near weights * total that sum to it, by largest remainders."""
    sizes = np.floor(weights * total + 1e-9).astype(int)
    rest = total - sizes.sum()
    sizes[np.argsort(sizes - weights * total, kind="stable")[:rest]] += 1
    return sizes
