"""PooledTasks: the inner estimator on the labels of all tasks."""

import numpy as np
from sklearn.base import clone
from sklearn.dummy import DummyClassifier

from .._backend import require_memory
from .._checks import check_flag
from ._tables import drops, rows_of, with_columns
from ._wrapper import TaskWrapper, labels_of


class PooledTasks(TaskWrapper):
    """One regressor or classifier on the observed labels of all tasks, stacked.

    Parameters
    ----------
    estimator : object
        A regressor or classifier of one target, as of scikit-learn. A pipeline that begins with a
        transformer is given frames, and arrays of text, as they are, without the task column: text,
        gaps, and dates where no step of scikit-learn's would count them, are then for its steps.
    task_dummies : bool, default=True
        Whether the features get one 0/1 column for each task beside them. A task without labels,
        and with ``unknown_task="shared"`` one that `fit` did not see, has zeros in all of them.
        In a frame they are called "task" and its id, behind the other columns; a ColumnTransformer
        keeps them by ``remainder="passthrough"``, and one that drops them is refused.
    missing_label : object, default=nan
        For classifiers: the label of a 2-D y that means that none was observed. NaN and None always
        do, but scikit-learn's tools refuse them where their `cv` is an integer or None: give those
        ``cv=MultiTaskKFold()``, or integer labels with ``missing_label=-1``.
    task_column : str or int, default=None
        Name or position of the column of X that holds the task ids (long data). None: wide y.
    unknown_task : {"error", "shared"}, default="error"
        What predict does with an id that fit did not see: refuse it, or predict with zero dummies.

    Attributes
    ----------
    estimator_ : object
        The fitted clone, of n_features columns and with `task_dummies` n_tasks more, in the order
        of `tasks_`. A :class:`~sklearn.dummy.DummyClassifier` where no task has two classes.
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
    IndependentTasks : One regressor or classifier for each task.

    Notes
    -----
    With ``Ridge(alpha)`` inside this is :class:`~skmtl.linear_model.MultiTaskRidge` with
    alpha_shared = alpha, alpha_specific = inf, and alpha_intercept = alpha with dummies or inf
    without. With ``LogisticRegression`` of strength C inside it is
    :class:`~skmtl.linear_model.MultiTaskLogisticRegression` with the same for alpha = 1/C, as long
    as all tasks have the same classes. No dummy is dropped: the penalty then treats the tasks
    alike. A scaler belongs before this wrapper; inside it would scale the dummies too. Each label
    takes a row of its own: memory is n_labels times n_features + n_tasks.

    A classifier learns the classes of all tasks. The probabilities of a task are those of its own
    classes, divided by their sum, and where tasks differ in their classes a task's label is the
    most probable one of its own, or by `decision_function` where there are no probabilities. A task
    without labels has the most frequent set of classes. A task that has labels of one class only
    predicts that class, and a warning says so; where that set holds the class, the task's labels
    take part in the fit and its probabilities are those of the set.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression, LogisticRegression
    >>> from skmtl.baselines import PooledTasks
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> Y = np.array([[0.0, 5.0], [2.0, np.nan], [4.0, 9.0], [np.nan, 11.0]])
    >>> PooledTasks(LinearRegression()).fit(X, Y).predict([[4.0]]).round(6)
    array([[ 8., 13.]])
    >>> Y = np.array([["a", "a"], ["a", None], ["b", "a"], ["b", "b"]])
    >>> PooledTasks(LogisticRegression()).fit(X, Y).predict([[2.0]])
    array([['b', 'a']], dtype='<U1')
    """

    _models_one_class = True

    def __init__(
        self,
        estimator,
        *,
        task_dummies=True,
        missing_label=np.nan,
        task_column=None,
        unknown_task="error",
    ):
        self.estimator = estimator
        self.task_dummies = task_dummies
        self.missing_label = missing_label
        self.task_column = task_column
        self.unknown_task = unknown_task

    def _check_params(self):
        super()._check_params()
        check_flag("task_dummies", self.task_dummies)

    def _fit_labels(self, fit_input, classes, *, weighted):
        parts = np.full(len(fit_input.tasks), -1)
        if self.task_dummies:
            parts[fit_input.labelled] = fit_input.labelled
        if fit_input.data is None:
            model = DummyClassifier().fit(np.zeros((len(classes.values), 1)), classes.values)
        else:
            model = self._fit_stacked(fit_input, classes, weighted)
        return {"estimator_": model, "_parts": parts, "_rank": _ranking_method(model, classes)}

    def _fit_stacked(self, fit_input, classes, weighted):
        labels = fit_input.data.labels
        task = fit_input.labelled[labels.task]
        X = rows_of(fit_input.data.X, labels.row)
        design = self._design(X, task, fit_input.tasks)
        weights = {"sample_weight": labels.s} if weighted else {}
        model = clone(self.estimator).fit(design, labels_of(labels.y, classes), **weights)
        if self.task_dummies and len(fit_input.labelled) > 1:
            self._check_dummies(model, X, fit_input)
        return model

    def _check_dummies(self, model, X, fit_input):
        """Refuse a pipeline that loses the dummies: then no task would differ from another."""
        same = rows_of(X, np.zeros(len(fit_input.labelled), dtype=int))
        if drops(model, self._design(same, fit_input.labelled, fit_input.tasks)):
            raise ValueError(
                "the ColumnTransformer in estimator drops the task dummies; give it "
                "remainder='passthrough', or set task_dummies=False."
            )

    def _fitted(self):
        return [self.estimator_] if hasattr(self, "estimator_") else []

    def _answers(self, X, parts, method):
        method = self._rank if method == "predict" else method
        return self._ask(self.estimator_, self._design(X, parts, self.tasks_), method)

    def _design(self, X, parts, tasks):
        """X, with the dummies of each row's task beside it if asked for."""
        if not self.task_dummies:
            return X
        n_tasks = len(tasks)
        width = X.shape[1] + n_tasks
        require_memory(
            len(X) * width + n_tasks**2,
            f"{len(X)} rows of {X.shape[1]} features and the dummies of {n_tasks} tasks",
            "use task_dummies=False, or MultiTaskRidge(alpha_specific=inf)",
        )
        rows_of_eye = np.eye(n_tasks + 1, n_tasks)  # the last, of part -1, is zero
        return with_columns(X, rows_of_eye[parts], tasks)


def _ranking_method(model, classes):
    """The method that predicts: one that ranks the classes if some task has not all of them."""
    if classes is None:
        return "predict"
    own = {tuple(classes.own[t]) for t in range(len(classes.own)) if classes.constant(t) < 0}
    if len(own) < 2:
        return "predict"
    return next((m for m in ("predict_proba", "decision_function") if hasattr(model, m)), "predict")
