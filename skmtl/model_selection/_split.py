"""Splitters that spread each task's observed labels, and the classes within it, over the folds.

Where a row has one label (long data) or all rows are labelled alike, rows are dealt like cards from
a deck sorted by task and class.  Where rows of a wide Y lack labels, rows are placed one by one in
the fold that lacks their labels most, rarest labels first (iterative stratification).
"""

from typing import ClassVar, NamedTuple

import numpy as np
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit
from sklearn.utils import check_array, check_random_state, indexable

from .._backend import is_foreign, to_numpy
from .._checks import check_count, check_flag
from .._data import encode_tasks, take_task_column
from ..metrics import id_array

CLASS_SIZE = 5  # whole numbers with fewer labels a value, on average, are amounts, not classes


class MultiTaskKFold(BaseCrossValidator):
    """K folds that hold the observed labels of each task as evenly as possible.

    Every row is in exactly one test fold, and fold sizes differ by at most one. Long data (with
    `task_column` or `groups`): so do the numbers of each task's rows. Wide Y with NaN: each task's
    labels are spread by iterative stratification. Class labels are spread within each task too:
    text, booleans, two distinct values, or whole numbers with on average five labels a value.

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
        Name or position of the column of X that holds the task ids of long data. None: `groups`, if
        given to `split`, are the task ids; otherwise each column of y is a task.

    Notes
    -----
    The training indices of a shuffled split take the tasks in turn, so that each prefix of them, as
    `learning_curve` takes it, holds all tasks alike.

    References
    ----------
    K. Sechidis, G. Tsoumakas, I. Vlahavas, "On the stratification of multi-label data", ECML PKDD
    2011. Here the order of the rows, by their rarest label, is fixed beforehand.

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
            Task ids; not read if `task_column` is given.

        Yields
        ------
        train, test : ndarray
        """
        rows = _read_rows(X, y, groups, self.task_column)
        n = len(rows.task)
        if self.n_splits > n:
            raise ValueError(
                f"n_splits must be at most the number of rows, {n}, got {self.n_splits}."
            )
        rng = check_random_state(self.random_state) if self.shuffle else None
        if rows.groups is None:
            fold = _deal(rows, self.n_splits, rng)
        else:
            sizes = n // self.n_splits + (np.arange(self.n_splits) < n % self.n_splits)
            fold = _place(rows.groups, sizes, rng)
        order = np.arange(n) if rng is None else rng.permutation(n)
        for k in range(self.n_splits):
            train = order[fold[order] != k]
            yield train if rng is None else _in_turn(train, rows.task), np.flatnonzero(fold == k)


class MultiTaskShuffleSplit(BaseShuffleSplit):
    """Random splits that take the same fraction, or the same number of training rows, of each task.

    Long data (with `task_column` or `groups`): each task gives its fraction to within one row, or
    `n_per_task` rows for training. Wide Y with NaN: each task's labels are divided by iterative
    stratification; with `n_per_task`, training rows are drawn until each task has at least that
    many labels. Class labels are divided within each task too, except for `n_per_task` with NaN.

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
    >>> X, task = np.arange(8.0)[:, None], list("aaaaabbb")
    >>> cv = MultiTaskShuffleSplit(n_splits=2, n_per_task=2, random_state=0)
    >>> for train, test in cv.split(X, groups=task):
    ...     print(sorted(task[i] for i in train), sorted(task[i] for i in test))
    ['a', 'a', 'b', 'b'] ['a', 'a', 'a', 'b']
    ['a', 'a', 'b', 'b'] ['a', 'a', 'a', 'b']
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
            Task ids; not read if `task_column` is given.

        Yields
        ------
        train, test : ndarray
        """
        rows = _read_rows(X, y, groups, self.task_column)
        n = len(rows.task)
        rng = check_random_state(self.random_state)
        if self.n_per_task is None:
            # scikit-learn's rules turn test_size and train_size into numbers of rows
            n_train, n_test = map(len, next(super()._iter_indices(np.empty((n, 0)))))
        for _ in range(self.n_splits):
            if self.n_per_task is None:
                part = _divide(rows, n_train, n_test, rng)
            else:
                part = _draw(rows, self.n_per_task, rng)
            order = rng.permutation(n)
            train, test = order[part[order] == TRAIN], order[part[order] == TEST]
            yield _in_turn(train, rows.task), test


