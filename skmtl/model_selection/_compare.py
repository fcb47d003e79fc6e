"""compare: simple models and MultiTaskRidgeCV on the same splits, their scores paired."""

import warnings
from numbers import Integral

import numpy as np
from joblib import Parallel, delayed
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, check_consistent_length

from .._backend import few_threads, is_foreign, to_numpy
from .._splitters import MultiTaskKFold, MultiTaskShuffleSplit
from .._task_ids import encode_tasks, id_array, take_task_column
from ..metrics import make_multitask_scorer
from ._comparison import EXPLAINED_VARIANCE, MEAN_R2, Comparison
from ._contenders import REFERENCE, contenders
from ._trial import LongTable, WideTable, run_trial

N_SPLITS, TEST_SIZE = 40, 0.25


def compare(
    X,
    y,
    task=None,
    *,
    task_column=None,
    estimators=None,
    reference=REFERENCE,
    cv=None,
    n_per_task=None,
    scoring=None,
    transformer=None,
    random_state=0,
    n_jobs=None,
    callback=None,
):
    """Compare MultiTaskRidgeCV with the simple models that ignore or separate the tasks.

    All contenders are fitted on the same training rows of the same random splits and scored on the
    same test labels, so that their differences are paired. They are ridge regressions tuned by
    leave-one-out over the same penalties:

    - "pooled": one for all rows;
    - "pooled + dummies": the same, with an indicator of each task among the features;
    - "independent": one for each task;
    - "independent, one alpha": one for each task, with one alpha tuned over all tasks;
    - "MultiTaskRidgeCV": :class:`~skmtl.linear_model.MultiTaskRidgeCV`.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples, n_features)
        Features; numbers, unless `transformer` makes numbers of them.
    y : array-like of shape (n_samples,) or (n_samples, n_tasks)
        Long data: one label a row. Wide data: one column a task, NaN where not observed; labels
        are standardised by target as in each training set, predictions scaled back.
    task : array-like of shape (n_samples,), default=None
        Task id of each row of long data.
    task_column : str or int, default=None
        Name or position of the column of X with the task ids, in place of `task`.
    estimators : dict of str to estimator or None, default=None
        Further contenders. A name from the list above stands in its place; None leaves that
        contender out. For long data the first column that estimators get is the number of the task,
        and their parameter `task_column` (the outermost, as in a pipeline) is set to it.
    reference : str, default="MultiTaskRidgeCV"
        The contender whose gain over the simple models the verdict is about.
    cv : int, splitter or iterable of (train, test), default=None
        None: 40 splits by :class:`MultiTaskShuffleSplit`, with a quarter of each task for testing.
        An integer: folds of a :class:`MultiTaskKFold`. Task ids are given to splitters as `groups`.
    n_per_task : int, default=None
        With ``cv=None``: training rows (wide data: labels) of each task; the others are tested.
    scoring : str or callable, default=None
        A name that :func:`~skmtl.metrics.make_multitask_scorer` takes, or a scorer
        ``scorer(estimator, X, y)``; larger is better. None: for long data the explained variance
        1 - SSE/SST over all test labels, SST about their mean; for wide data the mean of the
        targets' R2.
    transformer : transformer, default=None
        Fitted to the features of each training set, without the task ids. None: StandardScaler.
    random_state : int, RandomState instance or None, default=0
        For the splits where `cv` is None or an integer.
    n_jobs : int, default=None
        Splits computed at a time, in threads. With more than one, times to fit are less exact.
    callback : callable, default=None
        Called as ``callback(done, total)`` after each split.

    Returns
    -------
    Comparison
        With `table`, `per_task`, `verdict`, `scores` and `plot`.

    Raises
    ------
    ValueError
        If there is only one task, a label or an id is missing in long data, there are fewer than
        two splits, or a contender fails; the message names it.
    TypeError
        If an argument is of the wrong kind.

    Notes
    -----
    Test labels of a task that has no training label in a split are not scored in it, nor is a
    column of wide data whose labels never vary.

    Standard errors are those of a mean over random splits of this data set. They say how far the
    scores depend on the choice of splits. They do not cover that another sample of rows, let alone
    of tasks, would give other scores: splits share rows, and more of them only make the mean over
    splits of these data more exact.

    Examples
    --------
    >>> from skmtl.datasets import load_grunfeld
    >>> from skmtl.model_selection import compare
    >>> X, y, firm = load_grunfeld(return_X_y=True)
    >>> comparison = compare(X, y, firm, n_per_task=6)
    >>> for model in "pooled", "MultiTaskRidgeCV":
    ...     print(f"{comparison.scores[model].mean():.2f}")
    0.77
    0.93
    """
    table, ids = read_table(X, y, task, task_column, any_kind=transformer is not None)
    models, simple = contenders(estimators, reference, task_column=None if ids is None else 0)
    splits = _make_splits(cv, n_per_task, random_state, X, table.y, ids)
    scorer, scoring = _make_scorer(scoring, wide=ids is None)
    transformer = StandardScaler() if transformer is None else transformer
    run = delayed(run_trial)
    with few_threads(np.shape(table.X)[1]):
        trials = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(
            run(table, k, *split, models, scorer, transformer) for k, split in enumerate(splits)
        )
        trials = list(_announced(trials, len(splits), callback))
    return _summarise(table, trials, reference, simple, scoring)


