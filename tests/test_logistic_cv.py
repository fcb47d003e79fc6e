"""MultiTaskLogisticRegressionCV: every score of its grid against refits, and the choice itself."""

import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from _classification import Dense, binary, class_sets, several
from _properties import assert_close
from _samplers import as_long, one_label_a_row, with_holes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut, ShuffleSplit

from skmtl import MultiTaskLogisticRegression, MultiTaskLogisticRegressionCV
from skmtl.metrics import make_multitask_scorer, multitask_log_loss
from skmtl.model_selection import MultiTaskKFold

GRID = {
    "alphas_shared": [0.1, 3.0, np.inf],
    "alphas_specific": [0.3, np.inf],
    "alphas_intercept": [0.0, 1.0],
}
KEPT = {"store_cv_results": True}
LOST = -np.log(np.finfo(float).eps)  # 36.04, of a label without probability
SCORED = 1e-3  # points are scored at a relative gradient of 1e-4, other rows lose by more
every_sample = pytest.mark.parametrize("sample", [binary, several])
every_criterion = pytest.mark.parametrize("criterion", ["cv", "alo"])
# what a search over a small grid may say; where it matters a test reads it
pytestmark = [
    pytest.mark.filterwarnings("ignore:the chosen"),
    pytest.mark.filterwarnings("ignore:.*has labels of one class only"),
    pytest.mark.filterwarnings("ignore:.*has no label"),
]


def search(**params):
    """A search over features as they come, as those of the references do."""
    return MultiTaskLogisticRegressionCV(**(GRID | KEPT | {"standardize": False} | params))


def points(results):
    """Penalties (shared, specific, intercept) of each score."""
    names = ("alpha_shared", "alpha_specific", "alpha_intercept")
    return list(zip(*(results[f"param_{name}"] for name in names), strict=True))


def refitted_losses(X, Y, splits, alphas, weight=None, **params):
    """(sums, weights) of the log losses of each task, by refits of the public model."""
    shared, specific, intercept = alphas
    S = np.ones_like(Y) if weight is None else weight
    S = np.broadcast_to(S[:, None] if S.ndim == 1 else S, Y.shape)
    sums, weights = np.zeros(Y.shape[1]), np.zeros(Y.shape[1])
    for train, test in splits:
        model = MultiTaskLogisticRegression(shared, specific, alpha_intercept=intercept, **params)
        model.fit(X[train], Y[train], None if weight is None else weight[train])
        for t, (P, classes) in enumerate(
            zip(model.predict_proba(X[test]), model.classes_, strict=True)
        ):
            for p, y, s in zip(P, Y[test, t], S[test, t], strict=True):
                if np.isnan(y) or s == 0:
                    continue
                found = p[classes == y]
                loss = -np.log(found[0]) if found.size and found[0] > 0 else LOST
                sums[t], weights[t] = sums[t] + s * loss, weights[t] + s
    return sums, weights


def assert_scores_are_those_of_refits(
    model, X, Y, splits, *, weight=None, per_task=False, **params
):
    for alphas, score in zip(points(model.cv_results_), model.cv_results_["log_loss"], strict=True):
        sums, weights = refitted_losses(X, Y, splits, alphas, weight, **params)
        seen = weights > 0
        mean = np.mean(sums[seen] / weights[seen]) if per_task else sums.sum() / weights.sum()
        assert score == pytest.approx(mean, rel=SCORED)


# scores of the folds


@every_sample
@pytest.mark.parametrize(
    "labels, solver, intercepts",
    [
        (np.array, "irls", [0.0, 1.0]),
        (with_holes, "newton-cg", [1.0, np.inf]),
        (one_label_a_row, "auto", [0.0, 1.0]),
    ],
    ids=["complete", "holes", "one-a-row"],
)
def test_a_warm_started_path_scores_as_refits_do(sample, labels, solver, intercepts):
    X, Y = sample(n=60)
    Y = labels(Y)
    splits = list(KFold(3, shuffle=True, random_state=0).split(X))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = search(cv=splits, solver=solver, alphas_intercept=intercepts).fit(X, Y)
        assert_scores_are_those_of_refits(model, X, Y, splits)


