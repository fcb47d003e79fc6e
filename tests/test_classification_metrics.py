import functools
import pickle
import warnings

import array_api_strict
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.metrics as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning, UndefinedMetricWarning
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skmtl import metrics
from skmtl.metrics import make_multitask_scorer
from skmtl.metrics._scorer import METRICS

OF_LABELS = {
    metrics.multitask_accuracy_score: theirs.accuracy_score,
    metrics.multitask_balanced_accuracy_score: theirs.balanced_accuracy_score,
}
RANKING = {
    metrics.multitask_roc_auc_score: theirs.roc_auc_score,
    metrics.multitask_average_precision_score: theirs.average_precision_score,
}
LOSSES = {
    metrics.multitask_log_loss: theirs.log_loss,
    metrics.multitask_brier_score: theirs.brier_score_loss,
}
OF_SCORES = RANKING | LOSSES
NAMES = [name for name, entry in METRICS.items() if entry.options]
SETS = [[0, 1], [0, 1, 2], [0, 1]]  # classes of three tasks


def each(metrics, argument="metric"):
    return pytest.mark.parametrize(argument, metrics, ids=lambda metric: metric.__name__)


def softmax(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def complete(rng):
    """Labels of three tasks as floats, their predictions, and probabilities that know something."""
    Y = np.column_stack([rng.integers(len(known), size=60) for known in SETS]).astype(float)
    Z = np.column_stack([rng.integers(len(known), size=60) for known in SETS]).astype(float)
    Z = np.where(rng.random(Y.shape) < 0.5, Y, Z)
    P = [
        softmax(rng.normal(size=(60, len(known))) + np.eye(len(known))[y.astype(int)])
        for known, y in zip(SETS, Y.T, strict=True)
    ]
    return Y, Z, P


@pytest.fixture
def holes(rng, complete):
    """The same with labels missing, a different number in each task."""
    Y, Z, P = complete
    return np.where(rng.random(Y.shape) < [0.1, 0.3, 0.6], np.nan, Y), Z, P


def by_hand(metric, y, response, weight=None, known=None):
    """scikit-learn's value on one task's observed labels; one class against the rest if many."""
    if metric in OF_LABELS:
        return OF_LABELS[metric](y, response, sample_weight=weight)
    if metric in LOSSES:
        return LOSSES[metric](y, response, sample_weight=weight, labels=known)
    if response.shape[1] == 2:
        return RANKING[metric](y, response[:, 1], sample_weight=weight)
    return np.mean(
        [RANKING[metric](y == c, response[:, k], sample_weight=weight) for k, c in enumerate(known)]
    )


def response_of(metric, Z, P):
    return Z if metric in OF_LABELS else P


def expected(metric, Y, Z, P, S=None, sets=SETS):
    """Value of each task by hand."""
    values = []
    for t, known in enumerate(sets):
        seen = ~np.isnan(Y[:, t])
        response = (Z[:, t] if metric in OF_LABELS else P[t])[seen]
        weight = None if S is None else S[seen, t]
        values.append(by_hand(metric, Y[seen, t].astype(int), response, weight, known))
    return np.array(values)


every_metric = each([*OF_LABELS, *OF_SCORES])
every_score = each(OF_SCORES)


@every_metric
@pytest.mark.parametrize("weighted", [False, True])
def test_complete_labels_give_scikit_learns_values(metric, weighted, complete, rng):
    Y, Z, P = complete
    weight = rng.random(60) if weighted else None
    S = None if weight is None else np.tile(weight[:, None], 3)
    raw = metric(Y, response_of(metric, Z, P), sample_weight=weight, multioutput="raw_values")
    np.testing.assert_allclose(raw, expected(metric, Y, Z, P, S), rtol=1e-12)


@every_metric
def test_missing_labels_equal_dropped_labels(metric, holes, rng):
    Y, Z, P = holes
    S = rng.random(Y.shape) + 0.1
    for weight in (None, S):
        options = {"sample_weight": weight, "classes": SETS}
        if metric in OF_LABELS:
            del options["classes"]
        raw = metric(Y, response_of(metric, Z, P), multioutput="raw_values", **options)
        np.testing.assert_allclose(raw, expected(metric, Y, Z, P, weight), rtol=1e-12)
        mean = metric(Y, response_of(metric, Z, P), **options)
        assert mean == pytest.approx(raw.mean(), rel=1e-12)
        by_size = metric(Y, response_of(metric, Z, P), multioutput=[1, 0, 3], **options)
        assert by_size == pytest.approx((raw[0] + 3 * raw[2]) / 4, rel=1e-12)


@every_metric
def test_predictions_at_missing_labels_do_not_matter(metric, holes):
    Y, Z, P = holes
    gone = np.isnan(Y)
    Z_gone = np.where(gone, np.nan, Z)
    P_gone = [np.where(gone[:, [t]], np.nan, p) for t, p in enumerate(P)]
    assert metric(Y, response_of(metric, Z_gone, P_gone)) == metric(Y, response_of(metric, Z, P))


@every_metric
def test_weights_equal_repeated_rows(metric, holes, rng):
    Y, Z, P = holes
    weight = rng.integers(0, 3, len(Y))
    rows = np.repeat(np.arange(len(Y)), weight)
    np.testing.assert_allclose(
        metric(Y, response_of(metric, Z, P), sample_weight=weight, multioutput="raw_values"),
        metric(
            Y[rows], response_of(metric, Z[rows], [p[rows] for p in P]), multioutput="raw_values"
        ),
        rtol=1e-12,
    )


def long_form(Y, Z, P, n_classes):
    """Observed labels as shuffled long rows, probabilities over the union of the classes."""
    row, task = np.nonzero(~np.isnan(Y))
    mix = np.random.default_rng(1).permutation(len(row))
    row, task = row[mix], task[mix]
    union = np.zeros((len(row), n_classes))
    for i, (r, t) in enumerate(zip(row, task, strict=True)):
        union[i, : P[t].shape[1]] = P[t][r]
    return Y[row, task], Z[row, task], union, task


@every_metric
def test_long_labels_equal_wide_labels(metric, holes):
    Y, Z, P = holes
    y, z, union, task = long_form(Y, Z, P, 3)
    ids = np.array(["c", "a", "b"])[task]
    raw = metric(y, response_of(metric, z, union), task=ids, multioutput="raw_values")
    sets = [[0, 1, 2]] * 3  # a task of two classes is scored on three columns
    wide = [np.pad(p, [(0, 0), (0, 3 - p.shape[1])]) for p in P]
    if metric in RANKING:
        sets = [[0, 1] if len(known) == 2 else known for known in SETS]
    values = []
    for t in (1, 2, 0):
        seen = ~np.isnan(Y[:, t])
        truth = Y[seen, t].astype(int)
        if metric in RANKING:  # of the columns, those of the classes that are there
            values.append(np.mean([RANKING[metric](truth == c, wide[t][seen, c]) for c in sets[t]]))
        else:
            response = Z[seen, t] if metric in OF_LABELS else wide[t][seen]
            values.append(by_hand(metric, truth, response, known=sets[t]))
    np.testing.assert_allclose(raw, values, rtol=1e-12)


@every_score
def test_one_score_a_label_is_the_second_class(metric, rng):
    Y, P = rng.integers(2, size=(30, 2)), rng.random((30, 2))
    both = [np.column_stack([1 - p, p]) for p in P.T]
    by_columns = metric(Y, both, multioutput="raw_values")
    np.testing.assert_allclose(metric(Y, P, multioutput="raw_values"), by_columns, rtol=1e-12)
    one = metric(Y[:, 0], P[:, 0])
    for y, p in [
        (Y[:, 0], both[0]),
        (Y[:, [0]], P[:, [0]]),
        (Y[:, [0]], P[:, 0]),
        (Y[:, [0]], both[0]),
        (Y[:, 0], both[:1]),
    ]:
        assert metric(y, p) == pytest.approx(one, rel=1e-12)
    assert one == pytest.approx(by_columns[0], rel=1e-12)


@every_score
def test_two_rows_and_two_tasks_are_told_apart_by_the_shape_of_the_truth(metric):
    P = [[0.9, 0.1], [0.3, 0.7]]
    as_classes = metric([0, 1], P)  # rows of probabilities of two classes
    as_tasks = metric([[0, 0], [1, 1]], P, multioutput="raw_values")
    assert as_classes != as_tasks[0]


@each(RANKING)
def test_ranks_are_all_that_ranking_reads(metric, holes):
    Y, _, P = holes
    scores = [10 * np.log(p) - 3 for p in P]
    np.testing.assert_allclose(
        metric(Y, scores, multioutput="raw_values"), metric(Y, P, multioutput="raw_values")
    )


KINDS = {
    "int": (lambda c: int(c), -7),
    "float": (lambda c: c, np.nan),
    "str": (lambda c: "abc"[int(c)], None),
    "empty text is missing": (lambda c: "abc"[int(c)], ""),
    "bool": (lambda c: bool(c), None),
    "numpy text": (lambda c: np.str_("abc"[int(c)]), np.nan),
    "tuple": (lambda c: ("x", int(c)), None),
}


def relabelled(Y, kind, missing=None):
    name, gap = KINDS[kind]
    out = np.empty(Y.shape, dtype=object)
    for at, c in np.ndenumerate(Y):
        out[at] = (gap if missing is None else missing) if np.isnan(c) else name(c)
    return out, gap


@every_metric
@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_any_type_give_the_value_of_numbers(metric, kind, holes):
    Y, Z, P = holes
    if kind == "bool":
        Y, Z, P = Y[:, ::2], Z[:, ::2], P[::2]
    labels, gap = relabelled(Y, kind)
    response = relabelled(Z, kind)[0] if metric in OF_LABELS else P
    same = metric(Y, response_of(metric, Z, P), multioutput="raw_values")
    ours = metric(labels, response, missing_label=gap, multioutput="raw_values")
    np.testing.assert_allclose(ours, same, rtol=1e-12)


@every_metric
def test_containers_of_labels_give_the_value_of_arrays(metric, holes):
    Y, Z, P = holes
    response = response_of(metric, Z, P)
    same = metric(Y, response)
    frame = pd.DataFrame(Y)
    for labels in [
        frame,
        frame.astype("Int64"),
        frame.astype("Int64").astype(object),
        frame.astype("category"),
        pd.DataFrame({0: frame[0], 1: frame[1].astype("Int64"), 2: frame[2].astype("category")}),
        pl.DataFrame(Y, nan_to_null=True),
        [[None if v != v else int(v) for v in row] for row in Y],
        np.ma.masked_invalid(Y),
        array_api_strict.asarray(Y, device=array_api_strict.Device("device1")),
    ]:
        assert metric(labels, response) == pytest.approx(same, rel=1e-12)


@pytest.mark.parametrize(
    "wrap",
    [
        list,
        np.array,
        pd.Series,
        pd.Categorical,
        pl.Series,
        lambda y: pd.Series(y, dtype="string"),
        lambda y: pl.Series(y, dtype=pl.Categorical),
    ],
    ids=["list", "array", "pandas", "categorical", "polars", "string", "polars categorical"],
)
def test_text_in_any_container(wrap):
    y, z = ["b", "a", "b", "b"], np.array(["b", "b", "b", "a"])
    assert metrics.multitask_accuracy_score(wrap(y), z) == 0.5
    assert metrics.multitask_accuracy_score(z, wrap(y)) == 0.5
    assert metrics.multitask_roc_auc_score(wrap(y), [0.6, 0.5, 0.4, 0.9]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("absent", [None, np.nan, pd.NA, "?", -1], ids=str)
def test_any_value_may_mark_what_is_missing(absent):
    y = np.array([1, 0, absent, 1, None], dtype=object)
    assert metrics.multitask_accuracy_score(y, [1, 1, 1, 1, 0], missing_label=absent) == 2 / 3


def test_text_and_numbers_may_stand_in_one_frame():
    Y = pd.DataFrame({"a": ["x", "y", None], "b": pd.array([1, pd.NA, 2], dtype="Int64")})
    Z = pd.DataFrame({"a": ["x", "x", "x"], "b": [1, 2, 2]})
    raw = metrics.multitask_accuracy_score(Y, Z, multioutput="raw_values")
    assert raw.tolist() == [0.5, 1.0]
    P = [np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])] * 2
    loss = metrics.multitask_log_loss(Y, P, classes=[["x", "y"], [1, 2]], multioutput="raw_values")
    np.testing.assert_allclose(loss, -np.log([[0.9, 0.8], [0.9, 0.5]]).mean(axis=1))


