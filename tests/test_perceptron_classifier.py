"""MultiTaskPerceptronClassifier: models that it equals, its losses, classes in several batches."""

import warnings
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from _properties import assert_close
from _samplers import as_long, frequencies, long_queries, with_holes
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, LinearSVC

from skmtl import MultiTaskLogisticRegression, _backend
from skmtl._backend import NUMPY, to_numpy, to_place
from skmtl._data import wide_data
from skmtl.balancing import BALANCERS
from skmtl.losses import Hinge, SquaredHinge
from skmtl.neural_network import MultiTaskPerceptronClassifier
from skmtl.neural_network._criteria import CLASSIFICATION, OneAgainstRest, Softmax
from skmtl.neural_network._perceptron_classifier import entropies
from skmtl.neural_network._rows import WideRows

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
EXACT = {"hidden_layer_sizes": (), "solver": "lbfgs", "tol": 1e-11, "max_iter": 2000}
EXACT |= {"random_state": 0, "standardize": False}
# L-BFGS stops where the objective no longer changes: coefficients are good to its square root
ROOT = 2e-6
SMALL = {"hidden_layer_sizes": (8,), "random_state": 0, "max_iter": 5}
KINDS = {"binary": [[0], [0.5], [-0.5]], "mixed": [[0], [-1, 1], [-1, 0, 1]]}
every_kind = pytest.mark.parametrize("kind", KINDS)


