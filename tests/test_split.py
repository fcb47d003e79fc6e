import copy
import pickle

import array_api_strict
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    ShuffleSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)

from skmtl.model_selection import MultiTaskKFold, MultiTaskShuffleSplit

SPLITTERS = {
    "kfold": MultiTaskKFold(3, random_state=0),
    "kfold in order": MultiTaskKFold(3, shuffle=False),
    "default fraction": MultiTaskShuffleSplit(3, random_state=0),
    "fraction": MultiTaskShuffleSplit(3, test_size=0.4, train_size=0.3, random_state=0),
    "rows": MultiTaskShuffleSplit(3, test_size=5, random_state=0),
    "per task": MultiTaskShuffleSplit(3, n_per_task=2, random_state=0),
}
every_splitter = pytest.mark.parametrize("cv", SPLITTERS.values(), ids=SPLITTERS)
KFOLDS = st.builds(MultiTaskKFold, st.integers(2, 6), random_state=st.integers(0, 99)) | st.builds(
    MultiTaskKFold, st.integers(2, 6), shuffle=st.just(False)
)


def split_tasks(cv, task, y=None, groups=None):
    """Splits of long data whose task ids, of any kind, stand in the first column."""
    cv, frame = copy.copy(cv), pd.DataFrame({"task": list(task), "x": 0.0})
    cv.task_column = "task"
    return cv.split(frame, y, groups)


def fold_of_rows(cv, X, y=None, task=None):
    """Test fold of each row; fails unless each row is in one test set, else in training."""
    fold = np.full(len(X), -1)
    splits = cv.split(X, y) if task is None else split_tasks(cv, task, y)
    for k, (train, test) in enumerate(splits):
        assert sorted([*train, *test]) == list(range(len(X)))
        assert (fold[test] == -1).all()
        fold[test] = k
    assert (fold >= 0).all()
    return fold


def spread(fold, n_folds, member):
    """Largest difference between folds in the rows of each group; member (n, n_groups)."""
    counts = np.array([member[fold == k].sum(axis=0) for k in range(n_folds)])
    return np.ptp(counts, axis=0)


def one_hot(codes):
    return codes[:, None] == np.unique(codes)


def random_holes(rng, n, n_tasks, share):
    """Wide labels with a share of them missing, the share different in each task."""
    Y = rng.normal(size=(n, n_tasks))
    Y[rng.random(Y.shape) < share] = np.nan
    return Y


@st.composite
def long_rows(draw):
    task = np.array(draw(st.lists(st.integers(0, 5), min_size=6, max_size=40)))
    label = np.array(draw(st.lists(st.integers(0, 1), min_size=len(task), max_size=len(task))))
    return task, label


@given(KFOLDS, long_rows())
@settings(deadline=None, max_examples=60)
def test_folds_hold_each_task_and_class_of_long_data_to_within_one_row(cv, rows):
    task, label = rows
    fold = fold_of_rows(cv, task, label, task=task)
    pair = one_hot(task * 2 + label)
    for member in (np.ones((len(task), 1)), one_hot(task), pair):
        assert spread(fold, cv.n_splits, member).max() <= 1


@given(KFOLDS, st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(6, 60))
@settings(deadline=None, max_examples=60)
def test_folds_hold_each_row_once_whatever_labels_are_missing(cv, seed, n_tasks, n):
    rng = np.random.default_rng(seed)
    Y = random_holes(rng, n, n_tasks, rng.random(n_tasks))
    fold = fold_of_rows(cv, Y, Y)
    assert spread(fold, cv.n_splits, np.ones((n, 1))).max() <= 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shuffle", [True, False])
def test_folds_hold_the_labels_of_each_task_more_evenly_than_chance(seed, shuffle):
    Y = random_holes(np.random.default_rng(seed), 200, 10, np.linspace(0.1, 0.95, 10))
    observed = ~np.isnan(Y)
    cv = MultiTaskKFold(shuffle=shuffle, random_state=seed if shuffle else None)
    ours = spread(fold_of_rows(cv, Y, Y), 5, observed)
    chance = spread(fold_of_rows(KFold(5, shuffle=True, random_state=seed), Y), 5, observed)
    assert ours.mean() < 0.5 * chance.mean()
    assert ours.max() < chance.max()