@every_score
def test_containers_of_scores_give_the_value_of_arrays(metric, rng):
    Y, P = rng.integers(2, size=(20, 3)), rng.random((20, 3))
    device = array_api_strict.Device("device1")
    for scores in [
        P.tolist(),
        pd.DataFrame(P),
        pl.DataFrame(P),
        array_api_strict.asarray(P, device=device),
        [array_api_strict.asarray(np.column_stack([1 - p, p]), device=device) for p in P.T],
        [pd.DataFrame({"no": 1 - p, "yes": p}) for p in P.T],
    ]:
        assert metric(Y, scores) == pytest.approx(metric(Y, P), rel=1e-12)


@every_metric
def test_arguments_are_left_alone_and_may_be_read_only(metric, holes):
    Y, Z, P = holes
    arrays = [Y.copy(), Z.copy(), *(p.copy() for p in P)]
    for a in arrays:
        a.flags.writeable = False
    assert metric(arrays[0], response_of(metric, arrays[1], arrays[2:])) == metric(
        Y, response_of(metric, Z, P)
    )


@each(LOSSES)
def test_float32_probabilities_are_clipped_as_scikit_learn_clips_them(metric):
    y, p = np.array([0, 1, 1]), np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    assert metric(y, p) == pytest.approx(LOSSES[metric](y, p), rel=1e-6)  # theirs sums in float32