@every_sample
def test_weights_and_averages_over_tasks_are_those_of_refits(sample, rng):
    X, Y = sample(n=45)
    Y = with_holes(Y)
    weight = rng.choice([0.0, 0.5, 2.0], Y.shape)
    weight[:6] = 1.0
    splits = list(KFold(2).split(X))
    params = {"class_weight": "balanced", "task_weight": "balanced"}
    grid = {"alphas_specific": [2.0], "alphas_intercept": [1.0]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for per_task in (False, True):
            model = search(cv=splits, per_task=per_task, **grid, **params).fit(X, Y, weight)
            assert_scores_are_those_of_refits(
                model, X, Y, splits, weight=weight, per_task=per_task, **params
            )


def test_without_intercepts_their_penalties_are_ignored():
    X, Y = binary()
    splits = list(KFold(3).split(X))
    model = search(cv=splits, fit_intercept=False).fit(X, Y)
    assert len(model.cv_results_["log_loss"]) == 6
    assert_scores_are_those_of_refits(model, X, Y, splits, fit_intercept=False)
    assert model.alpha_intercept_ == 0.0


@pytest.mark.parametrize("alphas_intercept", [[0.0], [1.0], [np.inf]], ids=str)
def test_a_class_that_a_task_shows_in_no_other_fold_costs_36(alphas_intercept):
    """And labels of a task of one class in training cost nothing, or as much."""
    X, Y = binary(n=30)
    Y[:, 1] = 0.0  # shows 1 in the first fold alone
    Y[:3, 1] = 1.0
    Y[:, 2] = 7.0
    Y[0, 0] = 5.0
    splits = [(np.arange(10, 30), np.arange(10)), (np.arange(10), np.arange(10, 30))]
    model = search(cv=splits, alphas_intercept=alphas_intercept)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, Y)
        assert_scores_are_those_of_refits(model, X, Y, splits)
    least = (LOST if alphas_intercept != [0.0] else 4 * LOST) / 90
    assert model.cv_results_["log_loss"].min() > least


def test_tasks_of_long_data_that_a_fold_lacks_are_predicted_by_the_shared_part():
    X, Y = binary(n=12)
    table, y = as_long(X, Y)
    splits = [(np.flatnonzero(table[:, -1] != t), np.flatnonzero(table[:, -1] == t))
              for t in range(3)]  # fmt: skip
    model = search(cv=splits, task_column=-1).fit(table, y)
    for alphas, score in zip(points(model.cv_results_), model.cv_results_["log_loss"], strict=True):
        total = 0.0
        for train, test in splits:
            plain = MultiTaskLogisticRegression(
                *alphas[:2], alpha_intercept=alphas[2], task_column=-1, unknown_task="shared"
            ).fit(table[train], y[train])
            P = plain.predict_proba(table[test])
            total -= np.log(P[np.arange(len(test)), y[test].astype(int)]).sum()
        assert score == pytest.approx(total / len(y), rel=SCORED)


def test_the_search_by_a_scorer_is_scikit_learns():
    X, Y = binary(n=60)
    Y = with_holes(Y)
    cv = MultiTaskKFold(3, random_state=0)
    scorer = make_multitask_scorer("neg_log_loss")
    model = search(cv=cv, scoring=scorer).fit(X, Y)
    plain = {name.replace("alphas", "alpha"): values for name, values in GRID.items()}
    reference = GridSearchCV(MultiTaskLogisticRegression(), plain, cv=cv, scoring=scorer).fit(X, Y)
    assert model.best_score_ == pytest.approx(reference.best_score_)
    for name in plain:
        assert getattr(model, f"{name}_") == reference.best_params_[name]
    assert model.cv_results_["mean_test_score"].max() == pytest.approx(reference.best_score_)
    assert set(model.cv_results_) >= {"std_test_score", "param_alpha_shared"}
    assert_close(np.hstack(model.predict_proba(X)), np.hstack(reference.predict_proba(X)))


# scores by approximate leave-one-out


