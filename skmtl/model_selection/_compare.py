"""compare: simple models and those that share on the same splits, their scores paired."""

import warnings
from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed
from sklearn.preprocessing import StandardScaler

from .._backend import few_threads
from .._input import id_array, stack_level
from ._class_trial import ClassJudge
from ._continuous import ContinuousJudge
from ._estimators import compared_estimators
from ._read import read_table
from ._resampled import HALVED, label_ratio
from ._splits import halver, make_splits
from ._trial import run_trial, without_failed


def compare(
    X,
    y,
    task=None,
    *,
    task_column=None,
    groups=None,
    classification=None,
    estimators=None,
    reference=None,
    cv=None,
    n_per_task=None,
    scoring=None,
    transformer=None,
    random_state=0,
    n_jobs=None,
    callback=None,
):
    """Compare a multi-task model with the simple ones that ignore or separate the tasks.

    All estimators are fitted on the same training rows of the same random splits and scored on the
    same test labels, so that their differences are paired. For continuous labels they are ridge
    regressions tuned by leave-one-out over the same penalties, but for the one that learns
    covariances; for classes they are logistic regressions tuned by the log loss of three folds over
    penalties of one range:

    - "pooled": one for all rows;
    - "pooled + dummies": the same, with an indicator of each task among the features;
    - "independent": one for each task;
    - "independent, one alpha": one for each task, with one alpha tuned over all tasks;
    - "MultiTaskBayesianRidge": for continuous labels only,
      :class:`~skmtl.linear_model.MultiTaskBayesianRidge` as it is by default, which learns from the
      labels which tasks resemble which; it refuses some tables that the others can do with, and is
      then left out with a warning, unless it is the reference or given in `estimators`;
    - "MultiTaskRidgeCV" or "MultiTaskLogisticRegressionCV":
      :class:`~skmtl.linear_model.MultiTaskRidgeCV` or
      :class:`~skmtl.linear_model.MultiTaskLogisticRegressionCV`.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples, n_features)
        Features; numbers, unless `transformer` makes numbers of them. Dates are for encoders and
        for functions and classes of your own in it: scikit-learn's scalers would count them.
    y : array-like of shape (n_samples,) or (n_samples, n_tasks)
        Long data: one label a row, also in a table of one column. Wide data: one column a task,
        NaN where not observed; continuous labels are standardised by target as in each training
        set, predictions scaled back. Classes may be of any type but dates.
    task : array-like of shape (n_samples,), default=None
        Task id of each row of long data.
    task_column : str or int, default=None
        Name or position of the column of X with the task ids, in place of `task`.
    groups : array-like of shape (n_samples,), default=None
        Ids of what rows belong to: a time, a person, a place. Rows of one id are all for training
        or all for testing, whatever their tasks; otherwise models are tested on near copies of what
        they were trained on. Models choose their own penalties without regard to it.
    classification : bool, default=None
        Whether labels are classes. None: they are if they are text, truth values, or whole numbers
        of which no more than two distinct ones occur (wide data: in every column). Whole numbers
        with more values are continuous unless this is True, and so is text that spells numbers,
        some of them with decimals.
    estimators : dict of str to estimator or None, default=None
        Further estimators. A name from the list above stands in its place; None leaves that
        estimator out. For long data the first column that estimators get is the number of the task,
        and their parameter `task_column` (the outermost, as in a pipeline) is set to it.
    reference : str, default=None
        The estimator whose gain over the simple models, the first four of the list above, the
        verdict is about. None: the last of the list.
    cv : int, splitter or iterable of (train, test), default=None
        None: 40 splits by :class:`MultiTaskShuffleSplit`, with a quarter of each task for testing.
        An integer: folds of a :class:`MultiTaskKFold`. These two are told the tasks; splitters of
        scikit-learn are given `groups`, or without them the task ids, as their groups. Fewer than
        ten splits have no verdict.
    n_per_task : int, default=None
        With ``cv=None``: training rows (wide data: labels) of each task; the others are tested.
    scoring : str or callable, default=None
        A name that :func:`~skmtl.metrics.make_multitask_scorer` takes, or a scorer
        ``scorer(estimator, X, y)``; larger is better. None: for long data the explained variance
        1 - SSE/SST over all test labels, SST about their mean; for wide data the mean of the
        targets' R2; for classes the mean of the tasks' areas under the ROC curve, and of the same
        fits the mean of their log losses, which the result's `log_loss` holds.
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
        With `table`, `per_task`, `verdict`, `scores` and `plot`, and `log_loss` where the scores
        are AUCs.

    Raises
    ------
    ValueError
        If there is only one task, a label or an id is missing in long data, there are fewer than
        two splits, or an estimator fails; the message names it.
    TypeError
        If an argument is of the wrong kind.

    Notes
    -----
    Test labels of a task that has no training label in a split are not scored in it, nor is a
    column of wide data whose labels never vary. A task whose test labels are of one class in a
    split has no AUC in it, and where that is so of all tasks the split has none: a warning and the
    report count such splits, and where fewer than two are left models are compared by their log
    loss alone. A `scoring` of one's own may do without such splits, and is told of none beforehand.
    Where a task's training labels are of one class, models predict it. Independent
    ones are certain of it then, and each test label of another class costs a log loss of 36; a
    warning counts such splits.

    Of the logistic regressions "pooled" and "independent" are what
    :class:`~skmtl.baselines.PooledTasks` and :class:`~skmtl.baselines.IndependentTasks` make of
    scikit-learn's, where all tasks have the same classes. "pooled + dummies" tunes the penalty of
    the indicators apart from that of the features.

    Standard errors, intervals and p values are those of the corrected resampled t test, which
    allows for the rows that splits share; :class:`Comparison` defines each number. They speak of
    other rows of the same tasks, not of other tasks. More splits do not make them much narrower,
    more rows do.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.datasets import load_grunfeld
    >>> from skmtl.model_selection import compare
    >>> X, y, firm = load_grunfeld(return_X_y=True)
    >>> comparison = compare(X, y, firm, n_per_task=6)
    >>> for model in "pooled", "MultiTaskRidgeCV":
    ...     print(f"{comparison.scores[model].mean():.2f}")
    0.77
    0.93
    >>> medians = [np.median(y[firm == name]) for name in firm]
    >>> comparison = compare(X, y > medians, firm, cv=3)  # truth values are classes
    >>> comparison.scoring, comparison.log_loss.scoring
    ('mean AUC', 'mean log loss')
    """
    table, ids = read_table(
        X, y, task, task_column, classification=classification, transformer=transformer
    )
    wide, classification = ids is None, table.classes is not None
    models, simple, reference, spare = compared_estimators(
        estimators, reference, None if wide else 0, classification=classification
    )
    groups = None if groups is None else id_array(groups, "groups", len(table.y), of="group")
    splits = make_splits(cv, n_per_task, random_state, X, table, ids, groups)
    judge = ClassJudge(scoring) if classification else ContinuousJudge(scoring, wide=wide)
    counts = (np.array([table.count(part[k]) for part in splits]) for k in (0, 1))
    ratio = label_ratio(*counts, by_task=judge.by_task)
    halve = halver(table.codes, groups) if ratio >= HALVED else None
    transformer = StandardScaler() if transformer is None else transformer
    for note in judge.notes(table, splits):
        warnings.warn(note, UserWarning, stacklevel=stack_level())
    run = delayed(run_trial)
    with few_threads(np.shape(table.X)[1]), judge.quiet():
        trials = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(
            run(table, k, *split, models, judge, transformer, spare, halve)
            for k, split in enumerate(splits)
        )
        trials = list(_announced(trials, len(splits), callback))
    trials, left_out = without_failed(trials)
    for name, why in left_out.items():
        warnings.warn(f"{name} is left out: {why}", UserWarning, stacklevel=stack_level())
    comparison = judge.summarise(
        table, trials, reference=reference, simple=simple, test_train_ratio=ratio
    )
    return replace(comparison, left_out=left_out)


def _announced(trials, total, callback):
    for done, trial in enumerate(trials, start=1):
        if callback is not None:
            callback(done, total)
        yield trial