@each(OF_LABELS)
def test_accuracy_of_one_class_is_defined(metric):
    assert metric([[1, 0], [1, 0], [1, 1]], [[1, 0], [0, 0], [1, 0]], multioutput=[1, 0]) == 2 / 3
    assert metric([1, 1], [1, 1]) == 1.0


def test_a_class_that_training_did_not_see_is_an_error_of_accuracy():
    assert metrics.multitask_accuracy_score(["a", "c"], ["a", "a"]) == 0.5
    assert metrics.multitask_balanced_accuracy_score(["a", "a", "c"], ["a", "b", "a"]) == 0.25


@each(RANKING)
def test_tasks_of_one_class_have_no_rank_and_are_skipped(metric, complete):
    Y, _, P = complete
    Y = Y.copy()
    Y[:, 0] = 1.0
    for classes in (None, SETS):
        raw = metric(Y, P, classes=classes, multioutput="raw_values")
        assert np.isnan(raw).tolist() == [True, False, False]
        assert metric(Y, P, classes=classes) == pytest.approx(raw[1:].mean())
    with pytest.warns(UndefinedMetricWarning, match="No task"):
        assert np.isnan(metric(["a", "a"], [0.1, 0.2]))
    one = metric(["a", "b", "a"], [0.1, 0.2, 0.3], task=[0, 0, 1], multioutput="raw_values")
    assert np.isnan(one).tolist() == [False, True]