def test_folds_hold_the_rarest_task_to_within_one_label():
    Y = random_holes(np.random.default_rng(0), 300, 6, [0.1, 0.1, 0.3, 0.3, 0.5, 0.97])
    assert spread(fold_of_rows(MultiTaskKFold(3), Y, Y), 3, ~np.isnan(Y))[-1] <= 1


def test_one_label_a_row_is_spread_as_long_data():
    rng = np.random.default_rng(0)
    task = rng.integers(0, 4, 50)
    Y = np.where(one_hot(task), rng.normal(size=(50, 1)), np.nan)
    assert spread(fold_of_rows(MultiTaskKFold(4), Y, Y), 4, one_hot(task)).max() <= 1


@pytest.mark.parametrize(
    "classes",
    [np.array(["a", "b", "c"]), np.array([1, 2, 3]), np.array([False, True]), np.array([0.5, 1.5])],
    ids=["text", "integer", "boolean", "two values"],
)
@pytest.mark.parametrize("long", [True, False])
def test_classes_are_spread_within_each_task(classes, long):
    rng = np.random.default_rng(0)
    code = rng.integers(0, len(classes), (120, 1 if long else 3))
    task = rng.integers(0, 3, 120) if long else None
    y = classes[code[:, 0]] if long else classes[code]
    fold = fold_of_rows(MultiTaskKFold(4, random_state=0), code, y, task=task)
    if long:
        assert spread(fold, 4, one_hot(task * 3 + code[:, 0])).max() <= 1
    else:
        cells = np.hstack([code == c for c in range(len(classes))])
        assert spread(fold, 4, cells).max() <= 3  # of 40 or 60 labels; plain KFold: 5 to 10


@pytest.mark.parametrize("values", [[0.0, 1.0], [0.0, 1.0, 2.0], ["a", "b"]], ids=str)
def test_classes_with_missing_labels_are_spread(values):
    rng = np.random.default_rng(0)
    code = rng.integers(0, len(values), (200, 3))
    missing = rng.random(code.shape) < 0.3
    Y = np.array(values)[code].astype(object)
    Y[missing] = np.nan
    Y = Y if isinstance(values[0], str) else Y.astype(float)
    fold = fold_of_rows(MultiTaskKFold(random_state=0), Y, Y)
    cells = np.hstack([(code == c) & ~missing for c in range(len(values))])
    assert spread(fold, 5, cells).max() <= 4  # of 35 to 85 labels; plain KFold: 8 to 12


def test_amounts_are_not_taken_for_classes():
    amounts = np.random.default_rng(0).permutation(60)
    folds = [
        fold_of_rows(MultiTaskKFold(3, random_state=0), amounts, y)
        for y in (None, amounts, amounts + 0.5)
    ]
    np.testing.assert_array_equal(folds[0], folds[1])
    np.testing.assert_array_equal(folds[0], folds[2])


def test_complete_labels_in_order_equal_kfold():
    Y = np.random.default_rng(0).normal(size=(17, 3))
    fold = fold_of_rows(MultiTaskKFold(4, shuffle=False), Y, Y)
    np.testing.assert_array_equal(fold, fold_of_rows(KFold(4), Y))


def test_folds_in_order_are_runs_within_each_task():
    task = np.tile([0, 1], 6)
    fold = fold_of_rows(MultiTaskKFold(3, shuffle=False), task, task=task)
    assert fold[task == 0].tolist() == fold[task == 1].tolist() == [0, 0, 1, 1, 2, 2]


def test_the_odd_rows_of_tasks_fall_to_different_folds():
    task = np.repeat(np.arange(10), 4)  # 4 = 3 + 1 rows a task: 10 odd rows for 3 folds
    fold = fold_of_rows(MultiTaskKFold(3, random_state=0), task, task=task)
    assert sorted(np.bincount(fold)) == [13, 13, 14]


