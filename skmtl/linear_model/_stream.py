"""partial_fit for squared loss: batches are added up as Moments, then the model is solved."""

import warnings

import numpy as np

from .._backend import place_of, resolve_device, to_place
from .._input import (
    FeatureUnits,
    FitInput,
    check_task_weight,
    float_name,
    join_tasks,
    standard_units_of_moments,
    work_estimate,
)
from .._moments import long_moments, wide_moments
from ..base import at_once


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
        first = not hasattr(self, "_moments")
        if first and hasattr(self, "coef_"):
            warnings.warn(
                "partial_fit starts anew: fit keeps no sums of its data to go on from.",
                UserWarning,
                stacklevel=2,
            )
        raw = self._read_input(X, y, sample_weight, continued=not first)
        moments, tasks = self._batch_moments(raw), raw.tasks
        if not first:
            moments = self._earlier_moments(tasks) + moments
        labelled = np.flatnonzero(moments.n > 0)
        if labelled.size == 0:
            raise ValueError("no observed label has positive sample_weight so far: all are zero.")
        omega = self._stream_omega(moments, labelled, len(tasks))
        chosen = moments if len(labelled) == len(tasks) else moments.select(labelled)
        units = FeatureUnits()
        if self.standardize:
            units = standard_units_of_moments(chosen, centre=self.fit_intercept)
        solution, record_choice = self._fit_moments(units.of_moments(chosen), omega)
        dtype = float_name(raw.features)
        dtype = dtype if first else np.promote_types(dtype, self._stream_dtype).name
        origin = place_of(raw.features)
        fit_input = FitInput(
            None, labelled, tasks, omega, raw.labels.ndim, origin, dtype, values=None, units=units
        )
        with at_once(self) as model:
            model._record_solution(X, fit_input, solution)
            record_choice(model)
            model._moments, model._stream_dtype = moments, dtype
        return self

    def _batch_moments(self, raw):
        features, labels = raw.features, raw.labels
        place = resolve_device(self.device, features, work_estimate(features, labels))
        there = to_place(features, place)
        if raw.codes is None:
            return wide_moments(there, labels.reshape(len(labels), -1), raw.weight)
        return long_moments(there, labels, raw.codes, len(raw.tasks), raw.weight)

    def _earlier_moments(self, tasks):
        """Moments of the earlier batches, with empty ones for the new ones of the tasks."""
        if self.task_column is None:
            return self._moments
        _, (earlier, _) = join_tasks(self.tasks_, tasks)
        return self._moments.spread(len(tasks), earlier)

    def _stream_omega(self, moments, labelled, n_tasks):
        task_weight = check_task_weight(self.task_weight, n_tasks)
        n = moments.n[labelled]
        omega = 1 / n if isinstance(task_weight, str) else task_weight[labelled]
        if not omega.all():
            raise ValueError("task_weight must be positive in partial_fit, got a zero.")
        return omega / omega.mean()