@each(LOSSES)
def test_losses_of_one_class_are_defined(metric, complete):
    _, _, P = complete
    value = metric(np.ones(60), P[0], classes=[0, 1])
    assert value == pytest.approx(LOSSES[metric](np.ones(60), P[0], labels=[0, 1]), rel=1e-12)
    assert metric(["a", "a"], [[1.0], [1.0]]) == pytest.approx(0.0, abs=1e-15)  # of the clipping


@each(LOSSES)
@pytest.mark.parametrize("pair", [[0, 1], [-1, 1], [False, True]], ids=str)
def test_one_label_of_a_common_pair_tells_of_both(metric, pair):
    p = np.array([0.2, 0.3])
    for label in pair:
        y = [label, label]
        assert metric(y, p) == metric(y, p, classes=pair)
        assert metric(y, np.column_stack([1 - p, p])) == metric(y, p)


@every_metric
def test_nothing_observed_warns_and_is_nan(metric):
    Y, response = np.full((3, 2), np.nan), np.full((3, 2), 0.5)
    if metric in OF_LABELS:
        response = np.zeros((3, 2))
    with pytest.warns(UndefinedMetricWarning, match="No task") as caught:
        assert np.isnan(metric(Y, response))
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(metric(Y, response, multioutput="raw_values")).all()
        assert np.isnan(metric([[0, None], [1, None]], response[:2], multioutput="raw_values")[1])


def test_a_label_of_no_column_has_probability_zero():
    y, P = ["a", "b", "c"], [[0.8, 0.2], [0.4, 0.6], [0.5, 0.5]]
    zero = np.finfo(float).eps
    loss = metrics.multitask_log_loss(y, P, classes=["a", "b"])
    assert loss == pytest.approx(-np.mean(np.log([0.8, 0.6, zero])))
    brier = metrics.multitask_brier_score(y, P, classes=["a", "b"])
    assert brier == pytest.approx((2 * 0.2**2 + 2 * 0.4**2 + 1.5) / 6)  # halved: two columns


def test_a_label_of_no_column_counts_as_the_rest_in_ranks():
    y, p = np.array([0, 1, 2, 1, 0]), np.array([0.1, 0.9, 0.95, 0.3, 0.2])
    for metric, reference in RANKING.items():
        assert metric(y, p, classes=[0, 1]) == pytest.approx(reference(y == 1, p))
    P = softmax(np.random.default_rng(0).normal(size=(5, 3)))
    y = np.array([0, 1, 2, 3, 3])
    constant = np.column_stack([P, np.zeros(5)])
    for metric, reference in RANKING.items():
        values = [reference(y == c, constant[:, c]) for c in range(4)]
        assert metric(y, P, classes=[0, 1, 2]) == pytest.approx(np.mean(values))


