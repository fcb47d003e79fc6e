"""Splitters that spread each task's observed labels, and the classes within it, over the folds."""

from typing import ClassVar

import numpy as np
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit
from sklearn.utils import check_random_state

from .._checks import check_count, check_flag
from ._spread import TEST, TRAIN, divide, draw, in_turn, spread_over_folds
from ._strata import read_rows


class MultiTaskKFold(BaseCrossValidator):
    """K folds that hold the observed labels of each task as evenly as possible.

    Every row is in exactly one test fold, and fold sizes differ by at most one. Long data (with
    `task_column`): so do the numbers of each task's rows. Wide Y with NaN: each task's labels are
    spread by iterative stratification. Class labels are spread within each task too: text,
    booleans, two distinct values, or whole numbers with on average five labels a value. Of long
    data each class is also spread over all tasks together, so that a few events in many tasks are
    in as many folds as they can be; controlled rounding finds such numbers.

    With `groups` given to `split`, as scikit-learn's splitters are, rows of one group (a time, a
    person, a place) are in one fold. Groups are then spread as evenly as their sizes allow, by
    iterative stratification too, the largest first.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=True
        False keeps the order of the rows: folds are runs of consecutive rows within each task and
        class (wide Y with NaN: rows of equally rare labels are placed in their order).
    random_state : int, RandomState instance or None, default=None
        An int gives the same folds at each call; requires `shuffle`.
    task_column : str or int, default=None
        Name or position of the column of X that holds the task ids of long data. None: each column
        of y is a task.

    Notes
    -----
    The training indices of a shuffled split take the tasks in turn, so that each prefix of them, as
    `learning_curve` takes it, holds all tasks alike.

    References
    ----------
    K. Sechidis, G. Tsoumakas, I. Vlahavas, "On the stratification of multi-label data", ECML PKDD
    2011. Here the order of the rows, by their rarest label, is fixed beforehand.

    L. H. Cox, "A constructive procedure for unbiased controlled rounding", Journal of the American
    Statistical Association 82, 1987.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.model_selection import MultiTaskKFold
    >>> X = np.column_stack([np.arange(9.0), [0, 0, 0, 0, 0, 0, 1, 1, 1]])
    >>> cv = MultiTaskKFold(n_splits=3, random_state=0, task_column=1)
    >>> for train, test in cv.split(X):
    ...     print(X[test, 1])
    [0. 0. 1.]
    [0. 0. 1.]
    [0. 0. 1.]
    """

    __metadata_request__split: ClassVar[dict] = {"groups": True}

    def __init__(self, n_splits=5, *, shuffle=True, random_state=None, task_column=None):
        self.n_splits = check_count("n_splits", n_splits, least=2)
        self.shuffle = check_flag("shuffle", shuffle)
        if not shuffle and random_state is not None:
            raise ValueError(
                f"random_state={random_state!r} has no effect with shuffle=False; leave it None."
            )
        self.random_state = random_state
        self.task_column = task_column

    def get_n_splits(self, X=None, y=None, groups=None):
        """Number of folds."""
        return self.n_splits

    def split(self, X, y=None, groups=None):
        """Yield the row numbers of each training and test set.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_tasks), default=None
            Labels, NaN where not observed.
        groups : array-like of shape (n_samples,), default=None
            Ids of what rows belong to; rows of one id stay together.

        Yields
        ------
        train, test : ndarray
        """
        rows = read_rows(X, y, groups, self.task_column)
        n, n_units = len(rows.task), rows.n_units
        if self.n_splits > n_units:
            what = "rows" if groups is None else "groups"
            raise ValueError(
                f"n_splits must be at most the number of {what}, {n_units}, got {self.n_splits}."
            )
        rng = check_random_state(self.random_state) if self.shuffle else None
        fold = spread_over_folds(rows, self.n_splits, rng)
        order = np.arange(n) if rng is None else rng.permutation(n)
        for k in range(self.n_splits):
            train = order[fold[order] != k]
            yield train if rng is None else in_turn(train, rows.task), np.flatnonzero(fold == k)