def sample(kind, n=120, p=4, seed=0, holes=True):
    """(X, Y): classes are ranges of linear functions of X, which has a mean."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    W = rng.normal(size=p) + 0.5 * rng.normal(size=(3, p))
    Z = X @ W.T / 2 + 0.3 * rng.normal(size=(n, 3))
    Y = np.column_stack([np.digitize(z, e) for z, e in zip(Z.T, KINDS[kind], strict=True)])
    return X + 1, with_holes(Y.astype(float)) if holes else Y.astype(float)


def stacked(parts):
    """Numbers of all arrays of a list, or of the rows of an array, one after the other."""
    return np.concatenate([np.ravel(part) for part in parts])


# models that it equals


@every_kind
@pytest.mark.parametrize("alphas", [(0.5, 2.0), (np.inf, 1.0), (1.0, np.inf)])
def test_without_hidden_layer_it_is_the_logistic_regression(kind, alphas):
    X, Y = sample(kind)
    weight = frequencies(len(X)) + 0.5
    peer = MultiTaskLogisticRegression(*alphas, tol=1e-10).fit(X, Y, weight)
    model = MultiTaskPerceptronClassifier(
        alpha_shared=alphas[0], alpha_specific=alphas[1], **EXACT
    ).fit(X, Y, weight)
    assert_close(stacked(model.heads_), stacked(peer.coef_), rtol=ROOT)
    assert_close(stacked(model.intercept_), stacked(peer.intercept_), rtol=ROOT)
    assert_close(model.shared_head_, peer.shared_coef_, rtol=ROOT)
    assert_close(model.shared_intercept_, peer.shared_intercept_, rtol=ROOT)
    for mine, theirs in zip(model.predict_proba(X), peer.predict_proba(X), strict=True):
        assert_close(mine, theirs, rtol=ROOT)


@every_kind
def test_penalties_of_standardised_features_are_those_of_the_logistic_regression(kind):
    X, Y = sample(kind)
    X, weight = X * np.logspace(-3, 3, 4), frequencies(len(X)) + 0.5
    peer = MultiTaskLogisticRegression(0.5, 2.0, standardize=True, tol=1e-10).fit(X, Y, weight)
    options = EXACT | {"standardize": True, "alpha_shared": 0.5, "alpha_specific": 2.0}
    model = MultiTaskPerceptronClassifier(**options).fit(X, Y, weight)
    for mine, theirs in zip(model.predict_proba(X), peer.predict_proba(X), strict=True):
        assert_close(mine, theirs, rtol=ROOT)


@every_kind
@pytest.mark.parametrize(
    "params", [{"class_weight": "balanced"}, {"task_weight": "balanced"}, {"missing_label": "?"}]
)
def test_it_is_the_logistic_regression_under_weights_and_with_classes_of_text(kind, params):
    X, Y = sample(kind)
    text = np.array(["low", "high", "mid", "top"])[np.nan_to_num(Y).astype(int)]
    text = np.where(np.isnan(Y), "?", text) if "missing_label" in params else Y
    peer = MultiTaskLogisticRegression(tol=1e-10, **params).fit(X, text)
    model = MultiTaskPerceptronClassifier(**EXACT, **params).fit(X, text)
    np.testing.assert_array_equal(model.predict(X), peer.predict(X))
    for mine, theirs in zip(model.classes_, peer.classes_, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert_close(stacked(model.heads_), stacked(peer.coef_), rtol=ROOT)


@every_kind
def test_long_data_and_unseen_tasks_are_those_of_the_logistic_regression(kind):
    X, Y = sample(kind)
    table, y = as_long(X, Y)
    options = {"task_column": -1, "unknown_task": "shared"}
    peer = MultiTaskLogisticRegression(tol=1e-10, **options).fit(table, y)
    model = MultiTaskPerceptronClassifier(**EXACT, **options).fit(table, y)
    queries = long_queries(X, 4)  # a fourth task, which fit did not see
    assert_close(model.predict_proba(queries), peer.predict_proba(queries), rtol=ROOT)
    np.testing.assert_array_equal(model.predict(queries), peer.predict(queries))


@every_kind
def test_tasks_without_labels_or_with_one_class_are_those_of_the_logistic_regression(kind):
    X, Y = sample(kind)
    Y = np.column_stack([Y, np.full(len(X), np.nan), np.where(X[:, 0] > 1, 1.0, np.nan)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        peer = MultiTaskLogisticRegression(tol=1e-10).fit(X, Y)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = MultiTaskPerceptronClassifier(**EXACT).fit(X, Y)
    assert ["no label" in str(w.message) or "one class" in str(w.message) for w in caught] == [
        True
    ] * 2
    assert {w.filename for w in caught} == {__file__}
    for mine, theirs in zip(model.predict_proba(X), peer.predict_proba(X), strict=True):
        assert_close(mine, theirs, rtol=ROOT)
    assert np.isnan(model.loss_curve_[:, 3:]).all()
    assert_close(model.task_weights_, peer.task_weights_)


def test_nothing_to_learn_is_no_error():
    X, _ = sample("binary")
    with pytest.warns(UserWarning, match="one class only"):
        model = MultiTaskPerceptronClassifier(**SMALL).fit(X, np.ones((len(X), 2), int))
    assert (model.predict(X) == 1).all()
    assert model.hidden_representation(X).shape == (len(X), 8)
    assert model.loss_curve_.shape == (0, 2) and model.n_iter_ == 1


@pytest.mark.parametrize("solver, rate", [("adam", 1e-2), ("sgd", 1e-1), ("lbfgs", 1e-3)])
@pytest.mark.parametrize("edges", [[0], [-1, 1]], ids=["binary", "three-classes"])
def test_one_task_is_scikit_learns_perceptron(edges, solver, rate):
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = np.digitize(X[:, 0] + 0.5 * X[:, 1] ** 2 - 0.3, edges)
    common = {
        "hidden_layer_sizes": (6, 3),
        "activation": "tanh",
        "solver": solver,
        "random_state": 3,
        "max_iter": 10,
        "alpha": 0.1,
        "batch_size": 60,
        "learning_rate_init": rate,
    }
    own = {"alpha_shared": 0.1, "alpha_specific": np.inf, "standardize": False}
    model = MultiTaskPerceptronClassifier(**own, **common)
    peer = MLPClassifier(**common).fit(X, y)
    assert_close(model.fit(X, y).predict_proba(X), peer.predict_proba(X))
    np.testing.assert_array_equal(model.predict(X), peer.predict(X))


def test_hinge_is_the_support_vector_machine():
    """SVC's optimum, which Adam comes near: the same objective to a percent."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    y = (X @ [1.0, -1.0, 0.5] + 0.7 * rng.normal(size=100) > 0).astype(int)
    peer = SVC(kernel="linear", C=0.5).fit(X, y)
    model = MultiTaskPerceptronClassifier(
        (), loss="hinge", alpha_shared=4.0, alpha_specific=4.0, standardize=False
    )
    model.set_params(max_iter=800, tol=0, n_iter_no_change=np.inf, random_state=0)
    model.set_params(learning_rate_init=0.01).fit(X, y)

    def objective(w, b):
        return np.maximum(0, 1 - (2 * y - 1) * (X @ w + b)).sum() + w @ w / (2 * 0.5)

    best = objective(peer.coef_[0], peer.intercept_[0])
    assert best <= objective(model.heads_[0], model.intercept_[0]) < 1.01 * best
    assert (model.predict(X) == peer.predict(X)).mean() > 0.98


