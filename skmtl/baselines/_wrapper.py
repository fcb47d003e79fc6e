"""TaskWrapper: wide y or long rows for an inner estimator, whose answers go back as y came.

Rows are answered by parts: the number of the task whose part of the model serves them, -1 for none.
"""

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import ClassifierTags, RegressorTags
from sklearn.utils.metaestimators import available_if

from .._classifier import ClassLabelsMixin, ProbabilityMixin
from .._input import (
    array_of_list,
    as_table,
    check_dates,
    check_labels,
    check_missing_label,
    has_dates,
    split_task_column,
    tags_of,
    to_host,
)
from ..base import MultiTaskMixin, at_once
from ._class_tables import chosen, class_table, restricted
from ._tables import begins_with_transformer, float_type, is_for_transformer, rows_of


def _has_probabilities(wrapper):
    return wrapper._has("predict_proba")


class TaskWrapper(MetaEstimatorMixin, ProbabilityMixin, ClassLabelsMixin, BaseEstimator, ABC):
    """Regressor or classifier, as `estimator` is, computed with NumPy.

    A subclass says what becomes of labels and of rows, and which estimators answer.
    """

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), tags_of(self.estimator)
        if self._classifies:
            tags.estimator_type = "classifier"
            tags.classifier_tags = inner.classifier_tags or ClassifierTags()
        else:
            tags.estimator_type = "regressor"
            tags.regressor_tags = inner.regressor_tags or RegressorTags()
        tags.target_tags.required = True
        tags.array_api_support = False
        tags.non_deterministic = inner.non_deterministic
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.input_tags.positive_only = inner.input_tags.positive_only
        return tags

    @property
    def _finite(self):
        takes_nan = tags_of(self.estimator).input_tags.allow_nan
        return "allow-nan" if takes_nan or begins_with_transformer(self.estimator) else True

    @property
    def _classifies(self):
        return tags_of(self.estimator).estimator_type == "classifier"

    def fit(self, X, y, sample_weight=None):
        """Fit clones of `estimator` on the observed labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column if `task_column` is set. NaN where `estimator` takes it. A frame,
            or an array of text, is handed on as it is to a pipeline that begins with a transformer;
            dates in it only to encoders and to functions and classes of your own.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            NaN in a 2-D y marks a label that was not observed; so do None and `missing_label` where
            `estimator` is a classifier.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies; labels of weight 0 are left out. Passed on to `estimator` if given.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape.
        TypeError
            If a parameter is of the wrong type, `estimator` takes no sample_weight, or a step of
            scikit-learn's would count dates in X.
        """
        self._check_params()
        X = _as_array_or_frame(X)
        checked = self._validate_fit(X, y, sample_weight)
        classes, fit_input = None, checked
        if self._classifies:
            classes, fit_input = self._separate(checked, models_only=self._models_one_class)
        fit_input = self._with_table(X, fit_input)
        fitted = self._fit_labels(fit_input, classes, weighted=sample_weight is not None)
        with at_once(self) as model:
            model._record(X, checked, classes)
            for name, value in fitted.items():
                setattr(model, name, value)
        return self

    def predict(self, X):
        """Predict the label of every task, or of each row's own task.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column where the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_tasks)
            As y was in `fit`; one label a row for long data.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If a task id was not seen in `fit` and ``unknown_task="error"``.
        """
        X, codes = self._validate_query(X, "predict")
        answers, classes = self._answers_by_task(X, codes, "predict"), self._task_classes
        if classes is None:
            return self._shaped([z for z, _ in answers], codes)
        numbers = [chosen(table, classes, task) for table, task in answers]
        return classes.array(self._shaped(numbers, codes))

    predict_proba = available_if(_has_probabilities)(ProbabilityMixin.predict_proba)
    predict_log_proba = available_if(_has_probabilities)(ProbabilityMixin.predict_log_proba)

    def score(self, X, y, sample_weight=None):
        """Mean over tasks of R2, or of a classifier's accuracy, on the observed labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            NaN where a label is not observed; of classifiers also None and `missing_label`.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies.

        Returns
        -------
        float
            Tasks with too few observed labels, two for R2 and one for accuracy, are left out.
        """
        if self._classifies:
            return super().score(X, y, sample_weight)
        return MultiTaskMixin.score(self, X, y, sample_weight)

    def _check_params(self):
        if isinstance(self.estimator, type) or not (
            hasattr(self.estimator, "fit") and hasattr(self.estimator, "predict")
        ):
            raise TypeError(
                "estimator must be a regressor or classifier object with fit and predict, got "
                f"{self.estimator!r}."
            )
        check_missing_label(self.missing_label)

    def _read_labels(self, y):
        return super()._read_labels(y) if self._classifies else (check_labels(y, self), None)

    def _record(self, X, checked, classes):
        if classes is not None:
            self._record_classes(X, checked, classes)
            return
        self._record_input(X, checked)
        self._task_classes = None
        vars(self).pop("classes_", None)  # of an earlier fit of a classifier

    def _split_features(self, X):
        table, ids = self._split_table(X)
        if table is None:
            return super()._split_features(X)
        return np.arange(float(len(table)))[:, None], ids  # row numbers stand for the rows

    def _split_table(self, X):
        """The table that is handed on as it is, and its task ids; None where X is all numbers."""
        if issparse(X) or not begins_with_transformer(self.estimator):
            return None, None
        table, ids = as_table(X), None
        if self.task_column is not None:
            table, ids = split_task_column(table, self.task_column)
        return (table, ids) if is_for_transformer(table) and len(table) else (None, None)

    def _with_table(self, X, fit_input):
        """FitInput whose X is of the table itself, if row numbers have stood for it."""
        data, (table, _) = fit_input.data, self._split_table(X)
        if table is None or data is None:
            return fit_input
        self._check_dates(table, fit_input.tasks)
        return fit_input._replace(data=replace(data, X=rows_of(table, data.X[:, 0].astype(int))))

    def _validate_query(self, X, method):
        X = _as_array_or_frame(X)
        features, codes = self._validate_predict(X)
        table, _ = self._split_table(X)
        if table is None:
            return features, codes
        self._check_dates(table, self.tasks_)
        return table, codes

    def _check_dates(self, table, tasks):
        if has_dates(table):
            check_dates(self._design(table, np.full(len(table), -1), tasks), self.estimator)

    def _design(self, X, parts, tasks):
        """What the inner estimator is given of the rows of these parts."""
        return X

    def _has(self, method):
        """Whether this is a classifier all of whose models have the method."""
        return self._classifies and all(
            hasattr(model, method) for model in [self.estimator, *self._fitted()]
        )

    def _answers_by_task(self, X, codes, method):
        """[(answers, task)]: one for each task in turn, or one for long rows and their tasks."""
        if codes is not None:
            return [(self._answers(X, np.append(self._parts, -1)[codes], method), codes)]
        parts, column = np.unique(self._parts, return_inverse=True)
        answers = [self._answers(X, np.full(len(X), part), method) for part in parts]
        return [(answers[k], task) for task, k in enumerate(column)]

    def _shaped(self, columns, codes):
        return columns[0] if codes is not None or self._y_ndim == 1 else np.stack(columns, axis=1)

    def _predict_proba(self, X, method):
        X, codes = self._validate_query(X, method)
        answers, classes = self._answers_by_task(X, codes, "predict_proba"), self._task_classes
        tables = [restricted(P, classes, task).astype(float_type(X)) for P, task in answers]
        if codes is not None:
            return tables[0]
        parts = [P[:, own] for P, own in zip(tables, classes.own, strict=True)]
        return parts[0] if self._y_ndim == 1 else parts

    def _ask(self, estimator, X, method):
        """Predictions of one fitted estimator: numbers (n_samples,), or a table of classes."""
        if self._task_classes is None:
            return estimator.predict(X)
        return class_table(estimator, X, self._task_classes, method)

    @abstractmethod
    def _fit_labels(self, fit_input, classes, *, weighted):
        """Fitted attributes by name, `_parts` of each task among them."""

    @abstractmethod
    def _fitted(self):
        """The fitted estimators, none before `fit`."""

    @abstractmethod
    def _answers(self, X, parts, method):
        """Answers to the rows of X, by the part of which task, -1 for none."""


def _as_array_or_frame(X):
    """X on the host; of lists what they are, numbers or not, must not depend on who asks."""
    X = to_host(X)
    return as_table(array_of_list("X", X)) if isinstance(X, (list, tuple)) else X


def labels_of(y, classes):
    """Labels as the inner estimator is given them: continuous, or labels of the user's own type."""
    return y if classes is None else classes.array(y.astype(np.intp))