@every_sample
@pytest.mark.parametrize("labels", [np.array, with_holes], ids=["complete", "holes"])
def test_alo_is_close_to_leaving_out_each_row(sample, labels):
    X, Y = sample(n=60)
    Y = labels(Y)
    grid = {"alphas_shared": [3.0, 30.0], "alphas_specific": [10.0], "alphas_intercept": [3.0]}
    model = search(criterion="alo", **grid).fit(X, Y)
    for alphas, score in zip(points(model.cv_results_), model.cv_results_["log_loss"], strict=True):
        dense = Dense(X, Y, alphas)
        total = 0.0
        for row in range(len(X)):
            out = dense.row == row
            weights = np.where(out, 0.0, dense.weights)
            total += dense.losses(dense.minimise(weights))[out].sum()
        # several classes: half a per cent is of second order in the leverages
        assert score == pytest.approx(total / len(dense.row), rel=5e-3)


@every_sample
def test_alo_is_close_to_leaving_out_each_label_of_long_data(sample, rng):
    X, Y = sample(n=40)
    Y = with_holes(Y)
    table, y = as_long(X, Y)
    s = rng.choice([0.5, 1.0, 3.0], len(y))
    grid = {"alphas_shared": [3.0], "alphas_specific": [10.0, np.inf], "alphas_intercept": [3.0]}
    model = search(criterion="alo", task_column=-1, **grid).fit(table, y, s)
    order = np.lexsort((table[:, -1],))
    rows = np.full((len(y), Y.shape[1]), np.nan)
    rows[np.arange(len(y)), table[:, -1].astype(int)] = y
    for alphas, score in zip(points(model.cv_results_), model.cv_results_["log_loss"], strict=True):
        dense = Dense(table[:, :-1], rows, alphas, s)
        total = 0.0
        for i in order:
            at = dense.row == i
            weights = dense.weights - np.where(at, min(s[i], 1.0), 0.0)
            total += s[i] * dense.losses(dense.minimise(weights))[at][0]
        assert score == pytest.approx(total / s.sum(), rel=5e-3)


def test_alo_of_weighted_classes_and_tasks_weighs_the_fit_alone():
    X, Y = binary(n=40)
    params = {"class_weight": {0: 2.0}, "task_weight": [1.0, 2.0, 3.0]}
    grid = {"alphas_shared": [3.0], "alphas_specific": [10.0], "alphas_intercept": [3.0]}
    model = search(criterion="alo", **grid, **params).fit(X, Y)
    splits = LeaveOneOut().split(X)
    sums, weights = refitted_losses(X, Y, splits, (3.0, 10.0, 3.0), **params)
    assert model.cv_results_["log_loss"][0] == pytest.approx(sums.sum() / weights.sum(), rel=5e-3)


def test_alo_of_a_task_of_one_class_with_free_intercepts_is_zero():
    X, Y = binary()
    Y[:, 1] = 1.0
    free = {"alphas_intercept": [0.0]}
    two = search(criterion="alo", **free).fit(X, Y[:, [0, 2]])
    three = search(criterion="alo", **free).fit(X, Y)
    assert_close(three.cv_results_["log_loss"] * 3, two.cv_results_["log_loss"] * 2, rtol=1e-5)


@every_sample
def test_alo_of_wide_features_is_that_of_narrow_ones(sample, rng):
    """Coordinates of the row space change no score."""
    X, Y = sample(n=25)
    basis = np.linalg.qr(rng.normal(size=(80, 3)))[0].T
    first, second = (search(criterion="alo").fit(Z, Y) for Z in (X, X @ basis))
    assert_close(first.cv_results_["log_loss"], second.cv_results_["log_loss"], rtol=1e-4)


@pytest.mark.parametrize("name, value", [("cv", 3), ("scoring", "accuracy")])
def test_alo_takes_neither_folds_nor_a_scorer(name, value):
    X, Y = binary()
    with pytest.raises(ValueError, match=rf"{name}=.* has no part in criterion='alo'"):
        search(criterion="alo", **{name: value}).fit(X, Y)


# the choice