@pytest.mark.parametrize("alphas", [(0.5, 2.0), (np.inf, 1.0)])
def test_the_squared_hinge_is_a_support_vector_machine_on_shared_and_own_features(alphas):
    """LinearSVC penalises its intercept: mirrored rows, with which both have none."""
    X, Y = sample("binary", holes=False)
    X, Y = np.concatenate([X, -X]), np.concatenate([Y, 1 - Y])
    table, y = as_long(X, Y)
    own = np.eye(3)[table[:, -1].astype(int)]
    scaled = [table[:, :-1] / np.sqrt(alphas[0])]
    scaled += [table[:, :-1] * column[:, None] / np.sqrt(alphas[1]) for column in own.T]
    peer = LinearSVC(fit_intercept=False, tol=1e-10, max_iter=100_000)
    W = peer.fit(np.hstack(scaled), y).coef_.reshape(4, -1)
    expected = W[0] / np.sqrt(alphas[0]) + W[1:] / np.sqrt(alphas[1])
    model = MultiTaskPerceptronClassifier(
        loss="squared_hinge", alpha_shared=alphas[0], alpha_specific=alphas[1], **EXACT
    ).fit(X, Y)
    assert_close(model.heads_, expected, rtol=ROOT)
    assert_close(model.intercept_, np.zeros(3), rtol=ROOT)


def test_the_squared_hinge_of_classes_is_one_against_the_rest():
    X, Y = sample("mixed", holes=False)
    model = MultiTaskPerceptronClassifier(loss="squared_hinge", alpha_shared=np.inf, **EXACT)
    heads = clone(model).fit(X, Y).heads_[2]
    for k, head in enumerate(heads):
        alone = clone(model).fit(X, (Y[:, 2] == k).astype(int))
        assert_close(head, alone.heads_[0], rtol=ROOT)


# losses of several classes


HINGES = [partial(OneAgainstRest, loss=loss) for loss in (Hinge(), SquaredHinge())]