def read_table(X, y, task, task_column, *, any_kind):
    """The data as LongTable and their task ids, or as WideTable and None."""
    X = to_numpy(X) if is_foreign(X) else X
    if task_column is not None:
        if task is not None:
            raise ValueError(f"give task or task_column={task_column!r}, not both.")
        X, task = take_task_column(X, task_column)
    if not (any_kind and hasattr(X, "shape")):
        X = _check_features(X)
    Y = check_array(
        to_numpy(y) if is_foreign(y) else y,
        dtype=np.float64,
        ensure_2d=False,
        ensure_all_finite="allow-nan",
        input_name="y",
    )
    check_consistent_length(X, Y)
    if (np.nanmax(Y, axis=0, initial=-np.inf) <= np.nanmin(Y, axis=0, initial=np.inf)).all():
        raise ValueError("the labels in y never vary: there is nothing to explain.")
    if task is None:
        return _wide_table(X, Y, getattr(y, "columns", None)), None
    return _long_table(X, Y, id_array(task, "task", len(Y)))


def _check_features(X):
    try:
        return check_array(X, dtype=np.float64, input_name="X")
    except ValueError as error:
        raise ValueError(
            f"X must be a table of finite numbers unless a transformer makes one of it: {error}"
        ) from error


def _wide_table(X, Y, names):
    if Y.ndim != 2 or Y.shape[1] < 2:
        raise ValueError(
            f"compare needs at least two tasks, got y of shape {Y.shape}; give task, an id for "
            "each row, or y with a column for each task."
        )
    names = list(range(Y.shape[1]) if names is None else names)
    empty = np.isnan(Y).all(axis=0)
    if empty.any():
        raise ValueError(f"task {names[np.argmax(empty)]!r} has no observed label in y; drop it.")
    return WideTable(X, Y, names)


def _long_table(X, y, ids):
    if y.ndim != 1:
        raise ValueError(f"y must be 1-D where task ids are given, got shape {y.shape}.")
    if np.isnan(y).any():
        raise ValueError(f"y is NaN in row {np.argmax(np.isnan(y))}; drop rows without a label.")
    tasks, codes = encode_tasks(ids)
    if len(tasks) < 2:
        raise ValueError(f"compare needs at least two tasks, got the one id {tasks[0]!r}.")
    return LongTable(X, y, codes, tasks), ids


def _make_splits(cv, n_per_task, random_state, X, y, ids):
    """List of (train, test)."""
    if cv is None:
        size = {"test_size": TEST_SIZE} if n_per_task is None else {"n_per_task": n_per_task}
        cv = MultiTaskShuffleSplit(N_SPLITS, random_state=random_state, **size)
    elif n_per_task is not None:
        raise ValueError(f"n_per_task={n_per_task!r} is for cv=None; set it in the splitter.")
    elif isinstance(cv, Integral):
        cv = MultiTaskKFold(cv, random_state=random_state)
    if hasattr(cv, "split"):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The groups parameter is ignored")
            cv = list(cv.split(X, y, ids))
    splits = list(cv)
    if len(splits) < 2:
        raise ValueError(f"cv must give at least 2 splits for a standard error, got {len(splits)}.")
    return splits


def _make_scorer(scoring, *, wide):
    """The scorer and its name."""
    if scoring is None and wide:
        return make_multitask_scorer("r2"), MEAN_R2
    if scoring is None:
        return _explained_variance, EXPLAINED_VARIANCE
    if isinstance(scoring, str):
        return make_multitask_scorer(scoring), scoring
    if not callable(scoring):
        raise TypeError(f"scoring must be None, a name or a scorer, got {scoring!r}.")
    return scoring, getattr(scoring, "__name__", repr(scoring))


def _explained_variance(estimator, X, y):
    return r2_score(y, estimator.predict(X))


def _announced(trials, total, callback):
    for done, trial in enumerate(trials, start=1):
        if callback is not None:
            callback(done, total)
        yield trial


def _summarise(table, trials, reference, simple, scoring):
    total = sum(trial.total for trial in trials)
    # a task whose labels never vary has no share of variance that a model could explain
    total = np.where(total > 0, total, np.nan)
    names = list(trials[0].scores)
    return Comparison(
        scores={name: np.array([trial.scores[name] for trial in trials]) for name in names},
        fit_seconds={name: float(np.mean([t.seconds[name] for t in trials])) for name in names},
        task_scores={name: 1 - sum(t.errors[name] for t in trials) / total for name in names},
        tasks=table.tasks,
        n_labels=table.n_labels,
        reference=reference,
        simple=simple,
        scoring=scoring,
    )