TEST, TRAIN, UNUSED = 0, 1, 2


class _Rows(NamedTuple):
    """What a split must spread.

    task, label : ndarray of shape (n,)
        Task and class number of each row, zeros where rows are labelled alike.
    groups : ndarray of shape (n, m) or None
        Where rows of a wide Y differ: the numbers of the groups that each row belongs to, which are
        all rows (0), the rows of each task and of each class of it; -1 for a label not observed.
    observed : ndarray of shape (n, n_tasks) or None
    """

    task: np.ndarray
    label: np.ndarray
    groups: np.ndarray | None = None
    observed: np.ndarray | None = None


def _read_rows(X, y, groups, task_column):
    X, y, groups = indexable(X, y, groups)
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    nothing = np.zeros(n, dtype=np.intp)
    ids = _read_ids(X, groups, task_column, n)
    task = nothing if ids is None else encode_tasks(ids)[1]
    if y is None:
        return _Rows(task, nothing)
    Y = _read_labels(y, n)
    observed = _is_observed(Y)
    label = _class_numbers(Y, observed)
    if Y.shape[1] > 1 and ids is not None:
        raise ValueError(
            f"y must be 1-D where task_column or groups give the tasks, got shape {Y.shape}."
        )
    if ids is not None or (Y.shape[1] == 1 and observed.all()):
        return _Rows(task, label[:, 0])
    groups = _group_numbers(label)
    if (groups == groups[0]).all():
        return _Rows(task, nothing)
    return _Rows(task, nothing, groups, observed)


def _read_ids(X, groups, task_column, n):
    if task_column is not None:
        return take_task_column(X, task_column)[1]
    return None if groups is None else id_array(groups, "groups", n)


def _read_labels(y, n):
    y = to_numpy(y) if is_foreign(y) else y
    Y = check_array(y, dtype=None, ensure_2d=False, ensure_all_finite=False).reshape(n, -1)
    if Y.dtype == object and not any(isinstance(cell, str) for cell in Y.flat):
        return Y.astype(float)  # numbers beside None
    return Y


def _is_observed(Y):
    if Y.dtype.kind == "f":
        return ~np.isnan(Y)
    if Y.dtype != object:
        return np.ones(Y.shape, dtype=bool)
    cells = Y.ravel().tolist()
    return np.array([cell is not None and cell == cell for cell in cells]).reshape(Y.shape)


def _class_numbers(Y, observed):
    """Class number of each label, 0 where labels are amounts, -1 where they are not observed."""
    number = np.where(observed, 0, -1)
    classes, codes = encode_tasks(Y[observed])
    if len(classes) <= 2 or _are_classes(classes, len(codes)):
        number[observed] = codes
    return number