@every_sample
@every_criterion
@pytest.mark.parametrize("per_task", [False, True])
def test_the_best_point_is_fitted_to_all_labels(sample, criterion, per_task):
    X, Y = sample(n=50)
    Y = with_holes(Y)
    model = search(criterion=criterion, per_task=per_task).fit(X, Y)
    losses = model.cv_results_["log_loss"]
    chosen = model.alpha_shared_, model.alpha_specific_, model.alpha_intercept_
    assert chosen == points(model.cv_results_)[np.argmin(losses)]
    assert model.best_score_ == -losses.min()
    plain = MultiTaskLogisticRegression(*chosen[:2], alpha_intercept=chosen[2]).fit(X, Y)
    np.testing.assert_array_equal(
        np.hstack(model.predict_proba(X)), np.hstack(plain.predict_proba(X))
    )


@every_criterion
def test_equal_scores_choose_the_larger_specific_then_intercept_then_shared_penalty(criterion):
    _, Y = binary()
    X = np.ones((len(Y), 2))
    flat = {"alphas_shared": [1.0, 9.0], "alphas_specific": [1.0, 9.0], "alphas_intercept": [0.0]}
    model = search(criterion=criterion, **flat).fit(X, Y)
    assert np.ptp(model.cv_results_["log_loss"]) < 1e-9
    assert (model.alpha_specific_, model.alpha_shared_) == (9.0, 9.0)


@every_criterion
def test_a_choice_at_the_edge_of_an_own_grid_warns_inside_the_call(criterion):
    X, Y = binary()
    with pytest.warns(UserWarning) as caught:
        model = search(criterion=criterion, alphas_shared=[50.0, 100.0]).fit(X, Y)
    messages = [str(w.message) for w in caught if "alpha_shared" in str(w.message)]
    chosen = f"{model.alpha_shared_:.0f}"
    assert messages == [f"the chosen alpha_shared={chosen} is at the edge of its grid; widen it."]
    assert [w.filename for w in caught] == [__file__] * len(caught)


def test_the_limits_of_pooling_and_of_independence_are_no_edges():
    X, Y = binary()
    grid = {"alphas_shared": [np.inf], "alphas_specific": [np.inf], "alphas_intercept": [np.inf]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search(**grid).fit(X, Y)


def test_the_default_grid_is_in_units_of_the_features():
    X, Y = binary(n=25)
    plain = {"cv": 2, "standardize": False}
    first = MultiTaskLogisticRegressionCV(**plain, **KEPT).fit(X, Y)
    second = MultiTaskLogisticRegressionCV(**plain, **KEPT).fit(X * 1e6, Y)
    assert len(first.cv_results_["log_loss"]) == 7 * 4 * 7
    assert_close(first.cv_results_["log_loss"], second.cv_results_["log_loss"], rtol=1e-5)
    assert second.alpha_shared_ == pytest.approx(1e12 * first.alpha_shared_)
    v = X.var(axis=0).mean()
    own = first.cv_results_["param_alpha_shared"]
    np.testing.assert_allclose(np.unique(own)[:-1], v * np.logspace(-1, 4, 6))


def test_related_tasks_choose_to_share_and_unrelated_ones_not_to(rng):
    X = rng.normal(size=(400, 4))
    w = 2 * rng.normal(size=4)
    alike = (X @ w)[:, None] + rng.logistic(size=(400, 5)) > 0
    other = X @ (3 * rng.normal(size=(4, 5))) + rng.logistic(size=(400, 5)) > 0
    chosen = [MultiTaskLogisticRegressionCV(cv=2).fit(X, Y).alpha_specific_
              for Y in (alike, other)]  # fmt: skip
    assert chosen[0] > 10 * chosen[1]


def test_results_are_kept_only_when_asked_for():
    X, Y = binary()
    model = search().fit(X, Y)
    results = model.cv_results_
    assert {len(column) for column in results.values()} == {12}
    model.set_params(store_cv_results=False).fit(X, Y)
    assert not hasattr(model, "cv_results_")


# folds


def test_folds_may_be_a_number_a_splitter_or_a_list():
    X, Y = binary(n=45)
    cv = MultiTaskKFold(3, random_state=0)
    found = [search(cv=c).fit(X, Y).cv_results_["log_loss"] for c in
             (3, cv, list(cv.split(X, Y)), iter(cv.split(X, Y)))]  # fmt: skip
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-12)
    default = search().fit(X, Y).cv_results_["log_loss"]
    np.testing.assert_array_equal(default, search(cv=5).fit(X, Y).cv_results_["log_loss"])
    mask = np.arange(45) < 20
    masks = search(cv=[(~mask, mask)]).fit(X, Y).cv_results_["log_loss"]
    numbers = search(cv=[np.nonzero(~mask) + np.nonzero(mask)]).fit(X, Y).cv_results_["log_loss"]
    np.testing.assert_array_equal(masks, numbers)


