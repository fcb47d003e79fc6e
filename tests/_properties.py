"""Assertions that more than one test file needs."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

RTOL = 1e-8  # float64 sums in another order, through one factorisation


def assert_same_fit(first, second, X, *, rtol=RTOL):
    """Both models predict X alike, and have the same coefficients where they have any."""
    assert_close(first.predict(X), second.predict(X), rtol=rtol)
    for name in ("coef_", "intercept_", "shared_coef_", "task_weights_"):
        if hasattr(first, name):
            assert_close(getattr(first, name), getattr(second, name), rtol=rtol)


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
    """Fit, where a warning would be an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return estimator.fit(*args)