def test_a_model_of_one_class_ranks_by_chance():
    y = np.array([0, 0, 0, 1])
    for known in (0, 1):
        P = np.ones((4, 1))
        assert metrics.multitask_roc_auc_score(y, P, classes=[known]) == 0.5
        assert metrics.multitask_average_precision_score(y, P, classes=[known]) == 0.25
        for column in ([P], P, P[:, 0]):
            assert metrics.multitask_roc_auc_score(y[:, None], column, classes=[[known]]) == 0.5
            loss = metrics.multitask_brier_score(y[:, None], column, classes=[known])
            assert loss == np.mean(y != known)


def test_classes_say_what_columns_mean(complete):
    Y, _, P = complete
    flipped = [p[:, ::-1] for p in P]
    named = [known[::-1] for known in SETS]
    for metric in (*LOSSES, metrics.multitask_roc_auc_score):
        a = metric(Y, flipped, classes=named, multioutput="raw_values")
        np.testing.assert_allclose(a, metric(Y, P, multioutput="raw_values"), rtol=1e-12)
    for same in ([0, 1], np.array([0, 1]), pd.Series([0, 1], index=[5, 6]), [[0, 1], [0, 1]]):
        a = metrics.multitask_log_loss(Y[:, ::2], P[::2], classes=same)
        assert a == metrics.multitask_log_loss(Y[:, ::2], P[::2])


def test_probabilities_that_do_not_sum_to_one_bring_one_warning():
    P = [np.array([[0.5, 0.4], [0.1, 0.9]])] * 2
    for metric in LOSSES:
        with pytest.warns(UserWarning, match="y_prob does not sum to one") as caught:
            metric([[0, 0], [1, 1]], P)
        assert len(caught) == 1
        assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics.multitask_roc_auc_score([[0, 0], [1, 1]], P)
        metrics.multitask_log_loss([[None, 0], [1, 1]], [*P[:1], np.eye(2)])  # not observed


@given(
    st.integers(2, 25),
    st.lists(st.integers(2, 4), min_size=1, max_size=3),
    st.floats(0, 0.9),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_values_are_scikit_learns_whatever_is_missing(n, sizes, gaps, ties, seed):
    rng = np.random.default_rng(seed)
    sets = [list(range(k)) for k in sizes]
    Y = np.column_stack([rng.integers(k, size=n) for k in sizes]).astype(float)
    Y[rng.random(Y.shape) < gaps] = np.nan
    Z = np.column_stack([rng.integers(k, size=n) for k in sizes])
    P = [softmax(rng.normal(size=(n, k)).round(0 if ties else 8)) for k in sizes]
    S = rng.integers(0, 3, size=Y.shape).astype(float)
    seen = ~np.isnan(Y) & (S > 0)
    for metric in (*OF_LABELS, *OF_SCORES):
        options = {} if metric in OF_LABELS else {"classes": sets}
        raw = metric(
            Y,
            response_of(metric, Z, P),
            sample_weight=S,
            multioutput="raw_values",
            **options,
        )
        for t, known in enumerate(sets):
            y, s = Y[seen[:, t], t].astype(int), S[seen[:, t], t]
            present = np.unique(y)
            if len(y) == 0 or (metric in RANKING and len(present) < 2):
                assert np.isnan(raw[t])
                continue
            response = (Z[:, t] if metric in OF_LABELS else P[t])[seen[:, t]]
            if metric in RANKING and len(known) > 2:
                values = [RANKING[metric](y == c, response[:, c], sample_weight=s) for c in present]
                reference = np.mean(values)
            else:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of balanced accuracy: a class not in y
                    reference = by_hand(metric, y, response, s, known)
            assert raw[t] == pytest.approx(reference, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y_pred": np.zeros((4, 2))}, r"y_pred must have the shape of y_true, \(4, 3\)"),
        ({"y_pred": np.full((4, 3), np.nan)}, "y_pred must be finite .* nan in row 0, column 0"),
        ({"y_pred": np.full((4, 3), 0.5)}, "y_pred: .*continuous"),
        ({"y_true": np.full((4, 3), 0.5)}, "y_true: .*continuous"),
        ({"y_true": np.full((4, 3), np.inf)}, "y_true: .*infinity"),
        ({"y_true": np.zeros((4, 3, 1))}, "y_true: .*1-D or 2-D"),
        ({"y_true": np.empty((0, 3))}, "0 sample"),
        ({"y_pred": np.full((4, 3), "0")}, "y_true and y_pred must hold labels of one kind"),
        ({"y_true": np.full((4, 3), "0")}, "one kind, got '0' in y_true and 0.0 in y_pred"),
        ({"sample_weight": [1, 1, 1, -1]}, "sample_weight must be finite and >= 0, got -1"),
        ({"sample_weight": [1, 1]}, r"sample_weight must be of shape \(4,\) or \(4, 3\)"),
        ({"multioutput": "mean"}, "multioutput must be one of"),
        ({"multioutput": [1, 1]}, "multioutput must hold one finite weight >= 0 .* 3 tasks"),
        ({"task": [0, 0, 1, 1]}, "y_true must be 1-D where task ids are given, got 3 columns"),
    ],
)
@each(OF_LABELS)
def test_wrong_labels_are_named(metric, options, message):
    given = {"y_true": np.zeros((4, 3)), "y_pred": np.zeros((4, 3))} | options
    with pytest.raises(ValueError, match=message):
        metric(**given)


