"""partial_fit for squared loss: batches are added up as Moments, then the model is solved."""

import warnings

import numpy as np
from sklearn.utils.validation import validate_data

from .._backend import place_of, resolve_device, to_place
from .._checks import check_flag, check_option
from .._input import (
    FeatureUnits,
    as_table,
    check_task_weight,
    float_name,
    join_tasks,
    require_y,
    standard_units_of_moments,
    work_estimate,
)
from .._moments import long_moments, wide_moments
from ..base import UNKNOWN_TASK, FitInput, at_once


class StreamMixin:
    """Adds `partial_fit`.

    The estimator has `_fit_moments(moments, omega)`, which sets no attribute and returns a Solution
    and a function that records on a model whatever else was chosen.
    """

    def partial_fit(self, X, y, sample_weight=None):
        """Add a batch to the data and fit to all batches so far.

        The result is that of `fit` on all of them together, up to rounding; a search chooses its
        penalties by generalised cross-validation, as leave-one-out needs the rows. Only sums are
        kept: for each task a Gram of the features, one for all tasks while y is complete. `fit`
        keeps none: after it, partial_fit starts anew, with a warning.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column if `task_column` is set; new task ids may appear.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            NaN in a 2-D y marks a label that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape, differs in
            its columns from earlier batches.
        TypeError
            If a parameter is of the wrong type.
        """
        self._check_params()
        check_option("unknown_task", self.unknown_task, UNKNOWN_TASK)
        check_flag("standardize", self.standardize)
        require_y(self, y)
        first = not hasattr(self, "_moments")
        if first and hasattr(self, "coef_"):
            warnings.warn(
                "partial_fit starts anew: fit keeps no sums of its data to go on from.",
                UserWarning,
                stacklevel=2,
            )
        batch, tasks, y_ndim, dtype, origin = self._read_batch(X, y, sample_weight, first)
        moments, tasks = (batch, tasks) if first else self._merged(batch, tasks, y_ndim)
        self._warn_alike(tasks, () if first else self.tasks_)
        labelled = np.flatnonzero(moments.n > 0)
        if labelled.size == 0:
            raise ValueError("no observed label has positive sample_weight so far: all are zero.")
        omega = self._stream_omega(moments, labelled, len(tasks))
        chosen = moments if len(labelled) == len(tasks) else moments.select(labelled)
        units = FeatureUnits()
        if self.standardize:
            units = standard_units_of_moments(chosen, centre=self.fit_intercept)
        solution, record_choice = self._fit_moments(units.of_moments(chosen), omega)
        dtype = dtype if first else np.promote_types(dtype, self._stream_dtype).name
        fit_input = FitInput(
            None, labelled, tasks, omega, y_ndim, origin, dtype, values=None, units=units
        )
        with at_once(self) as model:
            model._record_solution(X, fit_input, solution)
            record_choice(model)
            model._moments, model._stream_dtype = moments, dtype
        return self

    def _read_batch(self, X, y, sample_weight, first):
        """(Moments, tasks, dimension of y, type of X, place of X) of a checked batch."""
        if not first:
            validate_data(self, as_table(X), reset=False, skip_check_array=True)
        features, ids = self._split_features(X)
        labels, weight, tasks, codes = self._validate_labels(
            features, y, self._read_labels(y)[0], sample_weight, ids
        )
        place = resolve_device(self.device, features, work_estimate(features, labels))
        there = to_place(features, place)
        if codes is None:
            moments = wide_moments(there, labels.reshape(len(labels), -1), weight)
        else:
            moments = long_moments(there, labels, codes, len(tasks), weight)
        return moments, tasks, labels.ndim, float_name(features), place_of(features)

    def _merged(self, batch, tasks, y_ndim):
        """The moments of all batches and their tasks."""
        if y_ndim != self._y_ndim or (self.task_column is None and len(tasks) != self.n_tasks_):
            raise ValueError(
                f"y must have as many columns as in earlier batches: {self.n_tasks_} "
                f"{'(1-D)' if self._y_ndim == 1 else '(2-D)'}, got {len(tasks)}."
            )
        if self.task_column is None:
            return self._moments + batch, self.tasks_
        union, (old, new) = join_tasks(self.tasks_, tasks)
        return self._moments.spread(len(union), old) + batch.spread(len(union), new), union

    def _stream_omega(self, moments, labelled, n_tasks):
        task_weight = check_task_weight(self.task_weight, n_tasks)
        n = moments.n[labelled]
        omega = 1 / n if isinstance(task_weight, str) else task_weight[labelled]
        if not omega.all():
            raise ValueError("task_weight must be positive in partial_fit, got a zero.")
        return omega / omega.mean()