@pytest.mark.parametrize(
    "cv, message",
    [(1, r"\bcv\b"), (True, r"\bcv\b"), ("a", r"\bcv\b"), (2.5, r"\bcv\b"), ([], r"\bcv\b"),
     (41, "n_splits must be at most the number of rows, 40")],
    ids=str,
)  # fmt: skip
def test_what_gives_no_folds_is_refused(cv, message):
    X, Y = binary()
    with pytest.raises((ValueError, TypeError), match=message):
        search(cv=cv).fit(X, Y)


@every_sample
def test_several_jobs_give_the_scores_of_one(sample):
    X, Y = sample(n=50)
    one = search(n_jobs=1).fit(X, Y)
    two = search(n_jobs=2).fit(X, Y)
    np.testing.assert_array_equal(one.cv_results_["log_loss"], two.cv_results_["log_loss"])
    with joblib.parallel_backend("threading", n_jobs=2):
        three = search().fit(X, Y)
    np.testing.assert_array_equal(one.cv_results_["log_loss"], three.cv_results_["log_loss"])


def test_folds_spread_rare_classes_however_many_classes_there_are(rng):
    """Regression: with fewer than five labels a class, whole numbers were not stratified."""
    X = rng.normal(size=(60, 2))
    y = np.repeat(np.arange(20), 3)
    model = search(cv=3, alphas_shared=[1.0], alphas_specific=[1.0], alphas_intercept=[0.0])
    assert model.fit(X, y).best_score_ > -0.2 * LOST  # each class is in each training set


@every_criterion
def test_rows_of_weight_zero_equal_dropped_rows(criterion, rng):
    """Regression: a fold whose rows all weighed nothing stopped the search."""
    X, Y = binary(n=60)
    weight = np.where(rng.random(60) < 0.7, 0.0, 2.0)
    weight[:6] = 1.0
    kept = weight > 0
    model = search(criterion=criterion).fit(X, Y, weight)
    dropped = search(criterion=criterion).fit(X[kept], Y[kept], weight[kept])
    np.testing.assert_allclose(
        model.cv_results_["log_loss"], dropped.cv_results_["log_loss"], rtol=1e-9
    )


def test_folds_without_a_label_to_score_are_left_out():
    """Regression: a fold without labels stopped the search."""
    X, Y = binary(n=40)
    Y[10:20] = np.nan
    splits = list(KFold(4).split(X))
    model = search(cv=KFold(4)).fit(X, Y)
    fewer = search(cv=[splits[k] for k in (0, 2, 3)]).fit(X, Y)
    np.testing.assert_array_equal(model.cv_results_["log_loss"], fewer.cv_results_["log_loss"])
    with pytest.raises(ValueError, match=r"\bcv\b"):
        search(cv=[(np.arange(40), np.arange(10, 20))]).fit(X, Y)


@pytest.mark.parametrize("params", [{"task_weight": [1.0, 2.0, 3.0, 4.0]},
                                    {"class_weight": [None, "balanced", {0: 2.0}, None]}],
                         ids=str)  # fmt: skip