THREE = [[0, 1, 0], [1, 0, 1], [1, 1, 1], [0, 0, 0]]
PAIRS = [np.full((4, 2), 0.5)] * 3
HALF = np.full((4, 3), 0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y_prob": np.full((4, 2), 0.5)}, r"shape \(4, 3\), or a list of 3 arrays.*\(4, 2\)"),
        ({"y_prob": PAIRS[:2]}, r"list of 3 arrays .* got 2 arrays of shapes \[\(4, 2\)"),
        ({"y_prob": [p[:3] for p in PAIRS]}, r"list of 3 arrays \(4, n_classes\), got 3 arrays"),
        ({"y_prob": np.full((3, 4, 2), 0.5)}, r"got shape \(3, 4, 2\)"),
        ({"y_prob": np.full((4, 3), "a")}, "y_prob: could not convert"),
        ({"y_prob": HALF * np.nan}, "y_prob must be finite .* got nan in row 0 of task 0"),
        ({"y_prob": [*PAIRS[:2], PAIRS[0] * np.inf]}, "y_prob .* got inf in row 0 of task 2"),
        (
            {"y_prob": [*PAIRS[:2], np.full((4, 3), 1 / 3)]},
            "scores 3 classes of task 2, but .*0, 1",
        ),
        (
            {"classes": [0, 1, 2]},
            r"y_prob scores 2 classes of task 0, but its classes are \[0, 1, 2",
        ),
        ({"classes": [[0, 1]] * 2}, "list of 3 arrays, one a task; got 2"),
        ({"classes": [0, 0]}, r"classes must be distinct and at least one, got \[0, 0\]"),
        ({"classes": []}, r"classes must be distinct and at least one, got \[\]"),
        ({"classes": ["no", "yes"]}, "y_true and classes must hold labels of one kind.*'no'"),
        ({"y_true": np.full((4, 3), 0.5)}, "y_true: .*continuous"),
        ({"y_true": np.empty((0, 3))}, "0 sample"),
        ({"sample_weight": [1, 1, 1, np.nan]}, "sample_weight must be finite and >= 0, got nan"),
        ({"multioutput": [1, 1, -1]}, "multioutput must hold one finite weight >= 0"),
        ({"task": [0, 0, 1, 1]}, "y_true must be 1-D where task ids are given, got 3 columns"),
    ],
)
@every_score
def test_wrong_scores_are_named(metric, options, message):
    given = {"y_true": THREE, "y_prob": HALF} | options
    with pytest.raises(ValueError, match=message):
        metric(**given)


@every_score
def test_wrong_scores_of_long_data_are_named(metric):
    y, task = [0, 1, 2, 1], ["s", "s", "t", "t"]
    with pytest.raises(ValueError, match=r"shape \(4,\) or \(4, n_classes\), got shape \(3,\)"):
        metric(y, [0.1, 0.2, 0.3], task=task)
    with pytest.raises(ValueError, match=r"y_prob scores 2 classes, but its classes are \[0, 1, 2"):
        metric(y, [0.1, 0.2, 0.3, 0.4], task=task)
    for wrong in (
        {"missing_label": [-1]},
        {"missing_label": {-1}},
        {"classes": 3},
        {"classes": "abc"},
    ):
        (name,) = wrong
        with pytest.raises(TypeError, match=f"{name} must be .*label"):
            metric(y, np.full((4, 3), 1 / 3), task=task, **wrong)


@each(LOSSES)
def test_scores_that_are_no_probabilities_are_refused_by_losses(metric):
    for value in (1.5, -0.5):
        P = np.array([[0.5, value], [0.5, 0.5]])
        with pytest.raises(ValueError, match=rf"in \[0, 1\] .* got {value} in row 0 of task 1"):
            metric([[0, 0], [1, 1]], P)
    with pytest.raises(ValueError, match=r"classes of task 0, but its classes are \['a'\]"):
        metric([["a"], ["a"]], [[0.5], [0.5]])