def _are_classes(values, n_labels):
    if not isinstance(values[0], (int, float)):
        return True
    return len(values) * CLASS_SIZE <= n_labels and all(value == value // 1 for value in values)


def _group_numbers(label):
    """Groups of each row (see _Rows) from the class numbers (n, n_tasks)."""
    n, T = label.shape
    task, missing = np.arange(1, T + 1), label < 0
    columns = [np.zeros((n, 1), dtype=np.intp), np.where(missing, -1, task)]
    if label.max() > 0:
        columns.append(np.where(missing, -1, task + T * (label + 1)))
    return np.hstack(columns)


def _deck(rows, rng):
    """Row numbers gathered by task and within it by class, each in random order if rng is given."""
    if rng is None:
        return np.lexsort((rows.label, rows.task))
    order = rng.permutation(len(rows.task))
    # random order of tasks and classes too, so that the odd rows fall to another fold each time
    task, label = _renumber(rows.task, rng)[order], _renumber(rows.label, rng)[order]
    return order[np.lexsort((label, task))]


def _renumber(codes, rng):
    return rng.permutation(codes.max() + 2)[codes]


def _deal(rows, n_folds, rng):
    """Fold of each row: the deck is dealt in turn, so each run of it is spread to within one."""
    deck = _deck(rows, rng)
    turn = np.arange(len(deck)) % n_folds
    # within a task and class the lowest folds first: consecutive rows, as in KFold(shuffle=False)
    fold = np.empty_like(turn)
    fold[deck] = turn[np.lexsort((turn, _run_numbers(rows.task[deck], rows.label[deck])))]
    return fold


def _divide(rows, n_train, n_test, rng):
    """TRAIN, TEST or UNUSED for each row, the same shares of every task and class."""
    n = len(rows.task)
    if rows.groups is not None:
        return _place(rows.groups, np.array([n_test, n_train, n - n_train - n_test]), rng)
    part = np.full(n, UNUSED)
    deck = _deck(rows, rng)
    is_test = _take_evenly(np.arange(n), n, n_test, rng)
    rest = deck[~is_test]
    part[deck[is_test]] = TEST
    part[rest[_take_evenly(np.arange(len(rest)), len(rest), n_train, rng)]] = TRAIN
    return part


def _draw(rows, n_per_task, rng):
    """TRAIN for `n_per_task` rows, or labels, of each task, else TEST."""
    part = _draw_rows(rows, n_per_task, rng)
    if not (part == TEST).any():
        raise ValueError(
            f"n_per_task={n_per_task} leaves none of {len(part)} rows for testing; choose fewer."
        )
    return part


def _draw_rows(rows, n_per_task, rng):
    part = np.full(len(rows.task), TEST)
    if rows.observed is None:
        deck = _deck(rows, rng)
        run = _run_numbers(rows.task[deck])
        size = np.bincount(run)
        chosen = _take_evenly(occurrence(run), size, _labels_to_draw(size, n_per_task), rng, run)
        part[deck[chosen]] = TRAIN
        return part
    short = _labels_to_draw(rows.observed.sum(axis=0), n_per_task)
    for row in rng.permutation(len(part)):
        if (short[rows.observed[row]] > 0).any():
            part[row] = TRAIN
            short -= rows.observed[row]
    return part


def _labels_to_draw(size, n_per_task):
    return np.minimum(n_per_task, np.maximum(size - 1, 1))


def _place(groups, sizes, rng):
    """Fold of each row, of the given sizes, such that each group is spread in proportion to them.

    Each row goes where it lowers most, or raises least, the sum over folds and groups of
    (count - target)^2 / target; rows of the rarest groups first, while there is still a choice.
    """
    n = len(groups)
    count = np.bincount(groups.ravel() + 1).astype(float)[1:]
    count = np.append(count, np.inf)  # group -1, of labels not observed, asks for nothing
    step = n / (np.maximum(sizes, 1)[:, None] * np.maximum(count, 1))
    lack = 1 - step / 2
    room = sizes.copy()
    order = np.arange(n) if rng is None else rng.permutation(n)
    rarest = count[groups].min(axis=1)
    fold = np.empty(n, dtype=np.intp)
    for row in order[np.argsort(rarest[order], kind="stable")]:
        own = groups[row]
        gain = np.where(room > 0, lack[:, own].sum(axis=1), -np.inf)
        best = fold[row] = gain.argmax()
        lack[best, own] -= step[best, own]
        room[best] -= 1
    return fold


def _take_evenly(position, size, count, rng, run=0):
    """Whether each position in a run of `size` is one of `count` evenly spaced positions."""
    start = rng.randint(0, size)
    size, count, start = (np.atleast_1d(value)[run] for value in (size, count, start))
    return ((position + 1) * count + start) // size > (position * count + start) // size


def _in_turn(index, task):
    """`index` with the tasks in turn: the first row of each, the second of each, and so on."""
    return index[np.argsort(occurrence(task[index]), kind="stable")]


def occurrence(codes):
    """How many equal codes stand before each one."""
    order = np.argsort(codes, kind="stable")
    number = np.empty(len(codes), dtype=np.intp)
    number[order] = np.arange(len(codes)) - np.searchsorted(codes[order], codes[order])
    return number


def _run_numbers(*codes):
    """Number of the run of equal codes that each element is in."""
    changes = [np.diff(code, prepend=code[:1]) != 0 for code in codes]
    return np.cumsum(np.any(changes, axis=0))
