"""Generators keep what their definition promises; the embedded data are those of the source."""

import importlib
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skmtl.datasets import load_grunfeld, make_multitask_regression

FIRMS = (
    "General Motors",
    "US Steel",
    "General Electric",
    "Chrysler",
    "Atlantic Refining",
    "IBM",
    "Union Oil",
    "Westinghouse",
    "Goodyear",
    "Diamond Match",
    "American Steel",
)
# of invest, value, capital, from the table of statsmodels 0.15
SUMS = (29328.618, 217487.117, 56563.879)
SUMS_OF_SQUARES = (13621838.699524, 577917539.900143, 33373247.949315)


def true_coef(**params):
    return make_multitask_regression(2, return_coef=True, **params)[-2]


# make_multitask_regression: the truth -------------------------------------------------------


@settings(deadline=None)
@given(
    n_tasks=st.integers(1, 12),
    extra=st.integers(0, 20),
    position=st.floats(0, 1),
    seed=st.integers(0, 2**31),
)
def test_similarity_is_the_exact_cosine_of_any_two_tasks(n_tasks, extra, position, seed):
    lowest = -1 / max(n_tasks - 1, 1)
    similarity = min(lowest + position * (1 - lowest), 1.0)
    coef = true_coef(
        n_features=n_tasks + extra, n_tasks=n_tasks, similarity=similarity, random_state=seed
    )
    expected = np.full((n_tasks, n_tasks), similarity)
    np.fill_diagonal(expected, 1.0)
    # rounding of one eigendecomposition and one QR of at most 32 columns
    assert_allclose(coef @ coef.T, expected, atol=1e-13)


@settings(deadline=None)
@given(
    n_tasks=st.integers(1, 10),
    rank=st.integers(0, 10),
    extra=st.integers(0, 10),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    seed=st.integers(0, 2**31),
)
def test_gram_is_exact_for_any_rank_that_fits(n_tasks, rank, extra, scale, seed):
    factor = np.random.default_rng(seed).standard_normal((n_tasks, rank))
    gram = scale * factor @ factor.T
    n_features = max(min(n_tasks, rank) + extra, 1)
    coef = true_coef(n_features=n_features, n_tasks=n_tasks, gram=gram, random_state=seed)
    assert coef.shape == (n_tasks, n_features)
    # what is below the rounding of the product that made the Gram may be dropped
    assert_allclose(coef @ coef.T, gram, atol=1e-12 * max(np.abs(gram).max(), 1e-300))


def test_informative_features_are_the_same_for_all_tasks_and_the_gram_stays_exact():
    coef = true_coef(n_features=20, n_tasks=3, n_informative=4, similarity=0.3, random_state=0)
    assert_array_equal(np.sum(coef != 0, axis=1), [4, 4, 4])
    assert np.sum(np.any(coef != 0, axis=0)) == 4
    assert_allclose(coef @ coef.T, 0.3 + 0.7 * np.eye(3), atol=1e-14)


def test_directions_are_uniform():
    # 2 features, 1 task: the four quadrants are equally likely, sd of a share .5/sqrt(400) = .025
    coefs = np.vstack([true_coef(n_features=2, n_tasks=1, random_state=s) for s in range(400)])
    assert_allclose(np.mean(coefs > 0, axis=0), 0.5, atol=0.1)
    assert_allclose(np.mean(coefs[:, 0] * coefs[:, 1] > 0), 0.5, atol=0.1)


# make_multitask_regression: the data --------------------------------------------------------


def test_labels_without_noise_are_the_linear_model():
    X, Y, coef, intercept = make_multitask_regression(
        noise=0, intercept_scale=2, return_coef=True, random_state=1
    )
    assert (X.shape, Y.shape, coef.shape, intercept.shape) == ((100, 10), (100, 5), (5, 10), (5,))
    assert_allclose(Y, X @ coef.T + intercept, atol=1e-14)


def test_own_rows_without_noise_are_the_linear_model_of_each_task():
    X, y, task, coef, intercept = make_multitask_regression(
        [7, 1, 4],
        n_tasks=3,
        noise=0,
        intercept_scale=2,
        common_design=False,
        return_coef=True,
        random_state=1,
    )
    assert_array_equal(task, np.repeat([0, 1, 2], [7, 1, 4]))
    for t in range(3):
        assert_allclose(y[task == t], X[task == t] @ coef[t] + intercept[t], atol=1e-14)


def test_an_int_gives_every_task_as_many_rows_of_its_own():
    X, y, task = make_multitask_regression(6, n_tasks=4, common_design=False, random_state=0)
    assert (X.shape, y.shape) == ((24, 10), (24,))
    assert_array_equal(np.bincount(task), [6, 6, 6, 6])
    assert len(np.unique(X, axis=0)) == 24