# scorers


@pytest.fixture
def wide_data(rng):
    """Features and three binary tasks."""
    X = rng.normal(size=(80, 4))
    return X, (X[:, :3] + rng.normal(size=(80, 3)) > 0.3).astype(int)


WIDE = {
    "forest": RandomForestClassifier(5, max_depth=2, random_state=0),
    "neighbors": KNeighborsClassifier(5),
    "one a task": MultiOutputClassifier(LogisticRegression()),
    "chain": ClassifierChain(LogisticRegression()),
    "one against rest": OneVsRestClassifier(LogisticRegression()),
    "perceptron": MLPClassifier(5, max_iter=20, random_state=0),
    "pipeline": make_pipeline(StandardScaler(), KNeighborsClassifier(5)),
    "search": GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [5]}, cv=2, refit=True),
}


@pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", WIDE)
def test_scorer_of_wide_classifiers_is_the_mean_of_scikit_learns(name, model, wide_data):
    X, Y = wide_data
    model = WIDE[model].fit(X[:50], Y[:50])
    metric, sign = METRICS[name][:2]
    if metric in OF_LABELS:
        values = [
            OF_LABELS[metric](*p) for p in zip(Y[50:].T, model.predict(X[50:]).T, strict=True)
        ]
    else:
        P = model.predict_proba(X[50:])
        P = [p[:, 1] for p in P] if isinstance(P, list) else P.T
        values = [OF_SCORES[metric](*pair) for pair in zip(Y[50:].T, P, strict=True)]
    ours = make_multitask_scorer(name)(model, X[50:], Y[50:])
    assert ours == pytest.approx(sign * np.mean(values), rel=1e-10)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        LinearDiscriminantAnalysis(),
        DecisionTreeClassifier(max_depth=2),
        make_pipeline(StandardScaler(), LogisticRegression()),
        GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, cv=2),
    ],
    ids=str,
)
def test_scorer_of_one_binary_task_is_scikit_learns(name, model, wide_data):
    X, Y = wide_data
    y = np.where(Y[:, 0], "yes", "no")
    if name in ("average_precision", "neg_brier_score"):
        y = Y[:, 0]  # theirs need a number to be positive
    model = model.fit(X[:50], y[:50])
    ours = make_multitask_scorer(name)(model, X[50:], y[50:])
    assert ours == pytest.approx(get_scorer(name)(model, X[50:], y[50:]), rel=1e-10)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("model", [SVC(), RidgeClassifier()], ids=str)
def test_scorer_falls_back_on_the_decision_function(name, model, wide_data):
    X, Y = wide_data
    model = model.fit(X[:50], Y[:50, 0])
    ours = make_multitask_scorer(name)(model, X[50:], Y[50:, 0])
    assert ours == get_scorer(name)(model, X[50:], Y[50:, 0])
    y = Y.sum(axis=1).clip(0, 2)
    model = model.fit(X[:50], y[:50])
    values = [
        RANKING[METRICS[name].metric](y[50:] == c, model.decision_function(X[50:])[:, c])
        for c in range(3)
    ]
    assert make_multitask_scorer(name)(model, X[50:], y[50:]) == pytest.approx(np.mean(values))


def test_scorer_reads_indicators_of_a_decision_function(wide_data):
    X, Y = wide_data
    model = RidgeClassifier().fit(X[:50], Y[:50])
    ours = make_multitask_scorer("roc_auc")(model, X[50:], Y[50:])
    assert ours == pytest.approx(theirs.roc_auc_score(Y[50:], model.decision_function(X[50:])))


class Frequencies(ClassifierMixin, BaseEstimator):
    """Long data: the shares of the classes in each task, over all classes."""

    def __init__(self, task_column=None, missing_label=-1, smooth=1.0):
        self.task_column = task_column
        self.missing_label = missing_label
        self.smooth = smooth

    def fit(self, X, y):
        ids, y = self.ids(X), np.asarray(y)
        ids, y = ids[y != self.missing_label], y[y != self.missing_label]
        self.classes_ = np.unique(y)
        self.shares_ = {
            t: np.array([np.sum(y[ids == t] == c) + self.smooth for c in self.classes_], float)
            for t in set(ids)
        }
        return self

    def ids(self, X):
        return np.asarray(X, dtype=object)[:, self.task_column]

    def predict_proba(self, X):
        return np.array([self.shares_[t] / self.shares_[t].sum() for t in self.ids(X)])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


