"""What every public estimator promises, checked on each entry of `skmtl.__all__`."""

import inspect
import pickle
import warnings

import array_api_strict
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from _properties import ENDED_EARLY, assert_close, assert_same_fit, fit_quietly, response
from _samplers import (
    all_instances,
    as_long,
    depends_on_folds,
    estimator_names,
    frequencies,
    is_search,
    labels_for,
    long_queries,
    make_estimator,
    one_label_a_row,
    small_estimator,
    takes,
    wide,
    with_holes,
    with_task_column,
)
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version

import skmtl
from skmtl import _backend

VOCABULARY = set(
    """
    alpha_shared alpha_specific alpha_intercept alphas_shared alphas_specific alphas_intercept
    fit_intercept standardize task_weight task_column unknown_task solver tol max_iter device n_jobs
    random_state verbose criterion guard per_task cv scoring store_cv_results estimator regressor
    alpha_fuse alpha_outlier alphas alphas_fuse alphas_outlier penalty gamma n_neighbors weights
    init cluster_rule task_dummies with_mean with_std class_weight missing_label
    hidden_layer_sizes activation loss alpha balancer gramian update_every perturbation
    scale_targets batch_size learning_rate_init shuffle early_stopping validation_fraction
    n_iter_no_change warm_start covariance noise rank prior_strength shrink_intercept groups
    """.split()
)
STRICTLY = (
    {"xfail_strict": True} if parse_version(sklearn.__version__) >= parse_version("1.8") else {}
)
INSTANCES = all_instances()
LONG_SEARCHES = ["MultiTaskRidgeCV"]  # a splitter refits its 980 points to each fold
QUICK = ("MultiTaskRidge", "IndependentTasks", "PooledTasks", "TargetScaler")
every_instance = pytest.mark.parametrize(
    "estimator",
    [  # variants of what is slow to fit are for the second stage
        pytest.param(
            estimator,
            id=name,
            marks=[pytest.mark.slow] * ("-" in name and name.split("-")[0] not in QUICK),
        )
        for name, estimator in INSTANCES.items()
    ],
    indirect=True,
)
every_class = pytest.mark.parametrize("name", estimator_names())
LABELS = {"complete": lambda Y: Y, "holes": with_holes, "one-a-row": one_label_a_row}
every_label = pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS.keys())


@pytest.fixture
def estimator(request):
    return clone(request.param)


@pytest.fixture
def data(request):
    X, Y = wide()
    if "estimator" in request.fixturenames:
        Y = labels_for(request.getfixturevalue("estimator"), Y)
    return X, Y


# scikit-learn's checks, whole


def checks_of(names, make=make_estimator):
    return parametrize_with_checks([make(name) for name in names], **STRICTLY)