def rare_class(n_tasks, size):
    """(task, label): each task has one row of class 1."""
    task = np.repeat(np.arange(n_tasks), size)
    label = np.zeros(len(task))
    label[size * np.arange(n_tasks) + np.arange(n_tasks) % size] = 1
    return task, label


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(
    ("size", "n_splits"),
    [(20, 5), (10, 5), (21, 5), (22, 4), (15, 6), (25, 10), (8, 10)],
    ids=lambda value: str(value),
)
def test_a_class_that_is_rare_in_every_task_is_spread_over_the_folds(size, n_splits, shuffle):
    """Regression: tasks of 20 rows put all their rare labels into one of 5 folds.

    Where the shares of two or five tasks add up to a whole number it was two or five folds.
    """
    task, label = rare_class(20, size)
    for seed in range(5):
        cv = MultiTaskKFold(n_splits, shuffle=shuffle, random_state=seed if shuffle else None)
        fold = fold_of_rows(cv, task, label, task=task)
        counts = np.bincount(fold[label == 1], minlength=n_splits)
        assert counts.max() <= np.ceil(20 / n_splits) + (20 % n_splits > 0)
        assert spread(fold, n_splits, np.ones((len(task), 1))).max() <= 1
        assert spread(fold, n_splits, one_hot(task)).max() <= 1


@pytest.mark.parametrize(
    "cv, share",
    [
        (MultiTaskKFold(3, random_state=0), 1 / 3),
        (MultiTaskKFold(3, shuffle=False), 1 / 3),
        (MultiTaskShuffleSplit(20, test_size=0.25, random_state=0), 1 / 4),
        (MultiTaskShuffleSplit(20, n_per_task=27, random_state=0), 1 / 4),
    ],
    ids=["kfold", "kfold in order", "fraction", "per task"],
)
@pytest.mark.parametrize("n_events", [4, 9, 10])
def test_events_rarer_than_tasks_are_in_every_test_set(cv, share, n_events):
    task = np.repeat(np.arange(6), 36)
    y = np.zeros(len(task), dtype=int)
    y[np.random.default_rng(0).choice(len(y), n_events, replace=False)] = 1
    expected = share * n_events
    for train, test in split_tasks(cv, task, y):
        assert np.floor(expected) <= y[test].sum() <= np.ceil(expected)
        np.testing.assert_array_equal(np.bincount(task[test]), np.full(6, 36 * share))
        assert y[test].sum() + y[train].sum() == n_events


def test_events_are_tested_equally_often_wherever_they_lie():
    task = np.repeat(np.arange(5), [8, 20, 33, 12, 7])
    y = np.zeros(len(task), dtype=int)
    y[[0, 9, 10, 30, 62, 79]] = 1
    cv = MultiTaskShuffleSplit(2000, test_size=0.25, random_state=0)
    tested = np.mean([np.isin(np.arange(80), test) for _, test in split_tasks(cv, task, y)], axis=0)
    np.testing.assert_allclose(tested, 0.25, atol=5 * np.sqrt(0.25 * 0.75 / 2000))


@pytest.mark.parametrize("cv", SPLITTERS.values(), ids=SPLITTERS)
def test_labels_not_observed_in_long_data_leave_the_tasks_spread(cv):
    """Regression: they were counted in the last class of the task before."""
    task = np.repeat(np.arange(4), 12)
    y = np.arange(48) % 2 * 1.0
    for start in (0, 12, 45):
        gaps = y.copy()
        gaps[start : start + 3] = np.nan
        for (train, test), (t, u) in zip(
            split_tasks(cv, task, gaps), split_tasks(cv, task, y), strict=True
        ):
            for own, other in ((train, t), (test, u)):
                counts = np.bincount(task[own], minlength=4), np.bincount(task[other], minlength=4)
                assert abs(counts[0] - counts[1]).max() <= 1


def test_a_wide_task_without_labels_does_not_count():
    Y = np.full((12, 4), np.nan)
    Y[np.arange(12), np.arange(12) % 3] = np.arange(12) // 3 % 2
    for train, _ in MultiTaskShuffleSplit(3, n_per_task=3, random_state=0).split(Y, Y):
        np.testing.assert_array_equal((~np.isnan(Y[train])).sum(axis=0), [3, 3, 3, 0])


