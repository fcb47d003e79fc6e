"""Assertions that more than one test file needs."""

import warnings

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError

ENDED_EARLY = "training stopped .* above that of constant"
RTOL = 1e-8  # float64 sums in another order, through one factorisation


def assert_same_fit(first, second, X, *, rtol=RTOL):
    """Both models predict X alike, and have the same coefficients where they have any."""
    assert_close(first.predict(X), second.predict(X), rtol=rtol)
    assert_close(response(first, X), response(second, X), rtol=rtol)
    for name in ("coef_", "intercept_", "shared_coef_", "task_weights_"):
        if hasattr(first, name):
            assert_close(getattr(first, name), getattr(second, name), rtol=rtol)


def response(model, X):
    """Probabilities, side by side, or coefficients of a classifier without, or predictions."""
    if hasattr(model, "predict_proba"):
        P = model.predict_proba(X)
        return np.hstack(P) if isinstance(P, list) else P
    if is_classifier(model):
        return model.heads_ if hasattr(model, "heads_") else model.coef_
    return model.predict(X)


def assert_close(a, b, *, rtol=RTOL):
    """Equal shapes, and equal values relative to the largest one."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    scale = max(1.0, np.abs(b).max(initial=0.0))
    np.testing.assert_allclose(a, b, rtol=0, atol=rtol * scale)


def assert_not_fitted(estimator, X):
    """No fitted attribute, and predict says so."""
    own = estimator.get_params(deep=False)
    left = [name for name in vars(estimator) if name.endswith("_") and name not in own]
    assert left == []
    with pytest.raises(NotFittedError):
        estimator.predict(X)


def fit_quietly(estimator, *args):
    """Fit, where a warning would be an error; those of one class and of short trainings are due."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*has labels of one class only")
        warnings.filterwarnings("ignore", message=ENDED_EARLY)
        return estimator.fit(*args)