def test_weights_by_task_reach_the_folds_that_lack_a_task(params):
    """Regression: a task of one row, absent from most folds, made them a row too long."""
    X, Y = binary(n=20)
    table, y = as_long(X, Y)
    table, y = np.vstack([table, table[:1]]), np.append(y, y[0])
    table[-1, -1] = 9
    cv = MultiTaskKFold(3, random_state=0, task_column=-1)
    model = search(cv=cv, task_column=-1, **params).fit(table, y)
    scores = []
    for alphas in points(model.cv_results_):
        total = 0.0
        for train, test in cv.split(table, y):
            here = np.isin([0, 1, 2, 9], table[train, -1])
            own = {k: [v for v, kept in zip(values, here, strict=True) if kept]
                   for k, values in params.items()}  # fmt: skip
            plain = MultiTaskLogisticRegression(
                *alphas[:2],
                alpha_intercept=alphas[2],
                task_column=-1,
                unknown_task="shared",
                **own,
            ).fit(table[train], y[train])
            P = plain.predict_proba(table[test])[np.arange(len(test)), y[test].astype(int)]
            total += np.minimum(-np.log(np.maximum(P, 1e-300)), LOST).sum()
        scores.append(total / len(y))
    np.testing.assert_allclose(model.cv_results_["log_loss"], scores, rtol=SCORED)