def test_groups_spread_events_that_are_rare_in_each_task():
    rng = np.random.default_rng(1)
    task, group = np.repeat(np.arange(6), 40), np.tile(np.arange(60), 4)
    y = np.zeros(240, dtype=int)
    y[rng.choice(240, 8, replace=False)] = 1
    for cv in (
        MultiTaskKFold(4, random_state=0),
        MultiTaskShuffleSplit(20, test_size=0.25, random_state=0),
    ):
        for _, test in split_tasks(cv, task, y, groups=group):
            assert 0 < y[test].sum() < 8


def test_tasks_of_whole_and_of_other_shares_are_spread_side_by_side():
    size = np.tile([20, 21, 22, 25, 20, 10], 6)
    task = np.repeat(np.arange(len(size)), size)
    label = np.zeros(len(task))
    label[np.cumsum(size) - 1] = 1
    for seed in range(20):
        fold = fold_of_rows(MultiTaskKFold(5, random_state=seed), task, label, task=task)
        assert spread(fold, 5, np.ones((len(task), 1))).max() <= 1
        assert spread(fold, 5, one_hot(task)).max() <= 1
        assert np.bincount(fold[label == 1], minlength=5).max() <= 15  # of 36; all together: 36


@pytest.mark.parametrize(
    ("size", "part"),
    [
        (20, {"test_size": 0.2}),
        (10, {"test_size": 0.25}),
        (20, {"test_size": 0.125}),
        (20, {"test_size": 0.2, "train_size": 0.4}),
        (20, {"test_size": 0.4, "train_size": 0.2}),
    ],
    ids=str,
)
def test_a_class_that_is_rare_in_every_task_is_in_every_part_of_a_split(size, part):
    """Regression: all labels of the class, or none, were for testing, or for training."""
    task, label = rare_class(20, size)
    n = {name: share * 20 for name, share in part.items()}
    drawn = []
    for train, test in split_tasks(MultiTaskShuffleSplit(40, random_state=0, **part), task, label):
        assert abs(label[test].sum() - n["test_size"]) <= 2.5
        if "train_size" in part:
            # drawn from what the other draw left; in every split all or none would be there
            drawn.append(label[train].sum())
        assert len(test) == round(part["test_size"] * len(task))
    if drawn:
        assert abs(np.array(drawn) - n["train_size"]).mean() < 1.5  # as binomial: 1.4 and 1.7


