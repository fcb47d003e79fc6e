"""IndependentTasks: a clone of the inner estimator for each task."""

import numpy as np
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.utils.parallel import Parallel, delayed

from .._checks import check_jobs
from .._input import rows_by_task
from ._tables import rows_of
from ._wrapper import TaskWrapper, labels_of


class IndependentTasks(TaskWrapper):
    """One clone of a regressor or classifier for each task, fitted on that task's labels alone.

    A task without labels, and with ``unknown_task="shared"`` one that `fit` did not see, is
    predicted by the mean of the other tasks' predictions. Of classifiers that is the mean of the
    probabilities, or a vote where there are none, of the tasks with the most frequent class set.

    Parameters
    ----------
    estimator : object
        A regressor or classifier of one target, as of scikit-learn; a pipeline or a search serves
        too. A pipeline that begins with a transformer is given frames, and arrays of text, as they
        are, without the task column: text, gaps, and dates where no step of scikit-learn's would
        count them, are then for its steps.
    missing_label : object, default=nan
        For classifiers: the label of a 2-D y that means that none was observed. NaN and None always
        do, but scikit-learn's tools refuse them where their `cv` is an integer or None: give those
        ``cv=MultiTaskKFold()``, or integer labels with ``missing_label=-1``.
    task_column : str or int, default=None
        Name or position of the column of X that holds the task ids (long data). None: wide y.
    unknown_task : {"error", "shared"}, default="error"
        What predict does with an id that fit did not see: refuse it, or predict the mean.
    n_jobs : int or None, default=None
        Number of tasks fitted at the same time, in threads; -1 is one for each core.

    Attributes
    ----------
    estimators_ : list of length n_tasks
        The fitted clones, None for a task without labels, a
        :class:`~sklearn.dummy.DummyClassifier` for one with labels of one class only.
    classes_ : ndarray of shape (n_classes,) or list of n_tasks such arrays
        Of classifiers: a list where y is 2-D. Long data: the classes of all tasks.
    tasks_ : list
        Task ids, sorted, or column names of y.
    n_tasks_ : int
    n_features_in_ : int
        Columns of X, the task column included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Where X has column names.

    See Also
    --------
    PooledTasks : One regressor or classifier for all tasks.
    sklearn.multioutput.MultiOutputRegressor : The same for a complete y.
    sklearn.multioutput.MultiOutputClassifier : The same for a complete y of classes.

    Notes
    -----
    With ``Ridge(alpha)`` inside this is :class:`~skmtl.linear_model.MultiTaskRidge` with
    alpha_shared = inf, alpha_specific = alpha and alpha_intercept = 0. With ``LogisticRegression``
    of strength C inside it is :class:`~skmtl.linear_model.MultiTaskLogisticRegression` with
    alpha_shared = inf, alpha_specific = 1/C and alpha_intercept = 0, as long as all tasks have two
    classes or all have more.

    A task that has labels of one class only predicts it with probability one, and a warning says
    so. Where the most frequent set of classes among the other tasks holds that class, `classes_` of
    the task is that set, as it is for a task without labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression, LogisticRegression
    >>> from skmtl.baselines import IndependentTasks
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> Y = np.array([[0.0, 9.0], [2.0, np.nan], [4.0, 7.0], [np.nan, 6.0]])
    >>> IndependentTasks(LinearRegression()).fit(X, Y).predict([[4.0]]).round(6)
    array([[8., 5.]])
    >>> Y = np.array([["a", "u"], ["a", None], ["b", "v"], ["b", "w"]])
    >>> IndependentTasks(LogisticRegression()).fit(X, Y).predict([[4.0]])
    array([['b', 'w']], dtype='<U1')
    """

    _models_one_class = False

    def __init__(
        self,
        estimator,
        *,
        missing_label=np.nan,
        task_column=None,
        unknown_task="error",
        n_jobs=None,
    ):
        self.estimator = estimator
        self.missing_label = missing_label
        self.task_column = task_column
        self.unknown_task = unknown_task
        self.n_jobs = n_jobs

    def _check_params(self):
        super()._check_params()
        check_jobs("n_jobs", self.n_jobs)

    def _fit_labels(self, fit_input, classes, *, weighted):
        models = {}
        if classes is not None:
            alone = np.flatnonzero(classes.only >= 0)
            models = {t: _fit_constant(classes.array(classes.only[[t]])) for t in alone.tolist()}
        if fit_input.data is not None:
            fitted = self._fit_tasks(fit_input, classes, weighted)
            models |= zip(fit_input.labelled.tolist(), fitted, strict=True)
        tasks = range(len(fit_input.tasks))
        return {
            "estimators_": [models.get(t) for t in tasks],
            "_parts": np.array([t if t in models else -1 for t in tasks]),
        }

    def _fit_tasks(self, fit_input, classes, weighted):
        X, labels = fit_input.data.X, fit_input.data.labels
        pieces = [slice(a, b) for a, b in zip(labels.indptr[:-1], labels.indptr[1:], strict=True)]
        names = [fit_input.tasks[t] for t in fit_input.labelled]
        # scikit-learn's Parallel is joblib's and hands its configuration to the threads; what
        # rows_of returns is a copy even of all rows: an inner copy_X=False may write into it
        return Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(_fit_task)(
                clone(self.estimator),
                rows_of(X, labels.row[piece]),
                labels_of(labels.y[piece], classes),
                labels.s[piece] if weighted else None,
                name,
            )
            for name, piece in zip(names, pieces, strict=True)
        )

    def _fitted(self):
        return [model for model in getattr(self, "estimators_", []) if model is not None]

    def _answers(self, X, parts, method):
        groups = rows_by_task(parts)
        z = [self._answer_part(rows_of(X, rows), part, method) for part, rows in groups]
        return np.concatenate(z)[np.argsort(np.concatenate([rows for _, rows in groups]))]

    def _answer_part(self, X, part, method):
        if part >= 0:
            return self._ask(self.estimators_[part], X, method)
        if self._has("predict_proba"):
            method = "predict_proba"
        return np.mean([self._ask(model, X, method) for model in self._peers()], axis=0)

    def _peers(self):
        """Models that speak for a task of which nothing is known."""
        classes = self._task_classes
        if classes is None:
            return self._fitted()
        pairs = zip(self.estimators_, classes.own, strict=True)
        return [m for m, own in pairs if m is not None and np.array_equal(own, classes.default)]


def _fit_task(estimator, X, y, weight, task):
    weights = {} if weight is None else {"sample_weight": weight}
    try:
        return estimator.fit(X, y, **weights)
    except Exception as error:
        error.add_note(f"This was the fit of task {task!r}, which has {len(y)} label(s).")
        raise


def _fit_constant(label):
    """Classifier of the one label in an array of length 1."""
    return DummyClassifier().fit(np.zeros((1, 1)), label)