@pytest.mark.parametrize("scoring", [None, "accuracy"])
def test_a_class_weight_of_a_class_that_a_fold_lacks_is_no_error(scoring):
    """Regression: the fold refused the name of the rare class."""
    X, Y = binary(n=40)
    y = Y[:, 0].copy()
    y[3] = 2.0
    model = search(class_weight={2: 3.0}, scoring=scoring, cv=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isfinite(model.fit(X, y).best_score_)


@every_sample
@every_criterion
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_sparse_features_score_as_dense_ones(sample, criterion, fit_intercept, rng):
    X, Y = sample()
    X = np.where(rng.random(X.shape) < 0.5, 0.0, X)
    found = [
        search(criterion=criterion, fit_intercept=fit_intercept).fit(kind(X), with_holes(Y))
        for kind in (np.asarray, scipy.sparse.csr_matrix)
    ]
    scores = [model.cv_results_["log_loss"] for model in found]
    np.testing.assert_allclose(scores[1], scores[0], rtol=SCORED)
    assert points(found[1].cv_results_) == points(found[0].cv_results_)


@every_criterion
@pytest.mark.parametrize(
    "kind",
    ["lists", "text", "pandas", "nullable", "string", "category", "mixed", "sparse", "missing"],
)
def test_labels_and_tables_of_every_kind_give_the_same_choice(criterion, kind, rng):
    X, Y = binary(n=40)
    names = np.where(Y > 0, "yes", "no")
    reversed_rows = np.arange(40)[::-1]
    frame = pd.DataFrame(names, columns=list("abc"), index=reversed_rows)
    Z, labels, params = {
        "lists": (X.tolist(), Y.tolist(), {}),
        "text": (X, names, {}),
        "pandas": (pd.DataFrame(X, columns=list("uvw")), frame, {}),
        "nullable": (X, pd.DataFrame(Y).astype("Int64"), {}),
        "string": (X, frame.astype("string"), {}),
        "category": (X, frame.astype("category"), {}),
        "mixed": (X, pd.DataFrame({"a": Y[:, 0].astype(int), "b": names[:, 1],
                                   "c": Y[:, 2] > 0}), {}),
        "sparse": (scipy.sparse.csr_array(X), Y, {}),
        "missing": (X, np.where(rng.random(Y.shape) < 0, -1, Y).astype(int),
                    {"missing_label": -1}),
    }[kind]  # fmt: skip
    expected = search(criterion=criterion).fit(X, Y)
    model = search(criterion=criterion, **params).fit(Z, labels)
    np.testing.assert_allclose(
        model.cv_results_["log_loss"], expected.cv_results_["log_loss"], rtol=1e-6
    )


@pytest.mark.parametrize("solver", ["auto", "irls", "newton-cg"])
@every_criterion
def test_a_search_on_a_device_makes_the_same_choice(criterion, solver, fake_gpu):
    """Regression: exact steps left the solution on the host, the labels held out on the device."""
    X, Y = binary()
    few = {"alphas_shared": [1.0, np.inf], "alphas_specific": [2.0], "cv": 2}
    few = few if criterion == "cv" else {**few, "cv": None}
    here = search(criterion=criterion, solver=solver, device="cpu", **few).fit(X, Y)
    there = search(criterion=criterion, solver=solver, **few).fit(X, Y)
    assert_close(there.cv_results_["log_loss"], here.cv_results_["log_loss"], rtol=1e-4)


@pytest.mark.parametrize("solver", ["auto", "irls"])
def test_folds_whose_parts_lie_in_two_places_are_scored(solver, monkeypatch):
    """Regression: "auto" took the larger part to the GPU and left the smaller one."""
    from conftest import strict_place

    from skmtl import _backend

    X, Y = binary()
    few = {"alphas_shared": [1.0, np.inf], "alphas_specific": [2.0], "cv": 3}
    here = search(solver=solver, **few).fit(X, Y)
    resolve = _backend.resolve_device
    monkeypatch.setattr(
        _backend,
        "resolve_device",
        lambda device, X, work=0.0: strict_place() if len(X) > 20 else resolve(device, X, work),
    )
    there = search(solver=solver, **few).fit(X, Y)
    assert_close(there.cv_results_["log_loss"], here.cv_results_["log_loss"], rtol=1e-4)


# odd data


@every_criterion
def test_data_of_one_class_choose_and_predict_it(criterion, rng):
    X = rng.normal(size=(20, 2))
    model = search(criterion=criterion).fit(X, np.ones((20, 2)))
    assert model.best_score_ == 0.0
    assert (model.predict(X) == 1).all()


def test_one_row_is_too_few():
    X, Y = binary()
    with pytest.raises(ValueError, match="at least 2 samples with a label"):
        search().fit(X[:1], Y[:1])
    with pytest.raises(ValueError, match="at least 2 samples with a label"):
        search().fit(X, Y, np.eye(40)[0])


@every_criterion
def test_two_rows_are_enough(criterion):
    X, _ = binary(n=2)
    assert np.isfinite(search(criterion=criterion).fit(X, [[0, 1], [1, 0]]).best_score_)


@every_criterion
def test_separable_data_and_tiny_penalties_in_the_grid_end_without_a_word(criterion, rng):
    """What the path finds at penalties that are not chosen is nobody's concern."""
    X = rng.normal(size=(40, 3))
    Y = (X[:, :2] + 0.5 * rng.logistic(size=(40, 2)) > 0).astype(float)
    Y[:, 0] = X[:, 0] > 0
    grid = {"alphas_shared": [1e-12, 1.0, 30.0], "alphas_specific": [1e-12, 1.0, 30.0],
            "alphas_intercept": [1e-9, 1.0, 30.0]}  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = search(criterion=criterion, **grid).fit(X, Y)
    assert np.isfinite(model.cv_results_["log_loss"]).all()
    assert not any("stopped" in str(w.message) for w in caught)
    separated = [w for w in caught if issubclass(w.category, ConvergenceWarning)]
    assert len(separated) == (1e-12 in (model.alpha_shared_, model.alpha_specific_))


@every_sample
@every_criterion
def test_the_unit_and_origin_of_the_features_do_not_matter(sample, criterion):
    X, Y = sample(n=40)
    expected = search(criterion=criterion).fit(X, Y).cv_results_["log_loss"]
    scaled = {
        "alphas_shared": 1e16 * np.array(GRID["alphas_shared"]),
        "alphas_specific": 1e16 * np.array(GRID["alphas_specific"]),
    }
    model = search(criterion=criterion, **scaled).fit(1e8 * X, Y)
    assert_close(model.cv_results_["log_loss"], expected, rtol=1e-3)
    model = search(criterion=criterion).fit(X + 1e6, Y)
    assert_close(model.cv_results_["log_loss"], expected, rtol=1e-3)


def test_the_score_held_out_is_that_of_our_metric():
    X, Y = binary(n=45)
    splits = list(ShuffleSplit(1, test_size=0.4, random_state=0).split(X))
    (train, test), = splits  # fmt: skip
    grid = {"alphas_shared": [1.0], "alphas_specific": [2.0], "alphas_intercept": [0.5]}
    model = search(cv=splits, per_task=True, **grid).fit(X, Y)
    plain = MultiTaskLogisticRegression(1.0, 2.0, alpha_intercept=0.5).fit(X[train], Y[train])
    P = plain.predict_proba(X[test])
    assert -model.best_score_ == pytest.approx(multitask_log_loss(Y[test], P), rel=SCORED)
    assert len(class_sets(Y)) == 3
