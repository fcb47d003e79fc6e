"""MultiTaskClassifierMixin: classes of each task, labels and probabilities in the shapes of y.

A subclass scores one task at a time; a score is a logit where the task is binary, else one number
for each class.
"""

import warnings

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if

from . import _backend
from ._data import of_tasks, relabelled
from ._input import (
    check_class_labels,
    float_name,
    rows_by_task,
    split_task_column,
    stack_level,
    task_classes,
    to_host,
)
from .base import MultiTaskMixin
from .metrics import multitask_accuracy_score

__all__ = ["ClassLabelsMixin", "DecisionMixin", "MultiTaskClassifierMixin", "ProbabilityMixin"]


class ClassLabelsMixin(MultiTaskMixin):
    """Class coding and score of whatever predicts classes.

    `fit` calls `_validate_fit` and `_separate`, and ends with `_record_classes`.
    """

    missing_label = np.nan
    class_weight = None

    def score(self, X, y, sample_weight=None):
        """Mean over tasks of the share of observed labels that are predicted.

        scikit-learn's accuracy of several outputs asks for whole rows without an error; this is
        the mean of the tasks' accuracies.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            `missing_label`, NaN or None where a label is not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies.

        Returns
        -------
        float
        """
        prediction = to_host(self.predict(X))
        task = None
        if self.task_column is not None:
            task = split_task_column(X, self.task_column)[1]
        if sample_weight is not None:
            sample_weight = to_host(sample_weight)
        return float(
            multitask_accuracy_score(
                to_host(y),
                prediction,
                task=task,
                sample_weight=sample_weight,
                missing_label=self.missing_label,
            )
        )

    def _read_labels(self, y):
        return check_class_labels(y, self.missing_label)

    def _separate(self, fit_input, *, models_only):
        """(TaskClasses, FitInput of the tasks that a model is fitted to), which may be none.

        Class numbers in the FitInput's data are those of the TaskClasses. A warning names the
        first task that has labels of one class only; `models_only` says whether it takes part in
        the fit if others tell it of another class.
        """
        data, labelled, tasks = fit_input.data, fit_input.labelled, fit_input.tasks
        labels = data.labels
        classes = task_classes(
            fit_input.values,
            labels.y,
            labelled[labels.task],
            len(tasks),
            models_only=models_only,
        )
        _warn_one_class(tasks, classes)
        _warn_unknown_names(self.class_weight, fit_input.values)
        if len(classes.values) < len(fit_input.values):
            seen = np.unique(labels.y)
            data = relabelled(data, lambda y: np.searchsorted(seen, y).astype(float))
        return classes, taking_part(fit_input._replace(data=data), classes)

    def _record_classes(self, X, fit_input, classes):
        """Set what `_record_input` sets, and `classes_`."""
        self._record_input(X, fit_input)
        self._task_classes = classes
        if self.task_column is not None:
            self.classes_ = _deliver_labels(classes.array(np.arange(len(classes.values))), X)
            return
        own = [_deliver_labels(classes.array(numbers), X) for numbers in classes.own]
        self.classes_ = own[0] if self._y_ndim == 1 else own


class MultiTaskClassifierMixin(ClassLabelsMixin, ClassifierMixin):
    """Predictions of multi-task classifiers that have scores.

    A subclass has `_task_scores(X, t)`, and may have `_scores_by_task(X)` where all tasks at once
    are faster.
    """

    def predict(self, X):
        """Predict the class of every task, or of each row's own task.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column where the model was fitted with one.

        Returns
        -------
        array of shape (n_samples,) or (n_samples, n_tasks)
            Class labels, in the shape that y had in `fit`; one a row for long data.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If a task id was not seen in `fit` and ``unknown_task="error"``.
        """
        X, codes = self._validate_query(X, "predict")
        if codes is None:
            scores = self._scores_by_task(X)
            columns = [self._numbers(z, t) for t, z in enumerate(scores)]
            numbers = np.stack(columns, axis=1)
            numbers = numbers[:, 0] if self._y_ndim == 1 else numbers
        else:
            numbers = np.empty(X.shape[0], dtype=np.intp)
            for t, rows in rows_by_task(codes):
                numbers[rows] = self._numbers(self._task_scores(_rows(X, rows), t), t)
        return _deliver_labels(self._task_classes.values[numbers], X)

    def _validate_query(self, X, method):
        """`_validate_predict` for the public method of that name."""
        return self._validate_predict(X)

    def _scores_by_task(self, X):
        """Scores of each task in turn."""
        return [self._task_scores(X, t) for t in range(self.n_tasks_)]

    def _numbers(self, scores, t):
        """Class numbers from the scores of task t."""
        own, only = self._task_classes.of_task(t), self._only(t)
        if only >= 0:
            return np.full(len(scores), only)
        if scores.shape[1] == 1:
            return own[(scores[:, 0] > 0).astype(np.intp)]
        return own[np.argmax(scores, axis=1)]

    def _only(self, t):
        """The one class that task t can be predicted to have, or -1."""
        constant = self._task_classes.constant(t)
        return constant if constant >= 0 or t < 0 else int(self._task_classes.only[t])