@pytest.fixture
def long_classes(rng):
    site = np.array(["a", "b"])[rng.integers(2, size=80)]
    y = np.where(rng.random(80) < np.where(site == "a", 0.1, 0.8), 1, 0)
    y[::9] = -1  # missing
    return np.column_stack([rng.normal(size=80).astype(object), site]), y


@pytest.mark.parametrize("name", NAMES)
def test_scorer_passes_ids_and_the_mark_of_missing_labels(name, long_classes):
    X, y = long_classes
    metric, sign = METRICS[name][:2]
    model = Frequencies(1).fit(X, y)
    kept = y != -1
    response = model.predict(X) if metric in OF_LABELS else model.predict_proba(X)
    score = sign * metric(y[kept], response[kept], task=X[kept, 1])
    scorer = make_multitask_scorer(name)
    for wrapped in (
        model,
        make_pipeline("passthrough", Frequencies(1)).fit(X, y),
        GridSearchCV(Frequencies(1), {"smooth": [1.0]}, scoring=scorer, cv=2).fit(X, y),
    ):
        assert scorer(wrapped, X, y) == pytest.approx(score, rel=1e-12)


def test_scorers_choose_in_searches(long_classes):
    X, y = long_classes
    grid = {"smooth": [1.0, 1e6]}
    scorer = make_multitask_scorer("neg_log_loss")
    search = GridSearchCV(Frequencies(1), grid, scoring=scorer, error_score="raise", cv=KFold(3))
    assert search.fit(X, y).best_params_ == {"smooth": 1.0}
    auc = make_multitask_scorer("roc_auc")
    assert cross_val_score(Frequencies(1), X, y, scoring=auc, cv=KFold(3)).tolist() == [0.5] * 3


@pytest.mark.parametrize("name", NAMES)
def test_scorer_of_a_model_that_did_not_see_a_class(name, wide_data):
    X, Y = wide_data
    y = Y[:, 0].copy()
    y[60:] = 2
    model = DummyClassifier().fit(X[:50], y[:50])
    score = make_multitask_scorer(name)(model, X[50:], y[50:])
    metric, sign = METRICS[name][:2]
    if metric in OF_LABELS:
        assert 0 < score < 0.5  # at most those of the first ten rows
    elif metric in RANKING:
        assert score == pytest.approx(0.5 if name == "roc_auc" else np.mean(y[50:] == 1))
    else:
        assert score < (-20 if name == "neg_log_loss" else -0.5)
        assert sign == -1


@pytest.mark.parametrize("name", NAMES)
def test_scorers_pass_weights_on(name, wide_data, rng):
    X, Y = wide_data
    weight = rng.random(80)
    model = KNeighborsClassifier().fit(X, Y)
    metric, sign = METRICS[name][:2]
    response = model.predict(X) if metric in OF_LABELS else model.predict_proba(X)
    score = make_multitask_scorer(name)(model, X, Y, sample_weight=weight)
    assert score == sign * metric(Y, response, sample_weight=weight)


def test_a_metric_of_ours_reads_what_its_name_reads(wide_data):
    X, Y = wide_data
    model = KNeighborsClassifier().fit(X, Y)
    metric = metrics.multitask_roc_auc_score
    named = make_multitask_scorer("roc_auc")(model, X, Y)
    assert make_multitask_scorer(metric)(model, X, Y) == named
    first = functools.partial(metric, multioutput=[1, 0, 0])
    scorer = pickle.loads(pickle.dumps(make_multitask_scorer(first)))
    assert scorer(model, X, Y) == metric(Y[:, 0], model.predict_proba(X)[0])
    loss = make_multitask_scorer(metrics.multitask_log_loss, greater_is_better=False)
    assert loss(model, X, Y) == make_multitask_scorer("neg_log_loss")(model, X, Y)


def test_scorer_names_the_response_that_is_not_there(wide_data):
    X, Y = wide_data
    svc, ridge = SVC().fit(X, Y[:, 0]), Ridge().fit(X, Y)
    with pytest.raises(ValueError, match=r"multitask_log_loss reads predict_proba .* SVC\(\) has"):
        make_multitask_scorer("neg_log_loss")(svc, X, Y[:, 0])
    with pytest.raises(ValueError, match=r"reads predict of a classifier, but Ridge\(\) is a regr"):
        make_multitask_scorer("accuracy")(ridge, X, Y)
    with pytest.raises(ValueError, match=r"predict_proba or decision_function .* Ridge\(\) is a"):
        make_multitask_scorer("roc_auc")(ridge, X, Y)