@checks_of(name for name in estimator_names() if name not in LONG_SEARCHES)
def test_scikit_learn_checks_pass(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:the chosen .* is at the edge of its grid")
@checks_of(LONG_SEARCHES, small_estimator)
def test_scikit_learn_checks_pass_for_searches_of_small_grids(estimator, check):
    check(estimator)


@pytest.mark.slow
@checks_of(LONG_SEARCHES)
def test_scikit_learn_checks_pass_for_searches(estimator, check):
    check(estimator)


WITH_DEVICE = [name for name in estimator_names() if takes(make_estimator(name), "device")]
ON_DEVICE_FIRST = ["MultiTaskRidge", "MultiTaskLogisticRegression"]


@pytest.mark.usefixtures("fake_gpu")
@pytest.mark.filterwarnings("ignore:the chosen .* is at the edge of its grid")
@checks_of(ON_DEVICE_FIRST, small_estimator)
def test_scikit_learn_checks_pass_where_fits_run_on_a_device(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.usefixtures("fake_gpu")
@pytest.mark.filterwarnings("ignore:the chosen .* is at the edge of its grid")
@checks_of((name for name in WITH_DEVICE if name not in ON_DEVICE_FIRST), small_estimator)
def test_scikit_learn_checks_pass_where_other_fits_run_on_a_device(estimator, check):
    check(estimator)


# parameters


@every_class
def test_parameters_are_of_the_common_vocabulary(name):
    own = make_estimator(name).get_params(deep=False)
    assert set(own) <= VOCABULARY
    assert takes(make_estimator(name), "task_column")


@every_class
def test_at_most_two_parameters_are_positional(name):
    parameters = inspect.signature(getattr(skmtl, name)).parameters.values()
    positional = [p.name for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert len(positional) <= 2


@every_instance
def test_clone_repr_and_pickle(estimator, data):
    X, Y = data
    assert repr(clone(estimator)) == repr(estimator)
    assert type(estimator).__name__ in repr(estimator)
    model = estimator.fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert not hasattr(clone(model), "tasks_")


@every_instance
def test_fit_returns_self_and_forgets_the_last_fit(estimator, data):
    X, Y = data
    frame = pd.DataFrame(np.hstack([X, X**2]))
    frame.columns = [f"x{j}" for j in range(frame.shape[1])]
    fresh = clone(estimator).fit(X, Y[:, :2])
    again = estimator.fit(frame, Y)
    assert again is estimator
    again.fit(X, Y[:, :2])
    assert vars(again).keys() == vars(fresh).keys()
    assert_same_fit(again, fresh, X)


# what comes back


@every_instance
@every_label
def test_numpy_in_gives_numpy_out_on_any_device(estimator, labels, data, request):
    X, Y = data
    plain = clone(estimator).fit(X, labels(Y))
    request.getfixturevalue("fake_gpu")
    model = estimator.fit(X, labels(Y))
    assert type(model.predict(X)) is np.ndarray
    for name, value in vars(model).items():
        assert not _backend.is_foreign(value), name
    assert_same_fit(model, plain, X)


@every_instance
def test_long_data_gives_numpy_out_on_any_device(estimator, data, request):
    X, Y = data
    table, y = as_long(X, with_holes(Y))
    with_task_column(estimator, X.shape[1])
    plain = clone(estimator).fit(table, y)
    request.getfixturevalue("fake_gpu")
    assert_same_fit(estimator.fit(table, y), plain, table)


@every_instance
def test_float32_is_kept_and_close_to_float64(estimator, data):
    X, Y = data
    model = clone(estimator).fit(X.astype(np.float32), Y.astype(np.float32))
    prediction = response(model, X.astype(np.float32))
    assert prediction.dtype == np.float32
    for name in ("coef_", "intercept_", "shared_coef_", "specific_coef_"):
        assert getattr(model, name, prediction).dtype == np.float32
    # float32 labels and features are off by 6e-8 of their size
    assert_close(prediction, response(estimator.fit(X, Y), X), rtol=1e-4)


@every_instance
def test_shapes_follow_y(estimator, data):
    X, Y = data
    assert clone(estimator).fit(X, Y).predict(X).shape == Y.shape
    one = clone(estimator).fit(X, Y[:, 0])
    column = clone(estimator).fit(X, Y[:, :1])
    assert one.predict(X).shape == (len(X),)
    assert column.predict(X).shape == (len(X), 1)
    assert_close(one.predict(X), column.predict(X)[:, 0])
    for model in (one, column):
        assert model.n_tasks_ == len(model.tasks_) == 1
        assert getattr(model, "coef_", np.zeros((1, X.shape[1]))).shape == (1, X.shape[1])


@every_instance
@pytest.mark.parametrize("dispatch", [False, True], ids=["plain", "dispatch"])
def test_arrays_of_another_library_are_answered_in_kind(estimator, dispatch, data, xp_place):
    if not getattr(estimator.__sklearn_tags__(), "array_api_support", False):
        pytest.skip("the estimator does not claim support of the array API")
    X, Y = data
    Y = with_holes(Y)
    with sklearn.config_context(array_api_dispatch=dispatch):
        model = clone(estimator).fit(xp_place(X), xp_place(Y))
        prediction = model.predict(xp_place(X))
        score = model.score(xp_place(X), xp_place(Y))
    assert _backend.place_of(prediction) == xp_place.place
    assert isinstance(score, float)
    plain = estimator.fit(X, Y)
    assert_close(_backend.to_numpy(prediction), plain.predict(X))
    assert score == pytest.approx(plain.score(X, Y))


# the input is only read


def _fortran(x):
    return np.asfortranarray(x)


def _strided(x):
    table = np.zeros((len(x), 2 * x.shape[1]))
    table[:, ::2] = x
    return table[:, ::2]


def _reversed(x):
    return x[::-1].copy()[::-1]


@every_instance
@every_label
@pytest.mark.parametrize("layout", [np.array, _fortran, _strided, _reversed])
def test_memory_layout_does_not_matter_and_nothing_is_written(estimator, layout, labels, data):
    X, Y = data[0], labels(data[1])
    arrays = layout(X), layout(Y), layout(np.ones_like(Y))[:, 0]
    before = [a.copy() for a in arrays]
    for array in arrays:
        array.flags.writeable = False
    model = clone(estimator).fit(*arrays)
    assert np.isfinite(model.score(*arrays))
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert_same_fit(model, estimator.fit(X, Y), X)


@every_instance
def test_read_only_long_data_is_only_read(estimator, data):
    table, y = as_long(*data)
    with_task_column(estimator, -1)
    expected = clone(estimator).fit(table, y).predict(table)
    table.flags.writeable = y.flags.writeable = False
    np.testing.assert_array_equal(estimator.fit(table, y).predict(table), expected)


# missing labels and weights


@every_instance
def test_rows_without_a_label_equal_dropped_rows(estimator, data):
    if depends_on_folds(estimator):
        pytest.skip("other folds may choose other penalties")
    X, Y = data
    silent = np.zeros(len(X), dtype=bool)
    silent[[0, 7, 8, 30]] = True
    Y = with_holes(Y)
    Y[silent] = np.nan
    assert_same_fit(clone(estimator).fit(X, Y), estimator.fit(X[~silent], Y[~silent]), X)


@every_instance
def test_one_labelled_task_equals_that_task_alone(estimator, data):
    if depends_on_folds(estimator):
        pytest.skip("other folds may choose other penalties")
    if takes(estimator, "task_dummies") and estimator.task_dummies:
        pytest.skip("a dummy feature of an unlabelled task is a column of zeros, not none")
    X, Y = data
    Y = with_holes(Y)
    seen = ~np.isnan(Y[:, 1])
    alone = clone(estimator).fit(X[seen], Y[seen, 1])
    Y[:, [0, 2]] = np.nan
    with pytest.warns(UserWarning, match="no label"):
        model = estimator.fit(X, Y)
    assert_close(model.predict(X)[:, 1], alone.predict(X))
    if hasattr(model, "coef_"):
        assert_close(model.coef_[1], alone.coef_[0])
        assert_close(model.intercept_[1], alone.intercept_[0])


@every_instance
@every_label
def test_wide_and_long_data_give_the_same_model(estimator, labels, data):
    X, Y = data
    Y = labels(Y)
    if is_search(estimator) and (~np.isnan(Y)).sum(axis=1).max() > 1:
        pytest.skip("leave-one-out takes a row of wide data and a label of long data")
    if depends_on_folds(estimator):
        pytest.skip("other folds may choose other penalties")
    from_wide = clone(estimator).fit(X, Y)
    from_long = with_task_column(estimator, -1).fit(*as_long(X, Y))
    prediction = from_long.predict(long_queries(X, Y.shape[1])).reshape(Y.shape)
    assert_close(prediction, from_wide.predict(X))
    for name in ("coef_", "intercept_", "shared_coef_", "task_weights_", "best_score_"):
        if hasattr(from_wide, name):
            assert_close(getattr(from_long, name), getattr(from_wide, name))


@every_instance
@every_label
def test_weights_are_frequencies(estimator, labels, data):
    if depends_on_folds(estimator):
        pytest.skip("other folds may choose other penalties")
    X, Y = data
    Y = labels(Y)
    weight = frequencies(len(X))
    rows = np.repeat(np.arange(len(X)), weight)
    weighted = clone(estimator).fit(X, Y, sample_weight=weight)
    repeated = estimator.fit(X[rows], Y[rows])
    # a search factorises Grams whose rounding differs; it must still choose the same point
    assert_same_fit(weighted, repeated, X, rtol=1e-7)
    if hasattr(weighted, "best_score_"):
        assert weighted.best_score_ == pytest.approx(repeated.best_score_)
    assert weighted.score(X, Y, weight) == pytest.approx(repeated.score(X[rows], Y[rows]))


@every_instance
def test_weights_are_frequencies_of_long_data(estimator, data):
    if depends_on_folds(estimator):
        pytest.skip("other folds may choose other penalties")
    table, y = as_long(*data)
    weight = frequencies(len(y))
    rows = np.repeat(np.arange(len(y)), weight)
    with_task_column(estimator, -1)
    weighted = clone(estimator).fit(table, y, sample_weight=weight)
    repeated = estimator.fit(table[rows], y[rows])
    assert_same_fit(weighted, repeated, table, rtol=1e-7)
    assert weighted.score(table, y, weight) == pytest.approx(repeated.score(table[rows], y[rows]))


@every_instance
def test_weight_zero_of_a_cell_equals_a_missing_label(estimator, data):
    X, Y = data
    holes = with_holes(Y)
    weight = np.where(np.isnan(holes), 0.0, 1.0)
    masked = clone(estimator).fit(X, Y, sample_weight=weight)
    missing = estimator.fit(X, holes)
    assert_same_fit(masked, missing, X)
    assert masked.score(X, Y, weight) == pytest.approx(missing.score(X, holes))


@every_instance
def test_row_weights_equal_the_same_weights_for_each_task(estimator, data):
    X, Y = data
    weight = np.linspace(0.5, 3, len(X))
    assert_same_fit(
        clone(estimator).fit(X, Y, weight),
        estimator.fit(X, Y, np.repeat(weight[:, None], Y.shape[1], axis=1)),
        X,
    )


# order


@every_instance
@every_label
def test_order_of_tasks_does_not_matter(estimator, labels, data):
    if depends_on_folds(estimator):
        pytest.skip("other folds may choose other penalties")
    X, Y = data
    Y = labels(Y)
    order = [2, 0, 1]
    model = clone(estimator).fit(X, Y)
    turned = estimator.fit(X, Y[:, order])
    assert_close(turned.predict(X), model.predict(X)[:, order])
    if hasattr(model, "coef_"):
        assert_close(turned.coef_, model.coef_[order])
        assert_close(turned.shared_coef_, model.shared_coef_)


@every_instance
@every_label
def test_order_of_rows_does_not_matter(estimator, labels, data):
    if depends_on_folds(estimator):
        pytest.skip("other folds may choose other penalties")
    X, Y = data
    Y = labels(Y)
    order = np.random.default_rng(5).permutation(len(X))
    assert_same_fit(clone(estimator).fit(X[order], Y[order]), estimator.fit(X, Y), X)


@every_instance
def test_order_of_long_rows_does_not_matter(estimator, data):
    table, y = as_long(*data)
    with_task_column(estimator, -1)
    order = np.argsort(table[:, -1], kind="stable")
    assert_same_fit(clone(estimator).fit(table[order], y[order]), estimator.fit(table, y), table)


# tasks of which little is known


@every_instance
def test_a_task_without_labels_gets_one_warning_and_a_prediction(estimator, data):
    X, Y = data
    silent = np.column_stack([Y, np.full(len(X), np.nan)])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", message=ENDED_EARLY)
        model = clone(estimator).fit(X, silent)
    assert len(caught) == 1
    assert "task 3 has no label" in str(caught[0].message)
    if not hasattr(estimator, "regressor"):  # there the regressor inside warns
        assert caught[0].filename == __file__
    prediction = model.predict(X)
    plain = estimator.fit(X, Y)
    assert_close(prediction[:, :3], plain.predict(X))
    assert np.isfinite(prediction[:, 3]).all()
    if hasattr(model, "shared_coef_"):
        assert_close(model.coef_[3], model.shared_coef_)
        assert_close(model.specific_coef_[3], np.zeros(X.shape[1]))


@every_instance
def test_an_unlabelled_task_is_predicted_as_an_unseen_one(estimator, data):
    X, Y = data
    with_task_column(estimator, -1, unknown_task="shared")
    table, y = as_long(X, Y)
    table, y = np.vstack([table, table[:1]]), np.append(y, 100.0)
    table[-1, -1] = 7
    weight = np.append(np.ones(len(y) - 1), 0)
    with pytest.warns(UserWarning, match=r"task 7\.0 has no label"):
        model = estimator.fit(table, y, weight)
    queries = np.column_stack([X, np.full(len(X), 7)]), np.column_stack([X, np.full(len(X), 99)])
    np.testing.assert_array_equal(model.predict(queries[0]), model.predict(queries[1]))
    assert_close(
        clone(estimator).fit(table[:-1], y[:-1]).predict(queries[1]), model.predict(queries[1])
    )


@every_instance
def test_a_task_with_one_row_and_one_with_a_constant_target_work(estimator, data):
    X, Y = data
    Y = np.column_stack([Y, np.full(len(X), np.nan), np.full(len(X), 1.0)])
    Y[4, 3] = 0.0
    model = fit_quietly(estimator, X, Y)
    prediction = model.predict(X)
    assert np.isfinite(prediction).all()
    assert np.isfinite(model.score(X, Y))


@every_instance
def test_tasks_of_one_row_each_work_without_a_warning(estimator, data):
    X, Y = data
    ids = np.arange(len(X))
    table = np.column_stack([X, ids])
    model = fit_quietly(with_task_column(clone(estimator), -1), table, Y[:, 0])
    assert np.isfinite(model.predict(table)).all()
    few = np.where(np.eye(3, dtype=bool), Y[:3], np.nan)
    assert np.isfinite(fit_quietly(estimator, X[:3], few).predict(X)).all()


@every_instance
def test_more_features_than_rows_work(estimator):
    X, Y = wide(n=9, p=15)
    Y = labels_for(estimator, Y)
    for labels in LABELS.values():
        assert np.isfinite(clone(estimator).fit(X, labels(Y)).predict(X)).all()


@every_instance
def test_constant_and_repeated_features_work(estimator, data):
    X, Y = data
    X = np.column_stack([X, np.full(len(X), 3.0), X[:, 0]])
    for labels in LABELS.values():
        assert np.isfinite(clone(estimator).fit(X, labels(Y)).predict(X)).all()


# data frames

NAMES = ["u", "v", "w", "z"]


@every_instance
def test_pandas_and_polars_tables_equal_arrays(estimator, data):
    X, Y = data
    Y = with_holes(Y)
    expected = clone(estimator).fit(X, Y)
    cells = [[None if np.isnan(y) else y for y in row] for row in Y.tolist()]
    tables = {
        "pandas": (pd.DataFrame(X, columns=NAMES), pd.DataFrame(Y, columns=list("abc"))),
        "nullable": (
            pd.DataFrame(X, columns=NAMES).astype("Float64"),
            pd.DataFrame(cells, columns=list("abc")).astype("Float64"),
        ),
        "polars": (
            pl.DataFrame(X, schema=NAMES),
            pl.DataFrame(cells, schema=list("abc"), orient="row"),
        ),
    }
    for table, labels in tables.values():
        model = clone(estimator).fit(table, labels)
        assert_close(model.predict(table), expected.predict(X))
        assert list(model.tasks_) == list("abc")
        assert list(getattr(model, "feature_names_in_", NAMES)) == NAMES  # polars: scikit-learn 1.8
        assert model.score(table, labels) == pytest.approx(expected.score(X, Y))


@every_instance
def test_frames_with_text_ids_equal_arrays_with_numbers(estimator, data):
    X, Y = data
    table, y = as_long(X, with_holes(Y))
    expected = with_task_column(clone(estimator), -1).fit(table, y)
    sites = [f"site {int(t)}" for t in table[:, -1]]
    frame = pd.DataFrame(table[:, :-1], columns=NAMES)
    frame.insert(1, "site", sites)
    for long in (frame, frame.astype({"site": "category"}), pl.from_pandas(frame)):
        for column in ("site", 1, -4):
            model = with_task_column(clone(estimator), column).fit(long, y)
            assert_close(model.predict(long), expected.predict(table))
            assert model.tasks_ == ["site 0", "site 1", "site 2"]
            assert model.n_features_in_ == 5
            names = getattr(model, "feature_names_in_", frame.columns)  # polars: scikit-learn 1.8
            assert list(names) == ["u", "site", "v", "w", "z"]
            assert model.score(long, y) == pytest.approx(expected.score(table, y))


@every_instance
def test_lists_equal_arrays(estimator, data):
    X, Y = data
    assert_same_fit(
        clone(estimator).fit(X.tolist(), Y.tolist(), [1.0] * len(X)), estimator.fit(X, Y), X
    )


# unseen tasks


@every_instance
def test_an_unseen_task_is_refused_by_name_or_gets_a_shared_prediction(estimator, data):
    table, y = as_long(*data)
    with_task_column(estimator, -1)
    unseen = np.array([[*table[0, :-1], 11.0]])
    with pytest.raises(ValueError, match=r"task 11\.0 .*not seen in fit.*unknown_task"):
        clone(estimator).fit(table, y).predict(unseen)
    model = with_task_column(estimator, -1, unknown_task="shared").fit(table, y)
    prediction = model.predict(np.vstack([table, unseen]))
    assert np.isfinite(prediction).all()
    assert_close(prediction[:-1], model.predict(table))


@every_instance
def test_array_api_strict_long_data_is_answered_in_kind(estimator, data):
    if not getattr(estimator.__sklearn_tags__(), "array_api_support", False):
        pytest.skip("the estimator does not claim support of the array API")
    table, y = as_long(*data)
    with_task_column(estimator, -1)
    plain = clone(estimator).fit(table, y)
    X_there = array_api_strict.asarray(table)
    model = estimator.fit(X_there, array_api_strict.asarray(y))
    prediction = model.predict(X_there)
    assert _backend.is_foreign(prediction)
    assert_close(_backend.to_numpy(prediction), plain.predict(table))