class ProbabilityMixin:
    """Probabilities from the scores: the logistic function of a logit, softmax of several."""

    def predict_proba(self, X):
        """Probability of each class, of every task or of each row's own task.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column where the model was fitted with one.

        Returns
        -------
        array of shape (n_samples, n_classes), or list of n_tasks such arrays
            A list where y was 2-D in `fit`; columns in the order of `classes_`. Long data: the
            classes of all tasks, zero where a row's task lacks one.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If a task id was not seen in `fit` and ``unknown_task="error"``.
        """
        return self._predict_proba(X, "predict_proba")

    def _predict_proba(self, X, method):
        X, codes = self._validate_query(X, method)
        if codes is None:
            scores = self._scores_by_task(X)
            parts = [_deliver(self._probabilities(z, t), X) for t, z in enumerate(scores)]
            return parts[0] if self._y_ndim == 1 else parts
        classes = self._task_classes
        P = np.zeros((X.shape[0], len(classes.values)))
        for t, rows in rows_by_task(codes):
            parts = self._probabilities(self._task_scores(_rows(X, rows), t), t)
            P[rows[:, None], classes.of_task(t)] = parts
        return _deliver(P, X)

    def predict_log_proba(self, X):
        """Logarithm of `predict_proba`, -inf where a task lacks a class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        array of shape (n_samples, n_classes), or list of n_tasks such arrays
        """
        P = self._predict_proba(X, "predict_log_proba")
        return [_log(part) for part in P] if isinstance(P, list) else _log(P)

    def _probabilities(self, scores, t):
        """Probabilities (n, n_classes of task t) from its scores."""
        own, constant = self._task_classes.of_task(t), self._task_classes.constant(t)
        if constant >= 0:
            return np.tile((own == constant).astype(float), (len(scores), 1))
        if scores.shape[1] == 1:
            return np.column_stack([expit(-scores[:, 0]), expit(scores[:, 0])])
        return softmax(scores, axis=1)


def taking_part(fit_input, classes):
    """FitInput of the tasks that a model is fitted to, its data None if there are none."""
    kept = np.flatnonzero([classes.constant(t) < 0 for t in fit_input.labelled])
    return fit_input._replace(
        data=of_tasks(fit_input.data, kept) if kept.size else None,
        labelled=fit_input.labelled[kept],
        omega=fit_input.omega[kept],
    )


def _is_single(estimator):
    return not hasattr(estimator, "tasks_") or (
        estimator._y_ndim == 1 and estimator.task_column is None
    )


class DecisionMixin:
    """decision_function, which scikit-learn defines for a single task only."""

    @available_if(_is_single)
    def decision_function(self, X):
        """Scores of a model of one task, fitted with a 1-D y.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        array of shape (n_samples,) or (n_samples, n_classes)
            One number a row for two classes: positive for the second one.
        """
        X, _ = self._validate_query(X, "decision_function")
        scores = self._task_scores(X, 0)
        if len(self._task_classes.own[0]) <= 2:
            scores = scores[:, 0]
        return _deliver(scores, X)


def _rows(X, rows):
    return X if len(rows) == X.shape[0] and (np.diff(rows) == 1).all() else _backend.take(X, rows)


def _deliver(values, X):
    """Host values at the place and in the floating type of X."""
    return _backend.to_place(values, _backend.place_of(X), float_name(X))


def _deliver_labels(labels, X):
    """Numbers at the place of X; text and objects exist in NumPy only."""
    if labels.dtype.kind not in "biuf":
        return labels
    return _backend.to_place(labels, _backend.place_of(X))


def _log(P):
    xp = _backend.namespace_of(P)
    positive = P > 0
    return xp.where(positive, xp.log(xp.where(positive, P, xp.ones_like(P))), -xp.inf)


def _warn_one_class(tasks, classes):
    """One warning that names the first task with labels of one class only."""
    alone = np.flatnonzero(classes.only >= 0)
    if alone.size == 0:
        return
    others = f" (and {alone.size - 1} more)" if alone.size > 1 else ""
    label = classes.array(classes.only[alone[:1]]).tolist()[0]
    warnings.warn(
        f"task {tasks[alone[0]]!r}{others} has labels of one class only, {label!r}: it predicts "
        "that class.",
        UserWarning,
        stacklevel=stack_level(),
    )


def _warn_unknown_names(class_weight, values):
    """One warning that names the first class of `class_weight` that y does not have.

    It is no error: a fold of the data may lack a rare class.
    """
    known = set(values.tolist())
    entries = class_weight if isinstance(class_weight, list) else [class_weight]
    named = [label for entry in entries if isinstance(entry, dict) for label in entry]
    unknown = [label for label in named if label not in known]
    if unknown:
        warnings.warn(
            f"class_weight names the class {unknown[0]!r}, which y does not have, to no effect; "
            f"its classes are {values.tolist()}.",
            UserWarning,
            stacklevel=stack_level(),
        )