@given(long_rows(), st.floats(0.1, 0.8), st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_each_task_gives_its_fraction_to_within_one_row(rows, test_size, seed):
    task, label = rows
    cv = MultiTaskShuffleSplit(2, test_size=test_size, random_state=seed)
    size = ShuffleSplit(1, test_size=test_size)
    n_train, n_test = map(len, next(size.split(task)))
    for train, test in split_tasks(cv, task, label):
        assert sorted([*train, *test]) == list(range(len(task)))
        assert (len(train), len(test)) == (n_train, n_test)
        member = np.hstack([one_hot(task), one_hot(task * 2 + label)])
        share = n_test / len(task)
        assert (abs(member[test].sum(axis=0) - share * member.sum(axis=0)) < 1 + 1e-9).all()


def test_each_task_gives_its_fraction_of_wide_labels():
    Y = random_holes(np.random.default_rng(0), 300, 8, np.linspace(0.1, 0.9, 8))
    observed = ~np.isnan(Y)
    cv = MultiTaskShuffleSplit(3, test_size=0.25, train_size=0.5, random_state=0)
    for train, test in cv.split(Y, Y):
        assert (len(train), len(test)) == (150, 75)
        assert not set(train) & set(test)
        assert abs(observed[test].sum(axis=0) - 0.25 * observed.sum(axis=0)).max() < 3
        assert abs(observed[train].sum(axis=0) - 0.5 * observed.sum(axis=0)).max() < 3


@given(long_rows(), st.integers(1, 5), st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_each_task_of_long_data_gives_n_training_rows(rows, n_per_task, seed):
    task, label = np.append(rows[0], [7, 7]), np.append(rows[1], [0, 1])
    cv = MultiTaskShuffleSplit(2, n_per_task=n_per_task, random_state=seed)
    size = np.bincount(task, minlength=8)
    for train, test in split_tasks(cv, task, label):
        assert sorted([*train, *test]) == list(range(len(task)))
        # a smaller task gives all rows but one, a single row goes to training
        expected = np.where(size > n_per_task, n_per_task, np.where(size > 1, size - 1, size))
        np.testing.assert_array_equal(np.bincount(task[train], minlength=8), expected)


def test_training_rows_hold_the_classes_in_proportion():
    label = np.repeat(["a", "b"], [30, 10])
    for train, _ in MultiTaskShuffleSplit(5, n_per_task=8).split(label, label):
        assert (label[train] == "b").sum() == 2


def test_training_rows_are_drawn_from_all_of_a_task():
    drawn = np.zeros(6)
    for train, _ in MultiTaskShuffleSplit(600, n_per_task=2, random_state=0).split(
        np.zeros((6, 1))
    ):
        drawn[train] += 1
    assert abs(drawn / 600 - 1 / 3).max() < 0.1  # five standard deviations


def test_training_rows_give_every_task_n_labels_of_wide_data():
    Y = random_holes(np.random.default_rng(0), 200, 5, [0.0, 0.2, 0.5, 0.9, 0.98])
    observed = ~np.isnan(Y)
    total = observed.sum(axis=0)
    assert total[-1] <= 10 < total[-2]
    for train, test in MultiTaskShuffleSplit(5, n_per_task=10, random_state=0).split(Y, Y):
        assert sorted([*train, *test]) == list(range(200))
        assert (observed[train].sum(axis=0) >= np.minimum(10, total - 1)).all()
        assert len(train) < 120
    complete = MultiTaskShuffleSplit(1, n_per_task=10).split(Y, np.zeros_like(Y))
    assert [len(train) for train, _ in complete] == [10]


@every_splitter
def test_training_indices_take_the_tasks_in_turn(cv):
    task = np.repeat(np.arange(4), 10)
    for train, _ in split_tasks(cv, task):
        if getattr(cv, "shuffle", True):
            assert sorted(task[train[:4]]) == sorted(task[train[4:8]]) == [0, 1, 2, 3]
        else:
            assert (np.diff(train) > 0).all()


@every_splitter
@pytest.mark.parametrize("kind", ["int", "str", "tuple"])
def test_ids_in_a_column_of_any_kind_give_the_same_splits(cv, kind):
    code = np.random.default_rng(0).integers(0, 3, 20)
    ids = {"int": [5, 3, 9], "str": ["b", "c", "a"], "tuple": [("x", 2), ("x", 0), ("x", 1)]}[kind]
    ids = [ids[c] for c in code]
    number = sorted(set(ids))
    expected = list(split_tasks(cv, [number.index(id_) for id_ in ids]))
    column = copy.copy(cv)
    column.task_column = "site"
    frame = pd.DataFrame({"x": np.arange(20.0), "site": ids})
    assert_same_splits(expected, column.split(frame))
    if kind != "tuple":
        assert_same_splits(expected, column.split(pl.DataFrame(frame.to_dict("list"))))
    column.task_column = -1
    assert_same_splits(expected, column.split(frame.to_numpy()))


@every_splitter
def test_ids_in_a_column_of_a_sparse_table_are_read(cv):
    """Regression: scipy refused the objects that the ids were made of."""
    table = np.column_stack([np.arange(20.0), np.arange(20) % 3 + 1])
    column = copy.copy(cv)
    column.task_column = -1
    for kind in (scipy.sparse.csr_array, scipy.sparse.csr_matrix, scipy.sparse.csc_array):
        assert_same_splits(column.split(table), column.split(kind(table)))


@every_splitter
def test_missing_text_and_labels_of_several_kinds_are_read(cv):
    """Regression: pandas' NA has no truth value, and text cannot be divided."""
    text = np.array([["a", "b"], ["b", "a"], [None, "a"]] * 10, dtype=object)
    expected = list(cv.split(text, text))
    frame = pd.DataFrame(text)
    for y in (frame.astype("string"), frame.astype("category"), frame.fillna(pd.NA)):
        assert_same_splits(expected, cv.split(text, y))
    numbers = pd.DataFrame(text).replace({"a": 1, "b": 2, None: pd.NA}).astype(object)
    assert_same_splits(expected, cv.split(text, numbers))
    mixed = pd.DataFrame({"a": text[:, 1], "b": np.arange(30) % 2, "c": np.arange(30) % 2 > 0})
    for train, test in cv.split(text, mixed):
        assert not set(train) & set(test)


def assert_same_splits(first, second):
    for (train, test), (other_train, other_test) in zip(first, second, strict=True):
        np.testing.assert_array_equal(train, other_train)
        np.testing.assert_array_equal(test, other_test)


@every_splitter
def test_frames_lists_and_foreign_arrays_give_the_splits_of_arrays(cv):
    Y = random_holes(np.random.default_rng(0), 30, 3, 0.3)
    expected = list(cv.split(Y, Y))
    device = array_api_strict.Device("device1")
    for y in (
        Y.tolist(),
        [[None if v != v else v for v in row] for row in Y],
        pd.DataFrame(Y),
        pd.DataFrame(Y).astype("Float64"),
        pl.DataFrame(Y, nan_to_null=True),
        array_api_strict.asarray(Y, device=device),
    ):
        assert_same_splits(expected, cv.split(Y, y))


@every_splitter
def test_an_integer_seed_gives_the_same_splits_at_each_call(cv):
    X = np.zeros((20, 1))
    assert_same_splits(cv.split(X), pickle.loads(pickle.dumps(cv)).split(X))


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize(
    "make",
    [
        lambda seed: MultiTaskKFold(3, random_state=seed),
        lambda seed: MultiTaskShuffleSplit(1, test_size=0.3, random_state=seed),
        lambda seed: MultiTaskShuffleSplit(1, n_per_task=5, random_state=seed),
    ],
)
def test_other_seeds_give_other_splits(make, missing):
    Y = random_holes(np.random.default_rng(0), 40, 3, missing)
    tests = {frozenset(next(make(seed).split(Y, Y))[1].tolist()) for seed in range(10)}
    assert len(tests) == 10


def test_a_generator_as_seed_moves_on():
    cv = MultiTaskKFold(2, random_state=np.random.RandomState(0))
    first, second = (fold_of_rows(cv, np.zeros((30, 1))) for _ in range(2))
    assert (first != second).any()


def test_repr_names_every_parameter():
    assert repr(MultiTaskKFold(3, random_state=1, task_column="site")) == (
        "MultiTaskKFold(n_splits=3, random_state=1, shuffle=True, task_column='site')"
    )
    text = repr(MultiTaskShuffleSplit(3, n_per_task=6)).replace("\n           ", " ")
    assert text == (
        "MultiTaskShuffleSplit(n_per_task=6, n_splits=3, random_state=None, task_column=None, "
        "test_size=None, train_size=None)"
    )


@every_splitter
def test_scikit_learn_takes_it_as_cv(cv):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    Y = X @ rng.normal(size=(2, 3))
    assert len(cross_val_score(Ridge(), X, Y, cv=cv)) == cv.get_n_splits(X, Y) == 3
    search = GridSearchCV(Ridge(), {"alpha": [1e-6, 1e6]}, cv=cv).fit(X, Y)
    assert search.best_params_ == {"alpha": 1e-6}


class Recorder(RegressorMixin, BaseEstimator):
    """Keeps the tasks of its training rows; predicts zero."""

    def fit(self, X, y):
        self.tasks_ = set(X[:, 1])
        return self

    def predict(self, X):
        assert set(X[:, 1]) <= self.tasks_
        return np.zeros(len(X))


def test_every_point_of_a_learning_curve_has_every_task():
    X = np.column_stack([np.arange(60.0), np.repeat(np.arange(6.0), 10)])
    cv = MultiTaskKFold(5, random_state=0, task_column=1)
    sizes, *_ = learning_curve(
        Recorder(), X, X[:, 0], cv=cv, train_sizes=[6, 12, 48], error_score="raise"
    )
    assert sizes.tolist() == [6, 12, 48]
    assert len(cross_val_predict(Recorder(), X, X[:, 0], cv=cv)) == 60


def test_groups_are_routed_to_the_splitter():
    X, group = np.zeros((12, 1)), np.repeat(["a", "b", "c", "d"], 3)
    cv = MultiTaskKFold(2, random_state=0)
    for routing in (False, True):
        with sklearn.config_context(enable_metadata_routing=routing):
            options = {"params": {"groups": group}} if routing else {"groups": group}
            result = cross_validate(
                Ridge(), X, np.arange(12.0), cv=cv, return_indices=True, **options
            )
        for test in result["indices"]["test"]:
            assert sorted(np.unique(group[test], return_counts=True)[1]) == [3, 3]


# groups of rows that stay together

TOGETHER = {name: cv for name, cv in SPLITTERS.items() if name != "kfold in order"}


def rows_in_groups(seed, kind):
    """(splitter maker's data, groups): long rows, wide rows with gaps or complete wide rows."""
    rng = np.random.default_rng(seed)
    n, group = 60, rng.integers(0, 15, 60)
    if kind == "long":
        return {"task": rng.integers(0, 3, n), "y": rng.integers(0, 2, n)}, group
    Y = random_holes(rng, n, 3, [0.0, 0.3, 0.6]) if kind == "gaps" else rng.normal(size=(n, 3))
    return {"y": Y}, group


@pytest.mark.parametrize("kind", ["long", "gaps", "complete"])
@pytest.mark.parametrize("cv", TOGETHER.values(), ids=TOGETHER)
def test_rows_of_one_group_stay_together(cv, kind):
    for seed in range(5):
        data, group = rows_in_groups(seed, kind)
        if kind == "long":
            splits = split_tasks(cv, **data, groups=group)
        else:
            splits = cv.split(data["y"], data["y"], group)
        for train, test in splits:
            assert len(train) and len(test)
            assert not set(group[train]) & set(group[test])
            assert len(set(train) | set(test)) == len(train) + len(test)


@pytest.mark.parametrize("shuffle", [True, False])
def test_each_group_is_in_one_fold_and_folds_hold_tasks_evenly(shuffle):
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(60), rng.integers(1, 6, 60))
    task = rng.integers(0, 4, 60)[group]  # a group lies in one task
    cv = MultiTaskKFold(4, shuffle=shuffle, random_state=0 if shuffle else None)
    fold = np.full(len(group), -1)
    for k, (_, test) in enumerate(split_tasks(cv, task, groups=group)):
        fold[test] = k
    assert all(len(set(fold[group == g])) == 1 for g in range(60))
    assert spread(fold, 4, one_hot(task)).max() <= 5  # the largest group
    chance = [len(test) for _, test in GroupKFold(4).split(task, groups=group)]
    assert np.ptp(np.bincount(fold)) <= max(np.ptp(chance), 5)


def test_groups_that_cross_all_tasks_give_every_task_its_exact_share():
    year, task = np.tile(np.arange(20), 6), np.repeat(np.arange(6), 20)
    for train, test in split_tasks(
        MultiTaskShuffleSplit(10, test_size=0.25, random_state=0), task, groups=year
    ):
        assert np.bincount(task[test]).tolist() == [5] * 6
        assert np.bincount(task[train]).tolist() == [15] * 6
    for _, test in split_tasks(MultiTaskKFold(4, random_state=0), task, groups=year):
        assert np.bincount(task[test]).tolist() == [5] * 6


def test_groups_alike_are_tested_equally_often():
    year, task = np.tile(np.arange(12), 3), np.repeat(np.arange(3), 12)
    cv, tested = MultiTaskShuffleSplit(600, test_size=0.25, random_state=0), np.zeros(12)
    for _, test in split_tasks(cv, task, groups=year):
        tested[np.unique(year[test])] += 1
    assert abs(tested / 600 - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / 600)


def test_groups_are_drawn_until_every_task_has_n_labels():
    rng = np.random.default_rng(1)
    group, task = rng.integers(0, 30, 120), rng.integers(0, 4, 120)
    cv = MultiTaskShuffleSplit(10, n_per_task=7, random_state=0)
    for train, test in split_tasks(cv, task, groups=group):
        assert (np.bincount(task[train], minlength=4) >= 7).all()
        assert len(train) < 70
        assert len(test) + len(train) == 120


def test_groups_of_one_row_are_spread_as_rows():
    task = np.repeat([0, 1, 2], [7, 8, 9])
    cv, fold = MultiTaskKFold(3, random_state=0), np.full(24, -1)
    for k, (_, test) in enumerate(split_tasks(cv, task, groups=np.arange(24))):
        fold[test] = k
    assert spread(fold, 3, np.column_stack([one_hot(task), np.ones(24)])).max() <= 1


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: MultiTaskKFold(1), ValueError, "n_splits must be at least 2, got 1"),
        (lambda: MultiTaskKFold(2.5), TypeError, "n_splits must be an integer"),
        (lambda: MultiTaskKFold(shuffle=1), TypeError, "shuffle must be True or False, got 1"),
        (
            lambda: MultiTaskKFold(shuffle=False, random_state=3),
            ValueError,
            "random_state=3 has no effect with shuffle=False",
        ),
        (lambda: MultiTaskShuffleSplit(0), ValueError, "n_splits must be at least 1, got 0"),
        (
            lambda: MultiTaskShuffleSplit(n_per_task=0),
            ValueError,
            "n_per_task must be at least 1, got 0",
        ),
        (
            lambda: MultiTaskShuffleSplit(n_per_task=2, test_size=0.5),
            ValueError,
            "n_per_task=2 sets the training rows; leave test_size",
        ),
    ],
)
def test_wrong_parameters_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("cv", "data", "message"),
    [
        (MultiTaskKFold(4), {}, "n_splits must be at most the number of rows, 3, got 4"),
        (
            MultiTaskShuffleSplit(n_per_task=1),
            {"X": np.zeros((1, 2))},
            "n_per_task=1 leaves none of 1 rows for testing",
        ),
        (MultiTaskShuffleSplit(test_size=1.5), {}, "test_size=1.5"),
        (MultiTaskKFold(2, task_column=1), {"y": np.zeros((3, 2))}, "y must be 1-D .*3, 2"),
        (MultiTaskKFold(2), {"groups": [0, None, 1]}, "group id in groups is missing in row 1"),
        (MultiTaskKFold(3), {"groups": [0, 1, 1]}, "at most the number of groups, 2, got 3"),
        (
            MultiTaskShuffleSplit(n_per_task=1),
            {"groups": [0, 0, 0]},
            "n_per_task=1 leaves none of 3 rows for testing",
        ),
        (MultiTaskKFold(2), {"y": [1.0, 2.0]}, "inconsistent numbers of samples"),
        (MultiTaskKFold(2, task_column="site"), {}, "task_column='site' is a name"),
        (MultiTaskKFold(2, task_column=5), {}, "task_column=5 is out of range"),
    ],
)
def test_wrong_data_are_named(cv, data, message):
    with pytest.raises(ValueError, match=message):
        list(cv.split(**{"X": np.zeros((3, 2))} | data))


def test_groups_that_cannot_be_divided_so_are_refused():
    X, Y, group = np.zeros((60, 1)), np.zeros((60, 3)), np.arange(60) % 2
    with pytest.raises(ValueError, match="groups has 2 groups, too few or too large"):
        next(MultiTaskShuffleSplit(2, test_size=0.1, random_state=0).split(X, Y, group))
    train, test = next(MultiTaskShuffleSplit(1, test_size=0.5, random_state=0).split(X, Y, group))
    assert len(train) == len(test) == 30