@pytest.mark.parametrize("common_design", [True, False])
def test_noise_has_the_standard_deviation_of_its_task(common_design):
    noise, n = np.array([0.0, 0.5, 3.0]), 20_000
    params = dict(n_tasks=3, common_design=common_design, return_coef=True, random_state=0)
    noisy = make_multitask_regression(n, noise=noise, **params)
    clean = make_multitask_regression(n, noise=0.0, **params)
    assert_array_equal(noisy[0], clean[0])
    error = noisy[1] - clean[1]
    error = error if common_design else error.reshape(3, n).T
    # the relative sd of an estimated sd is 1/sqrt(2n) = .005
    assert_allclose(error.std(axis=0), noise, rtol=0.03)
    assert_allclose(np.corrcoef(error[:, 1], error[:, 2])[0, 1], 0, atol=0.04)


def test_intercept_scale_is_the_standard_deviation_of_the_intercepts():
    *_, intercept = make_multitask_regression(
        1, 500, 500, similarity=0, intercept_scale=3.0, return_coef=True, random_state=0
    )
    assert_allclose(intercept.std(), 3.0, rtol=0.15)  # relative sd 1/sqrt(1000) = .03


@settings(deadline=None)
@given(
    n_samples=st.integers(2, 30),
    n_tasks=st.integers(1, 8),
    missing=st.floats(0, 0.99),
    seed=st.integers(0, 2**31),
)
def test_missing_hides_the_fraction_and_leaves_every_task_and_row_a_label(
    n_samples, n_tasks, missing, seed
):
    missing = min(missing, 1 - 1 / n_samples)
    _, Y = make_multitask_regression(n_samples, n_tasks=n_tasks, missing=missing, random_state=seed)
    observed = np.isfinite(Y)
    assert np.sum(~observed) == round(missing * Y.size)
    assert observed.any(axis=0).all()
    if observed.sum() >= max(Y.shape):
        assert observed.any(axis=1).all()


def test_missing_labels_are_spread_over_the_tasks_and_change_no_other():
    params = dict(n_samples=2000, n_tasks=4, random_state=3)
    _, Y = make_multitask_regression(missing=0.5, **params)
    _, complete = make_multitask_regression(**params)
    observed = np.isfinite(Y)
    # sd of a task's share about .5/sqrt(2000) = .011
    assert_allclose(observed.mean(axis=0), 0.5, atol=0.05)
    assert_array_equal(Y[observed], complete[observed])


@pytest.mark.parametrize("common_design", [True, False])
def test_the_same_random_state_gives_the_same_data_and_another_gives_others(common_design):
    def draw(seed):
        return make_multitask_regression(
            10, common_design=common_design, return_coef=True, random_state=seed
        )

    for first, again, other in zip(draw(0), draw(0), draw(1), strict=True):
        assert_array_equal(first, again)
        varies = first.dtype.kind == "f" and np.any(first)  # neither the task ids nor intercept 0
        assert np.array_equal(first, other) != varies


def test_arguments_are_left_as_they_are():
    gram, noise, sizes = np.eye(2), np.ones(2), np.array([3, 4])
    for array in (gram, noise, sizes):
        array.flags.writeable = False
    _, y, _ = make_multitask_regression(
        sizes, n_tasks=2, gram=gram, noise=noise, common_design=False, random_state=0
    )
    assert y.shape == (7,)
    assert_array_equal(gram, np.eye(2))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (dict(n_tasks=0), "n_tasks"),
        (dict(n_features=0), "n_features"),
        (dict(n_samples=0), "n_samples"),
        (dict(n_samples=[10] * 5), "common_design=False"),
        (dict(n_samples=[10, 0, 3, 3, 3], common_design=False), "n_samples .* at least 1"),
        (dict(n_samples=[10, 20], common_design=False), "n_samples .* 5 ints"),
        (dict(n_samples=[1.5] * 5, common_design=False), "n_samples .* 5 ints"),
        (dict(similarity=1.1), r"similarity must be in \[-0.25, 1\] for n_tasks=5, got 1.1"),
        (dict(similarity=-0.3), r"similarity must be in \[-0.25, 1\]"),
        (dict(similarity=np.nan), "similarity"),
        (dict(gram=np.eye(3)), r"gram must have shape .* \(5, 5\), got \(3, 3\)"),
        (dict(gram=np.diag([1.0, 1, 1, 1, -0.5])), "gram .* eigenvalue -0.5"),
        (dict(gram=np.triu(np.ones((5, 5)))), "gram must be symmetric"),
        (dict(gram=np.full((5, 5), np.nan)), "gram must be symmetric and finite"),
        (dict(n_features=4), "rank 5 but there are 4 informative features"),
        (dict(n_informative=3), "rank 5 but there are 3 informative features"),
        (dict(n_informative=11), "n_informative must be at most n_features=10, got 11"),
        (dict(noise=-0.1), "noise must be .* got -0.1"),
        (dict(noise=[1.0, 2.0]), "noise must be a number or 5 numbers"),
        (dict(noise="loud"), "noise must be a number .* got 'loud'"),
        (dict(intercept_scale=np.inf), "intercept_scale must be"),
        (dict(missing=1.0), r"missing must be in \[0, 1\), got 1.0"),
        (dict(missing=-0.1), "missing must be"),
        (dict(missing=np.nan), "missing must be"),
        (dict(missing=0.9, n_samples=5), "without a label; pass at most 0.8"),
        (dict(missing=0.1, common_design=False), "missing=0.1 needs common_design=True"),
    ],
)
def test_a_value_out_of_range_is_named(params, message):
    with pytest.raises(ValueError, match=message):
        make_multitask_regression(**params)