@pytest.mark.parametrize("criterion", [Softmax, *HINGES], ids=["softmax", "hinge", "squared"])
@pytest.mark.parametrize("sizes", [(3, 2, 4, 2), (3, 3, 3, 3)], ids=["mixed", "alike"])
def test_losses_of_classes_have_their_derivatives(criterion, sizes, xp_place):
    rng = np.random.default_rng(0)
    criterion, n, K = criterion(sizes), 5, sum(sizes)
    labels = np.column_stack([rng.integers(0, size, n) for size in sizes]).astype(float)
    V, Z = rng.uniform(size=(n, 4)), rng.normal(size=(n, K))
    V[0, 1] = 0

    def losses(Z, place=NUMPY):
        arrays = (to_place(a, place) for a in (np.zeros((n, 0)), labels, V))
        rows = WideRows(*arrays, V.sum(axis=1))
        return criterion.weighted(rows, to_place(Z, place)), rows

    (E, R), rows = losses(Z, xp_place.place)
    assert E.shape == (n, 4) and R.shape == (n, K)
    numeric = np.zeros((n, K))
    for cell in np.ndindex(n, K):
        step = np.zeros((n, K))
        step[cell] = 1e-6
        numeric[cell] = (losses(Z + step)[0][0] - losses(Z - step)[0][0]).sum() / 2e-6
    np.testing.assert_allclose(to_numpy(R), numeric, atol=1e-8)
    start = np.cumsum([0, *sizes])
    best = [Z[:, a:b].argmax(axis=1) for a, b in pairwise(start)]
    hits = criterion.hits(rows, to_place(Z, xp_place.place))
    np.testing.assert_array_equal(to_numpy(hits), np.column_stack(best) == labels)


def test_softmax_is_minus_the_log_of_the_probability():
    Z, labels = np.log([[0.2, 0.3, 0.5, 0.9, 0.1]]), np.array([[2.0, 0.0]])
    rows = WideRows(np.zeros((1, 0)), labels, np.array([[1.0, 2.0]]), np.array([3.0]))
    E, _ = Softmax([3, 2]).weighted(rows, Z)
    np.testing.assert_allclose(E, -np.log([[0.5, 0.9**2]]), rtol=1e-12)


def test_entropies_are_losses_of_the_frequencies():
    Y = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, np.nan]])
    data = wide_data(np.zeros((4, 1)), Y, np.array([1.0, 1.0, 1.0, 2.0]))[0]
    expected = [-(0.2 * np.log(0.2) + 0.8 * np.log(0.8)), np.log(3)]
    np.testing.assert_allclose(entropies(data), expected, rtol=1e-12)


# training


@every_kind
@pytest.mark.parametrize("loss", CLASSIFICATION)
@pytest.mark.parametrize("long", [False, True], ids=["wide", "long"])
def test_it_learns_what_lines_cannot_tell_apart(kind, loss, long):
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, size=(300, 2))
    Z = np.column_stack([X[:, 0] * X[:, 1], (X**2).sum(axis=1) - 2, X[:, 0] * X[:, 1] - 0.5])
    Y = np.column_stack([np.digitize(z, e) for z, e in zip(Z.T, KINDS[kind], strict=True)])
    X, y = as_long(X, Y.astype(float)) if long else (X, with_holes(Y.astype(float)))
    model = MultiTaskPerceptronClassifier(
        (40,),
        loss=loss,
        alpha_shared=0.01,
        alpha_specific=0.01,
        learning_rate_init=0.02,
        batch_size=100,
        max_iter=60,
        task_column=-1 if long else None,
        random_state=0,
    ).fit(X, y)
    assert model.score(X, y) > 0.9


@pytest.mark.slow
@every_kind
@pytest.mark.parametrize("name", BALANCERS)
def test_every_balancer_trains(kind, name):
    X, Y = sample(kind)
    for gramian in ("features", "exact"):
        model = MultiTaskPerceptronClassifier(
            (10,), balancer=name, gramian=gramian, batch_size=40, max_iter=40, random_state=0
        ).set_params(learning_rate_init=0.02)
        model.fit(X, Y)
        assert model.score(X, Y) > 0.65
        assert np.isfinite(model.task_weights_path_).all()


@every_kind
@pytest.mark.parametrize("loss", CLASSIFICATION)
def test_arrays_of_another_library_give_the_same_training(kind, loss, xp_place):
    X, Y = sample(kind)
    model = MultiTaskPerceptronClassifier(
        loss=loss, batch_size=50, balancer="mgda", gramian="exact", early_stopping=True, **SMALL
    )
    plain, there = clone(model).fit(X, Y), model.fit(xp_place(X), xp_place(Y))
    np.testing.assert_array_equal(_backend.to_numpy(there.predict(xp_place(X))), plain.predict(X))
    for name in ("loss_curve_", "validation_scores_", "task_weights_path_"):
        assert_close(_backend.to_numpy(getattr(there, name)), getattr(plain, name))