class MultiTaskShuffleSplit(BaseShuffleSplit):
    """Random splits that take the same fraction, or the same number of training rows, of each task.

    Long data (with `task_column`): each task gives its fraction for testing to within one row, and
    for training to within two, or `n_per_task` rows for training. Wide Y with NaN: each task's
    labels are divided by iterative stratification; with `n_per_task`, training rows are drawn until
    each task has at least that many labels. Class labels are divided within each task too, except
    for `n_per_task` with NaN, and of long data over all tasks together, as in MultiTaskKFold.

    With `groups` given to `split` rows of one group (a time, a person, a place) are all for
    training or all for testing: fractions are met as nearly as the groups allow, by iterative
    stratification, and with `n_per_task` groups are drawn until each task has at least that many
    training labels.

    Parameters
    ----------
    n_splits : int, default=10
        Number of splits, at least 1.
    test_size, train_size : float in (0, 1) or int, default=None
        Fraction or number of rows, as in scikit-learn's ShuffleSplit: None is the rest of the rows,
        and 0.1 for `test_size` if both are None.
    n_per_task : int, default=None
        Training rows (wide Y: labels) of every task; the other rows are for testing. A smaller task
        gives all its rows but one, a task with one row that one. Stands in place of `test_size` and
        `train_size`.
    random_state : int, RandomState instance or None, default=None
        An int gives the same splits at each call.
    task_column : str or int, default=None
        As in MultiTaskKFold.

    Notes
    -----
    Training indices take the tasks in turn, as in MultiTaskKFold.

    References
    ----------
    As MultiTaskKFold.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.model_selection import MultiTaskShuffleSplit
    >>> X = np.column_stack([np.arange(8.0), [0, 0, 0, 0, 0, 1, 1, 1]])
    >>> cv = MultiTaskShuffleSplit(n_splits=2, n_per_task=2, random_state=0, task_column=1)
    >>> for train, test in cv.split(X):
    ...     print(np.sort(X[train, 1]), np.sort(X[test, 1]))
    [0. 0. 1. 1.] [0. 0. 0. 1.]
    [0. 0. 1. 1.] [0. 0. 0. 1.]
    """

    __metadata_request__split: ClassVar[dict] = {"groups": True}

    def __init__(
        self,
        n_splits=10,
        *,
        test_size=None,
        train_size=None,
        n_per_task=None,
        random_state=None,
        task_column=None,
    ):
        super().__init__(
            check_count("n_splits", n_splits),
            test_size=test_size,
            train_size=train_size,
            random_state=random_state,
        )
        if n_per_task is not None:
            check_count("n_per_task", n_per_task)
            if test_size is not None or train_size is not None:
                raise ValueError(
                    f"n_per_task={n_per_task} sets the training rows; leave test_size and "
                    f"train_size None, got {test_size!r} and {train_size!r}."
                )
        self.n_per_task = n_per_task
        self.task_column = task_column

    def split(self, X, y=None, groups=None):
        """Yield the row numbers of each training and test set.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_tasks), default=None
            Labels, NaN where not observed.
        groups : array-like of shape (n_samples,), default=None
            Ids of what rows belong to; rows of one id stay together.

        Yields
        ------
        train, test : ndarray
        """
        rows = read_rows(X, y, groups, self.task_column)
        n = len(rows.task)
        rng = check_random_state(self.random_state)
        if self.n_per_task is None:
            # scikit-learn's rules turn test_size and train_size into numbers of rows
            n_train, n_test = map(len, next(super()._iter_indices(np.empty((n, 0)))))
        for _ in range(self.n_splits):
            if self.n_per_task is None:
                part = divide(rows, n_train, n_test, rng)
            else:
                part = draw(rows, self.n_per_task, rng)
            order = rng.permutation(n)
            train, test = order[part[order] == TRAIN], order[part[order] == TEST]
            if groups is not None and not (train.size and test.size):
                raise ValueError(
                    f"groups has {rows.n_units} groups, too few or too large to be divided so: all "
                    f"rows would be for {'training' if train.size else 'testing'}; take another "
                    "test_size, or smaller groups."
                )
            yield in_turn(train, rows.task), test