@pytest.mark.parametrize("name", ["n_samples", "n_tasks", "n_features", "similarity", "missing"])
def test_a_value_of_the_wrong_type_is_named(name):
    with pytest.raises(TypeError, match=name):
        make_multitask_regression(**{name: "5"})


# load_grunfeld ------------------------------------------------------------------------------


def test_grunfeld_has_eleven_firms_of_twenty_years():
    grunfeld = load_grunfeld()
    assert grunfeld.data.shape == (220, 2) and grunfeld.data.dtype == np.float64
    assert grunfeld.target.shape == (220,) and grunfeld.target.dtype == np.float64
    assert_array_equal(grunfeld.task, np.repeat(FIRMS, 20))
    assert grunfeld.feature_names == ["value", "capital"]
    assert grunfeld.target_names == ["invest"]
    assert grunfeld.frame is None
    for fact in ("Grunfeld", "Kleiber", "statsmodels", "public domain", "1947"):
        assert fact in grunfeld.DESCR


def test_grunfeld_holds_the_values_of_the_source():
    X, y, task = load_grunfeld(return_X_y=True)
    # first and last row of the table, and its sums: any changed digit shows
    assert_array_equal(X[0], [3078.5, 2.8])
    assert y[0] == 317.6 and task[0] == "General Motors"
    assert_allclose([y.sum(), *X.sum(axis=0)], SUMS, rtol=1e-12)
    assert_allclose([np.sum(y**2), *np.sum(X**2, axis=0)], SUMS_OF_SQUARES, rtol=1e-12)


def test_grunfeld_equals_the_copy_in_statsmodels():
    source = pytest.importorskip("statsmodels.datasets.grunfeld").load_pandas().data
    frame = load_grunfeld(as_frame=True).frame
    assert_array_equal(frame["firm"], source["firm"])
    for name in ("year", "value", "capital", "invest"):
        assert_array_equal(frame[name], source[name], err_msg=name)


def test_grunfeld_as_frame_starts_with_the_task_column():
    pytest.importorskip("pandas")
    grunfeld, arrays = load_grunfeld(as_frame=True), load_grunfeld()
    assert list(grunfeld.data.columns) == ["firm", "value", "capital"]
    assert list(grunfeld.frame.columns) == ["firm", "year", "value", "capital", "invest"]
    assert_array_equal(grunfeld.data[["value", "capital"]], arrays.data)
    assert_array_equal(grunfeld.target, arrays.target)
    assert_array_equal(grunfeld.task, arrays.task)
    assert_array_equal(grunfeld.frame["year"].unique(), np.arange(1935, 1955))
    data, target, task = load_grunfeld(return_X_y=True, as_frame=True)
    assert data.equals(grunfeld.data) and (target.name, task.name) == ("invest", "firm")


def test_grunfeld_as_frame_without_pandas_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="needs pandas: install pandas or use as_frame=False"):
        load_grunfeld(as_frame=True)
    assert load_grunfeld().data.shape == (220, 2)


def test_every_call_returns_data_of_its_own():
    first = load_grunfeld()
    first.data[:] = 0
    first.feature_names.append("year")
    again = load_grunfeld()
    assert again.data.all() and again.feature_names == ["value", "capital"]


def test_public_names_are_those_listed():
    module = importlib.import_module("skmtl.datasets")
    assert all(callable(getattr(module, name)) for name in module.__all__)