@every_kind
def test_sparse_features_give_the_dense_model(kind):
    X, Y = sample(kind)
    X = X * (X > 1)
    table, y = as_long(X, Y)
    for hidden in ((6,), ()):
        for features, labels, column in ((X, Y, None), (table, y, -1)):
            model = MultiTaskPerceptronClassifier(hidden, task_column=column, random_state=0)
            model.set_params(max_iter=5)
            dense = clone(model).fit(features, labels).predict_proba(features)
            sparse = model.fit(csr_array(features), labels).predict_proba(csr_array(features))
            assert_close(stacked(sparse), stacked(dense))


@every_kind
def test_early_stopping_keeps_the_parameters_of_the_best_accuracy(kind):
    X, Y = sample(kind, n=300)
    model = MultiTaskPerceptronClassifier(
        (20,),
        early_stopping=True,
        validation_fraction=0.3,
        learning_rate_init=0.05,
        max_iter=300,
        random_state=0,
    ).fit(X, Y)
    scores = model.validation_scores_
    assert ((0 <= scores) & (scores <= 1)).all()
    assert len(scores) == model.n_iter_ < 300
    best = clone(model).set_params(max_iter=int(np.argmax(scores)) + 1).fit(X, Y)
    np.testing.assert_array_equal(stacked(best.heads_), stacked(model.heads_))


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_probabilities_are_not_for_the_hinges(loss):
    X, Y = sample("binary")
    model = MultiTaskPerceptronClassifier(loss=loss, **SMALL).fit(X, Y)
    for method in ("predict_proba", "predict_log_proba"):
        assert not hasattr(model, method)
        with pytest.raises(AttributeError, match=f"has no attribute {method!r}"):
            getattr(model, method)(X)


def test_lbfgs_is_not_for_the_hinge_and_other_losses_are_refused():
    X, Y = sample("binary")
    with pytest.raises(ValueError, match="loss='hinge' needs solver='adam' or 'sgd'"):
        MultiTaskPerceptronClassifier(loss="hinge", solver="lbfgs").fit(X, Y)
    with pytest.raises(ValueError, match=r"loss must be one of \['log_loss', 'hinge', .*\]"):
        MultiTaskPerceptronClassifier(loss="squared_error").fit(X, Y)


# trainings in pieces


@every_kind
def test_partial_fits_on_the_same_rows_are_the_epochs_of_a_fit(kind):
    X, Y = sample(kind)
    fitted = MultiTaskPerceptronClassifier(**SMALL).fit(X, Y)
    named = MultiTaskPerceptronClassifier(**SMALL)
    plain = clone(named)
    for _ in range(5):
        plain.partial_fit(X, Y)
        named.partial_fit(X, Y, classes=[np.unique(y[~np.isnan(y)]) for y in Y.T])
    for pieces in (plain, named):
        np.testing.assert_array_equal(stacked(pieces.heads_), stacked(fitted.heads_))
        np.testing.assert_array_equal(pieces.predict(X), fitted.predict(X))


def test_classes_are_those_of_the_first_call():
    X, Y = sample("mixed", holes=False)
    few = Y[:, 2] < 2
    model = MultiTaskPerceptronClassifier(**SMALL).partial_fit(X[few], Y[few])
    with pytest.raises(ValueError, match=r"task 2 has the class .*none of its classes, \[0.0, 1.0"):
        model.partial_fit(X, Y)
    model = MultiTaskPerceptronClassifier(**SMALL)
    model.partial_fit(X[few], Y[few], classes=[[0, 1], [0, 1, 2], [0, 1, 2, 3]])
    model.partial_fit(X, Y)
    assert [len(c) for c in model.classes_] == [2, 3, 4]
    same = MultiTaskPerceptronClassifier(**SMALL).partial_fit(X[few], Y[few], classes=range(4))
    assert [len(c) for c in same.classes_] == [4, 4, 4]


