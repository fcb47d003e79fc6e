"""Predictions of a Gaussian posterior: standard deviations, missing labels filled in, draws."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._backend import is_foreign, place_of, to_numpy, to_place
from .._checks import check_count, check_flag
from .._input import checked_array
from ._base import LinearRegressorMixin


class PosteriorMixin(LinearRegressorMixin):
    """Adds `predict` with standard deviations, `impute` and `sample_posterior`.

    The estimator has `_tasks`, of AllTasks, and `_training`, (X, Y) of a wide fit or None; both
    are in standard units.
    """

    _accept_sparse = False

    def predict(self, X, return_std=False):
        """Predict the labels of every task, or of each row's own task.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column where the model was fitted with one.
        return_std : bool, default=False
            Whether to return standard deviations too.

        Returns
        -------
        mean : array of shape (n_samples,) or (n_samples, n_tasks)
            As y was in `fit`; one label a row for long data.
        std : array of that shape
            Of a new label: of the coefficients, the intercept and the noise, at the learned
            covariances. Intervals are those of a t distribution with `noise_degrees_`. Only with
            ``return_std=True``.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If a task id was not seen in `fit` and ``unknown_task="error"``.
        """
        check_flag("return_std", return_std)
        mean = super().predict(X)
        if not return_std:
            return mean
        features, codes = self._validate_predict(X)
        rows = on_host(self._units.of_rows(features))
        if codes is None:
            variances = self._tasks.variances(rows) + self._tasks.R.diagonal()
            variances = variances[:, 0] if self._y_ndim == 1 else variances
        else:
            variances = self._tasks.own_variances(rows, codes) + self._tasks.noise_variances(codes)
        return mean, self._beside(np.sqrt(variances), features)

    def impute(self, X=None, Y=None, *, return_std=False):
        """Fill in missing labels from the features and from the other labels of the row.

        Labels of a row tell of each other through the correlation of their noise too, which
        `predict` cannot use. Without arguments the labels of the fit are completed. Given rows are
        taken as new ones, each on its own: their labels would count twice were they in the fit.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
        Y : array-like of shape (n_samples, n_tasks), default=None
            NaN where a label is to be filled in.
        return_std : bool, default=False
            Whether to return standard deviations too.

        Returns
        -------
        filled : array of shape (n_samples, n_tasks)
            Y with predictions in place of NaN; 1-D as y was in `fit`.
        std : array of that shape
            Of the labels filled in, 0 where one was given. Only with ``return_std=True``.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If only one of X and Y is given, Y has the wrong shape, or the model was fitted to long
            data, whose rows have one label each.

        Examples
        --------
        >>> import numpy as np
        >>> from skmtl import MultiTaskBayesianRidge
        >>> X = np.linspace(0, 1, 20)[:, None]
        >>> Y = np.hstack([X, 1 - X]) + 0.1 * np.cos(40 * X)
        >>> Y[3, 1] = np.nan
        >>> model = MultiTaskBayesianRidge().fit(X, Y)
        >>> bool(abs(model.impute()[3, 1] - 0.94) < 0.03)
        True
        """
        check_is_fitted(self)
        check_flag("return_std", return_std)
        if self.task_column is not None:
            raise ValueError(
                "impute fills in the labels of a wide y; with task_column="
                f"{self.task_column!r} every row has one label, so use predict."
            )
        if (X is None) != (Y is None):
            raise ValueError("impute needs both X and Y, for new rows, or neither of them.")
        is_new = X is not None
        rows, labels = self._new_rows(X, Y) if is_new else self._training
        mean, variance = self._tasks.impute(
            rows, labels.reshape(len(labels), -1), is_new=is_new, return_variance=return_std
        )
        like = self.coef_ if X is None else X
        mean = self._beside(mean.reshape(labels.shape), like)
        if not return_std:
            return mean
        return mean, self._beside(np.sqrt(variance).reshape(labels.shape), like)

    def sample_posterior(self, n=1, random_state=None):
        """Draw coefficients and intercepts from the posterior.

        Parameters
        ----------
        n : int, default=1
            Number of draws.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        coef : array of shape (n, n_tasks, n_features)
        intercept : array of shape (n, n_tasks)

        Examples
        --------
        >>> import numpy as np
        >>> from skmtl import MultiTaskBayesianRidge
        >>> X = np.linspace(0, 1, 20)[:, None]
        >>> model = MultiTaskBayesianRidge().fit(X, np.hstack([X, 1 - X]) + 0.1 * np.cos(40 * X))
        >>> coef, intercept = model.sample_posterior(5, random_state=0)
        >>> coef.shape, intercept.shape
        ((5, 2, 1), (5, 2))
        """
        check_is_fitted(self)
        check_count("n", n)
        rng = check_random_state(random_state)
        draws = [self._tasks.draw(rng) for _ in range(n)]
        coef, intercept = map(np.stack, zip(*draws, strict=True))
        coef = self._units.coefficients(coef)
        intercept = self._units.intercepts(coef, intercept)
        return self._beside(coef, self.coef_), self._beside(intercept, self.coef_)

    def _new_rows(self, X, Y):
        """Features and labels on the host, Y as it is in the fit."""
        features, _ = self._validate_predict(X)
        options = {"dtype": "float64", "ensure_2d": False, "ensure_all_finite": "allow-nan"}
        labels = checked_array("Y", to_numpy(Y) if is_foreign(Y) else Y, self, **options)
        shape = (features.shape[0],) if self._y_ndim == 1 else (features.shape[0], self.n_tasks_)
        if labels.shape != shape:
            raise ValueError(
                f"Y must have shape {shape}, a row for each of X and a column for each task, got "
                f"{labels.shape}."
            )
        return on_host(self._units.of_rows(features)), labels

    def _beside(self, x, like):
        """An array of results at the place and in the type of another."""
        return to_place(x, place_of(like), str(self.coef_.dtype).rpartition(".")[2])


def on_host(X):
    """X as a float64 array on the CPU."""
    return np.asarray(to_numpy(X), dtype=np.float64)
