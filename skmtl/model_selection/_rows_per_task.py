"""compare_by_rows: the comparison of `compare` at several numbers of training rows per task."""

import warnings
from collections.abc import Iterable
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from .._checks import check_count
from .._splitters import MultiTaskShuffleSplit
from ._compare import compare
from ._comparison_curve import ComparisonCurve
from ._read import read_table
from ._splits import N_SPLITS


def compare_by_rows(
    X,
    y,
    task=None,
    *,
    rows_per_task=(3, 4, 6, 8, 12),
    n_splits=N_SPLITS,
    task_column=None,
    groups=None,
    classification=None,
    estimators=None,
    reference=None,
    scoring=None,
    transformer=None,
    random_state=0,
    n_jobs=None,
    callback=None,
):
    """Compare a multi-task model with the simple ones at several numbers of rows per task.

    Sharing between tasks may pay with few rows and not with many, or the reverse: learning curves
    of all estimators tell. At each size this is :func:`compare`, with the same estimators.

    Parameters
    ----------
    X, y, task, task_column
        The data, as in :func:`compare`.
    rows_per_task : iterable of int, default=(3, 4, 6, 8, 12)
        Numbers of training rows (wide data: labels) of each task; the other rows are for testing.
        With `groups` whole groups are drawn until each task has that many.
        A size that leaves some task without a row for testing is skipped with a warning.
    n_splits : int, default=40
        Random splits at each size, at least 2; fewer than ten have no verdict.
    groups, classification, estimators, reference, scoring, transformer, n_jobs
        As in :func:`compare`.
    random_state : int, RandomState instance or None, default=0
        Every size starts from the same random orders of the rows.
    callback : callable, default=None
        Called as ``callback(done, total)`` after each split of each size.

    Returns
    -------
    ComparisonCurve
        With `table`, `verdict`, `comparisons` and `plot`, and `log_loss` where the scores are AUCs;
        where a size has no AUC all sizes have the log loss as their scores.

    Raises
    ------
    ValueError
        If every size leaves some task without a row for testing, or as in :func:`compare`.
    TypeError
        If an argument is of the wrong kind.

    Notes
    -----
    At one size all estimators are scored on the same test labels, and their differences are paired.
    Different sizes leave different rows for testing.

    See Also
    --------
    compare : At one size, or by any splitter.

    Examples
    --------
    >>> from skmtl.datasets import load_grunfeld
    >>> from skmtl.model_selection import compare_by_rows
    >>> X, y, firm = load_grunfeld(return_X_y=True)
    >>> curve = compare_by_rows(X, y, firm, rows_per_task=[4, 12], n_splits=10)
    >>> curve.table[["pooled", "independent", "MultiTaskRidgeCV"]].round(2)
          pooled  independent  MultiTaskRidgeCV
    rows
    4       0.77         0.85              0.89
    12      0.78         0.94              0.94
    """
    table, _ = read_table(
        X, y, task, task_column, classification=classification, transformer=transformer
    )
    sizes = _usable(_check_sizes(rows_per_task), table)
    check_count("n_splits", n_splits, least=2)
    if not isinstance(random_state, Integral):
        random_state = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    comparisons = [
        compare(
            X,
            y,
            task,
            task_column=task_column,
            groups=groups,
            classification=table.classes is not None,
            estimators=estimators,
            reference=reference,
            cv=MultiTaskShuffleSplit(n_splits, n_per_task=size, random_state=random_state),
            scoring=scoring,
            transformer=transformer,
            n_jobs=n_jobs,
            callback=_after(k * n_splits, len(sizes) * n_splits, callback),
        )
        for k, size in enumerate(sizes)
    ]
    if len({comparison.scoring for comparison in comparisons}) > 1:  # some sizes have no AUC
        comparisons = [c if c.log_loss is None else c.log_loss for c in comparisons]
    return ComparisonCurve(sizes, comparisons)


def _check_sizes(values):
    """Distinct sizes, ascending."""
    if not isinstance(values, Iterable) or isinstance(values, str):
        raise TypeError(f"rows_per_task must be an iterable of integers, got {values!r}.")
    sizes = sorted({check_count("rows_per_task", value) for value in values})
    if not sizes:
        raise ValueError("rows_per_task must hold at least one size, got none.")
    return sizes


def _usable(sizes, table):
    """The sizes that leave every task a row for testing."""
    smallest = int(np.argmin(table.n_labels))
    n_rows = int(table.n_labels[smallest])
    named = f"task {table.tasks[smallest]!r} has {n_rows} and needs one for testing"
    usable = [size for size in sizes if size < n_rows]
    if not usable:
        raise ValueError(
            f"rows_per_task={sizes} are too many training rows: {named}; choose fewer rows or "
            "leave that task out."
        )
    if len(usable) < len(sizes):
        skipped = ", ".join(str(size) for size in sizes[len(usable) :])
        warnings.warn(
            f"{skipped} rows per task skipped: {named}.",
            UserWarning,
            stacklevel=3,
        )
    return usable


def _after(done_before, total, callback):
    """`callback` with the splits of earlier sizes counted in."""
    if callback is None:
        return None
    return lambda done, _: callback(done_before + done, total)