@pytest.mark.parametrize(
    "classes, error, message",
    [
        ([[0, 1], [0, 1]], ValueError, "one for each of the 3 tasks, got 2"),
        ([0], ValueError, "two classes or more for task 0"),
        ([[0, 1], [0, 1], []], ValueError, "two classes or more for task 2"),
        ([0, 1, np.nan], ValueError, "classes must not name a missing label"),
        (2, TypeError, "classes must be one list of classes or one for each task, got 2"),
        ([[0, 1], 2, [0, 1]], TypeError, "classes must be one list of classes or one for each"),
    ],
)
def test_it_refuses_classes(classes, error, message):
    with pytest.raises(error, match=message):
        MultiTaskPerceptronClassifier(**SMALL).partial_fit(*sample("binary"), classes=classes)


def test_a_task_takes_part_from_the_batch_that_has_its_second_class():
    X, Y = sample("binary", holes=False)
    first = Y[:, 0] == 1
    model = MultiTaskPerceptronClassifier(**SMALL)
    with pytest.warns(UserWarning, match="task 0 has labels of one class only"):
        model.partial_fit(X[first], Y[first])
    assert (model.predict(X)[:, 0] == 1).all()
    assert np.isnan(model.loss_curve_[0, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(X, Y)
    assert np.isfinite(model.loss_curve_[1]).all()
    assert set(model.predict(X)[:, 0]) <= {0, 1}


def test_new_tasks_have_the_classes_of_most():
    table, y = as_long(*sample("binary", holes=False))
    model = MultiTaskPerceptronClassifier(task_column=-1, **SMALL)
    some = table[:, -1] != 1
    model.partial_fit(table[some], y[some]).partial_fit(table, y)
    assert model.tasks_ == [0.0, 1.0, 2.0]
    assert np.isfinite(model.predict_proba(table)).all()
    with pytest.raises(ValueError, match=r"task 1.0 has the class 7.0"):
        model.partial_fit(table, np.where(table[:, -1] == 1, 7.0, y))


def test_new_tasks_have_the_classes_that_most_were_said_to_have():
    X, Y = sample("binary", holes=False)
    model = MultiTaskPerceptronClassifier(task_column=-1, **SMALL)
    model.partial_fit(*as_long(X, Y), classes=[[0, 1, 2], [0, 1], [0, 1]])
    new = np.column_stack([X, np.full(len(X), 3.0)])
    P = model.partial_fit(new, Y[:, 0]).predict_proba(new)
    assert P.shape[1] == 3 and not P[:, 2].any()


@every_kind
def test_a_warm_start_goes_on_with_the_classes_there_are(kind):
    X, Y = sample(kind)
    whole = MultiTaskPerceptronClassifier(**SMALL | {"max_iter": 10}).fit(X, Y)
    halves = MultiTaskPerceptronClassifier(warm_start=True, **SMALL).fit(X, Y).fit(X, Y)
    np.testing.assert_array_equal(stacked(halves.heads_), stacked(whole.heads_))
    with pytest.raises(ValueError, match=r"task 0 has the class 9.0, .*fit anew"):
        halves.fit(X, np.where(Y == 1, 9.0, Y))


@pytest.mark.filterwarnings("ignore")
def test_a_training_of_labels_of_one_class_can_go_on(rng):
    X, y = rng.normal(size=(6, 2)), np.ones(6, dtype=int)
    model = MultiTaskPerceptronClassifier((3,), max_iter=2, warm_start=True).fit(X, y)
    np.testing.assert_array_equal(model.fit(X, y).predict(X), y)
