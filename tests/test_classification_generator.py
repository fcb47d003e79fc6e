"""make_multitask_classification: Gram matrices, shares and noise are those that were asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad
from scipy.special import expit, softmax
from sklearn.metrics import roc_auc_score

from skmtl.datasets import make_multitask_classification


def truth(**params):
    """True coefficients and intercepts."""
    return make_multitask_classification(2, return_coef=True, **params)[-2:]


def share_by_quadrature(intercept, length):
    """E expit(intercept + length z) for standard normal z; the logit's step must not be missed."""

    def integrand(z):
        return expit(intercept + length * z) * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)

    if length == 0:
        return expit(intercept)
    ends = (np.array([-40, -10, 0, 10, 40]) - intercept) / length
    return quad(integrand, -13, 13, points=np.clip(ends, -13, 13), epsabs=0, epsrel=1e-11)[0]


def shares_by_gauss_hermite(coef, intercept, n_nodes=80):
    """E softmax(coef x + intercept) for standard normal x and three coefficients of rank 2."""
    nodes, weight = np.polynomial.hermite_e.hermegauss(n_nodes)
    values, vectors = np.linalg.eigh(coef @ coef.T)
    plane = vectors[:, 1:] * np.sqrt(values[1:])
    z = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)
    weight = np.outer(weight, weight).ravel()
    return weight @ softmax(z @ plane.T + intercept, axis=1) / weight.sum()


# the truth ----------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    n_tasks=st.integers(1, 10),
    extra=st.integers(0, 10),
    position=st.floats(0, 1),
    class_sep=st.sampled_from([1e-3, 1.0, 50.0]),
    seed=st.integers(0, 2**31),
)
def test_similarity_is_the_exact_cosine_of_any_two_binary_tasks(
    n_tasks, extra, position, class_sep, seed
):
    lowest = -1 / max(n_tasks - 1, 1)
    similarity = min(lowest + position * (1 - lowest), 1.0)
    coef, intercept = truth(
        n_features=n_tasks + extra,
        n_tasks=n_tasks,
        similarity=similarity,
        class_sep=class_sep,
        random_state=seed,
    )
    expected = np.full((n_tasks, n_tasks), similarity)
    np.fill_diagonal(expected, 1.0)
    # rounding of one eigendecomposition and one QR of at most 20 columns
    assert_allclose(coef @ coef.T / class_sep**2, expected, atol=1e-13)
    assert_array_equal(intercept, np.zeros(n_tasks))


@settings(deadline=None)
@given(
    n_classes=st.lists(st.integers(2, 5), min_size=2, max_size=5),
    rank=st.integers(0, 4),
    seed=st.integers(0, 2**31),
)
def test_classes_of_a_task_are_a_simplex_and_each_class_has_the_gram(n_classes, rank, seed):
    n_tasks, most = len(n_classes), max(max(n_classes), 3)
    n_classes = [most, *n_classes[1:]]
    factor = np.random.default_rng(seed).standard_normal((n_tasks, rank))
    gram = factor @ factor.T
    coef, intercept = truth(
        n_features=20, n_tasks=n_tasks, n_classes=n_classes, gram=gram, random_state=seed
    )
    assert [w.shape for w in coef] == [(k, 20) for k in n_classes]
    assert [b.shape for b in intercept] == [(k,) for k in n_classes]
    for s in range(n_tasks):
        for t in range(n_tasks):
            same_class = np.eye(n_classes[s], n_classes[t], dtype=bool)
            expected = np.where(same_class, gram[s, t], -gram[s, t] / (most - 1))
            # rounding of products of at most 20 numbers of size max |gram|
            assert_allclose(coef[s] @ coef[t].T, expected, atol=1e-12 * max(gram.max(), 1))
    assert_allclose(coef[0].sum(axis=0), 0, atol=1e-12 * max(gram.max(), 1))


def test_tasks_of_different_clusters_are_orthogonal():
    coef, _ = truth(
        n_tasks=7, n_clusters=3, similarity=-0.5, class_sep=[1, 2, 3, 4, 5, 6, 7], random_state=0
    )
    cluster = np.array([0, 0, 0, 1, 1, 2, 2])
    expected = np.where(cluster[:, None] == cluster, -0.5, 0.0)
    np.fill_diagonal(expected, 1.0)
    lengths = np.arange(1.0, 8.0)
    assert_allclose(coef @ coef.T, np.outer(lengths, lengths) * expected, atol=1e-12)


def test_a_cluster_for_each_task_makes_them_unrelated_and_one_is_the_default():
    assert_array_equal(truth(n_clusters=1, random_state=0)[0], truth(random_state=0)[0])
    coef, _ = truth(n_clusters=5, similarity=1, class_sep=1, random_state=0)
    assert_allclose(coef @ coef.T, np.eye(5), atol=1e-14)


def test_informative_features_are_the_same_for_all_tasks_and_classes():
    coef, _ = truth(n_features=20, n_tasks=3, n_classes=3, n_informative=6, random_state=0)
    support = np.any(np.vstack(coef) != 0, axis=0)
    assert support.sum() == 6
    assert all(np.all(w[:, support] != 0) for w in coef)


# expected shares ----------------------------------------------------------------------------


@settings(deadline=None)
@given(
    share=st.floats(-9, 0).map(lambda x: 10**x / (1 + 10**x)),
    flip=st.booleans(),
    class_sep=st.one_of(st.just(0.0), st.floats(-3, 3).map(lambda x: 10**x)),
)
def test_expected_share_of_the_positive_class_is_exact(share, flip, class_sep):
    share = 1 - share if flip else share
    _, intercept = truth(n_tasks=1, class_sep=class_sep, class_shares=share, random_state=0)
    # 2e-11 at shares of 1e-6 and more; the tails of a rare class are cut off at 9 deviations
    assert_allclose(share_by_quadrature(intercept[0], class_sep), share, rtol=1e-7)


def test_each_task_has_its_share():
    shares = [0.5, 0.02, 0.9]
    _, intercept = truth(n_tasks=3, class_sep=[1, 2, 5], class_shares=shares, random_state=0)
    got = [share_by_quadrature(b, s) for b, s in zip(intercept, [1, 2, 5], strict=True)]
    assert_allclose(got, shares, rtol=1e-9)
    assert intercept[0] == 0


@pytest.mark.parametrize("class_sep", [0.0, 0.5, 2.0])
def test_expected_shares_of_three_classes_are_exact(class_sep):
    shares = [[0.2, 0.3, 0.5], [0.98, 0.01, 0.01], [1 / 3, 1 / 3, 1 / 3]]
    coef, intercept = truth(
        n_tasks=3, n_classes=3, class_sep=class_sep, class_shares=shares, random_state=1
    )
    for t in range(3):
        # 80 nodes: the softmax of scores with standard deviation 2 is integrated to about 1e-7
        assert_allclose(shares_by_gauss_hermite(coef[t], intercept[t]), shares[t], atol=1e-6)
        assert_allclose(intercept[t].sum(), 0, atol=1e-12)


@settings(deadline=None, max_examples=20)
@given(
    raw=st.lists(st.floats(-3, 0), min_size=3, max_size=5), log_sep=st.floats(-3, 4), data=st.data()
)
def test_shares_are_reached_whatever_the_classes_and_their_strength(raw, log_sep, data):
    shares = 10.0 ** np.array(raw)
    shares /= shares.sum()
    n, order = 20_000, data.draw(st.permutations(range(len(raw))))
    X, _, coef, intercept = make_multitask_classification(
        n,
        n_tasks=1,
        n_classes=len(raw),
        class_sep=10.0**log_sep,
        class_shares=[shares],
        return_coef=True,
        random_state=0,
    )
    # mean probabilities of n rows: a sampling error of at most sqrt(q (1 - q) / n), 7 of them
    got = softmax(X @ coef[0].T + intercept[0], axis=1).mean(axis=0)
    assert np.all(np.abs(got - shares) < 7 * np.sqrt(shares / n))
    again = truth(
        n_tasks=1, n_classes=len(raw), class_sep=10.0**log_sep, class_shares=[shares[order]]
    )[1][0]
    assert_allclose(again, intercept[0][order], atol=1e-7 * 10.0 ** max(log_sep, 0))


def test_a_binary_task_beside_others_keeps_its_share():
    coef, intercept = truth(
        n_tasks=2, n_classes=[2, 4], class_shares=[0.1, [0.1, 0.2, 0.3, 0.4]], random_state=0
    )
    logit, shift = coef[0][1] - coef[0][0], intercept[0][1] - intercept[0][0]
    assert_allclose(share_by_quadrature(shift, np.linalg.norm(logit)), 0.1, rtol=1e-9)


@pytest.mark.parametrize("common_design", [True, False])
def test_observed_shares_are_within_their_binomial_error(common_design):
    n, shares = 20_000, np.array([0.05, 0.3, 0.5])
    y = make_multitask_classification(
        n, n_tasks=3, class_shares=shares, common_design=common_design, random_state=0
    )[1]
    got = y.reshape(n, 3).mean(axis=0) if common_design else y.reshape(3, n).mean(axis=1)
    assert np.all(np.abs(got - shares) < 4 * np.sqrt(shares * (1 - shares) / n))


# the labels ---------------------------------------------------------------------------------


def test_binary_labels_follow_the_logit():
    n = 20_000
    X, Y, coef, intercept = make_multitask_classification(
        n, n_tasks=3, class_shares=[0.1, 0.5, 0.7], return_coef=True, random_state=0
    )
    residual = Y - expit(X @ coef.T + intercept)
    # under the model the score has mean 0 and a variance of at most n / 4 for each of 33 entries
    assert np.abs(np.column_stack([np.ones(n), X]).T @ residual).max() < 4 * np.sqrt(n / 4)


def test_multiclass_labels_of_own_rows_follow_the_softmax():
    n_classes, sizes = [2, 3, 4], [20_000, 10_000, 30_000]
    X, y, task, coef, intercept = make_multitask_classification(
        sizes, 12, 3, n_classes=n_classes, common_design=False, return_coef=True, random_state=0
    )
    for t in range(3):
        own = task == t
        assert_array_equal(np.unique(y[own]), np.arange(n_classes[t]))
        proba = softmax(X[own] @ coef[t].T + intercept[t], axis=1)
        residual = np.eye(n_classes[t])[y[own]] - proba
        assert np.abs(X[own].T @ residual).max() < 4 * np.sqrt(sizes[t] / 4)  # as above
        assert np.abs(residual.sum(axis=0)).max() < 4 * np.sqrt(sizes[t] / 4)


def test_without_signal_labels_tell_nothing_of_the_features():
    X, Y, coef, _ = make_multitask_classification(
        20_000, n_tasks=2, class_sep=[0, 2], return_coef=True, random_state=0
    )
    assert_array_equal(coef[0], np.zeros(10))
    # sd of a correlation 1 / sqrt(n) = .007
    assert np.abs(np.corrcoef(X.T, Y[:, 0])[-1, :-1]).max() < 0.03


@pytest.mark.parametrize("common_design", [True, False])
def test_label_noise_replaces_its_fraction_in_each_task_by_other_classes_alike(common_design):
    n, noise = 20_000, np.array([0.0, 0.1, 0.4, 1.0])
    params = dict(
        n_features=12, n_tasks=4, n_classes=[2, 2, 4, 3], common_design=common_design,
        random_state=0,
    )  # fmt: skip
    X, clean = make_multitask_classification(n, **params)[:2]
    X_too, noisy = make_multitask_classification(n, label_noise=noise, **params)[:2]
    assert_array_equal(X, X_too)
    if not common_design:
        clean, noisy = clean.reshape(4, n).T, noisy.reshape(4, n).T
    replaced = np.mean(clean != noisy, axis=0)
    assert np.all(np.abs(replaced - noise) <= 4 * np.sqrt(noise * (1 - noise) / n))
    step = (noisy - clean)[clean[:, 2] != noisy[:, 2], 2] % 4
    # 3 other classes: sd of a share sqrt(2/9 / 8000) = .005
    assert_allclose(np.bincount(step, minlength=4) / len(step), [0, 1 / 3, 1 / 3, 1 / 3], atol=0.02)


def test_auc_of_the_true_logit_falls_with_label_noise_as_it_must():
    n, noise = 40_000, np.array([0.0, 0.1, 0.25, 0.5, 1.0])
    X, Y, coef, _ = make_multitask_classification(
        n, n_tasks=5, similarity=1, label_noise=noise, return_coef=True, random_state=0
    )
    auc = np.array([roc_auc_score(Y[:, t], X @ coef[t]) for t in range(5)])
    # equal shares: a noisy pair is in its true order, or reversed, or of one class.  sd about .003
    assert_allclose(auc, auc[0] * (1 - 2 * noise) + noise, atol=0.015)
    assert auc[0] > 0.8 and np.all(np.diff(auc) < 0)


def test_auc_of_the_true_logit_rises_with_class_sep():
    X, Y, coef, _ = make_multitask_classification(
        20_000, n_tasks=4, class_sep=[0, 1, 2, 100], return_coef=True, random_state=0
    )
    auc = [roc_auc_score(Y[:, t], X @ coef[t]) for t in range(1, 4)]
    assert np.all(np.diff(auc) > 0.05)
    assert auc[-1] > 0.99


# missing labels and designs -----------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(
    n_samples=st.integers(2, 30),
    n_classes=st.lists(st.integers(2, 3), min_size=1, max_size=6),
    missing=st.floats(0.01, 0.99),
    share=st.sampled_from([0.5, 0.1]),
    seed=st.integers(0, 2**31),
)
def test_missing_hides_the_fraction_and_keeps_tasks_then_classes_then_rows(
    n_samples, n_classes, missing, share, seed
):
    missing = min(missing, 1 - 1 / n_samples)
    n_tasks = len(n_classes)
    params = dict(
        n_features=12,
        n_tasks=n_tasks,
        n_classes=n_classes,
        class_shares=[share if k == 2 else [0.8, 0.1, 0.1] for k in n_classes],
        random_state=seed,
    )
    _, complete = make_multitask_classification(n_samples, **params)
    _, Y = make_multitask_classification(n_samples, missing=missing, **params)
    observed = np.isfinite(Y)
    assert np.sum(~observed) == round(missing * Y.size)
    assert_array_equal(Y[observed], complete[observed])
    assert observed.any(axis=0).all()
    classes = [np.unique(column) for column in complete.T]
    n_kept = sum(map(len, classes))
    if observed.sum() >= n_kept:
        for t in range(n_tasks):
            assert_array_equal(np.unique(Y[observed[:, t], t]), classes[t])
    if observed.sum() >= n_kept + max(n_samples, n_tasks) - n_tasks:
        assert observed.any(axis=1).all()


def test_missing_labels_are_spread_over_tasks_and_classes():
    _, complete = make_multitask_classification(4000, n_tasks=3, random_state=0)
    _, Y = make_multitask_classification(4000, n_tasks=3, missing=0.5, random_state=0)
    hidden = np.isnan(Y)
    # sd of a share of 2000 labels .5 / sqrt(2000) = .011
    shares = [hidden[complete[:, t] == k, t].mean() for t in range(3) for k in range(2)]
    assert_allclose(shares, 0.5, atol=0.05)


def test_labels_are_integers_unless_nan_stands_for_a_missing_one():
    draw = make_multitask_classification
    assert draw(random_state=0)[1].dtype.kind == "i"
    assert draw(common_design=False, random_state=0)[1].dtype.kind == "i"
    _, with_nan = draw(missing=0.3, random_state=0)
    assert with_nan.dtype == np.float64
    _, marked = draw(missing=0.3, missing_label=-1, random_state=0)
    assert marked.dtype.kind == "i"
    assert_array_equal(marked, np.where(np.isnan(with_nan), -1, with_nan))


def test_own_rows_come_in_the_sizes_asked_for():
    X, y, task = make_multitask_classification(
        [7, 1, 4], n_tasks=3, common_design=False, random_state=0
    )
    assert (X.shape, y.shape) == ((12, 10), (12,))
    assert_array_equal(task, np.repeat([0, 1, 2], [7, 1, 4]))
    assert len(np.unique(X, axis=0)) == 12
    X, y, task = make_multitask_classification(6, n_tasks=4, common_design=False, random_state=0)
    assert_array_equal(np.bincount(task), [6, 6, 6, 6])


@pytest.mark.parametrize("common_design", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_same_random_state_gives_the_same_data_and_another_gives_others(
    common_design, n_classes
):
    def draw(seed):
        *data, coef, _ = make_multitask_classification(
            30,
            n_classes=n_classes,
            label_noise=0.1,
            missing=0.2 if common_design else 0.0,
            common_design=common_design,
            return_coef=True,
            random_state=seed,
        )
        return [*data[:2], *coef]

    for first, again, other in zip(draw(0), draw(0), draw(1), strict=True):
        assert_array_equal(first, again)
        assert not np.array_equal(first, other)


def test_arguments_are_left_as_they_are():
    arrays = dict(
        n_samples=np.array([3, 4]),
        n_classes=np.array([2, 3]),
        gram=np.eye(2),
        class_sep=np.ones(2),
        label_noise=np.array([0.1, 0.2]),
    )
    before = {name: array.copy() for name, array in arrays.items()}
    shares = [np.array([0.1, 0.9]), np.array([0.5, 0.25, 0.25])]
    for array in (*arrays.values(), *shares):
        array.flags.writeable = False
    _, y, _ = make_multitask_classification(
        n_tasks=2, class_shares=shares, common_design=False, random_state=0, **arrays
    )
    assert y.shape == (7,)
    for name, array in arrays.items():
        assert_array_equal(array, before[name])


# errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (dict(n_tasks=0), "n_tasks"),
        (dict(n_features=0), "n_features"),
        (dict(n_samples=[10] * 5), "common_design=False"),
        (dict(n_samples=[10, 20], common_design=False), "n_samples .* 5 ints"),
        (dict(n_classes=1), "n_classes must be at least 2, got 1"),
        (dict(n_classes=[2, 3]), r"n_classes must be an int or 5 ints .* at least 2, got \[2, 3\]"),
        (dict(n_classes=[2, 2, 2, 2, 1]), "n_classes must be .* at least 2"),
        (dict(similarity=-0.3), r"similarity must be in \[-0.25, 1\] for n_tasks=5, got -0.3"),
        (
            dict(similarity=-0.6, n_clusters=2),
            r"similarity must be in \[-0.5, 1\] for n_tasks=5 in n_clusters=2, got -0.6",
        ),
        (dict(gram=np.eye(3)), r"gram must have shape .* \(5, 5\), got \(3, 3\)"),
        (dict(gram=np.eye(5), n_clusters=2), "n_clusters=2 has no effect where gram is given"),
        (dict(n_clusters=6), "n_clusters must be at most n_tasks=5, got 6"),
        (dict(n_clusters=0), "n_clusters must be at least 1, got 0"),
        (dict(n_features=4), "of the tasks and classes has rank 5 but there are 4 informative"),
        (dict(n_classes=4), "rank 15 but there are 10 .*more features, fewer tasks and classes"),
        (dict(class_sep=-1), r"class_sep must be .* in \[0, inf\), got -1"),
        (dict(class_sep=[1, np.inf, 1, 1, 1]), "class_sep must be"),
        (dict(gram=np.eye(5), class_sep=[1, 2]), "class_sep must be a number or 5 numbers"),
        (dict(class_shares=0.0), r"class_shares of task 0 must be a number in \(0, 1\), or 2"),
        (dict(class_shares=1), "class_shares of task 0 .* got 1"),
        (dict(class_shares="balanced"), "class_shares must be a number or 5 .* got 'balanced'"),
        (dict(class_shares=[0.5, 0.5]), "class_shares must be a number or 5 entries"),
        (dict(class_shares=[[0.5, 0.6]] * 5), "task 0 must be .* 2 numbers .* sum to 1"),
        (dict(class_shares=[0.5, 0.5, None, 0.5, 0.5]), "class_shares of task 2 .* got None"),
        (dict(class_shares=np.nan), "class_shares of task 0 .* got nan"),
        (dict(n_classes=3, class_shares=0.3), "of task 0 must be 3 numbers .* got 0.3"),
        (dict(n_classes=3, class_shares=[[0, 0.5, 0.5]] * 5), "at least 1e-12 that sum to 1"),
        (dict(label_noise=1.1), r"label_noise must be .* in \[0, 1\], got 1.1"),
        (dict(label_noise=[0.1, -0.1, 0, 0, 0]), "label_noise must be a number or 5 numbers"),
        (dict(label_noise="loud"), "label_noise must be .* got 'loud'"),
        (dict(missing=1.0), r"missing must be in \[0, 1\), got 1.0"),
        (dict(missing=0.9, n_samples=5), "without a label; pass at most 0.8"),
        (dict(missing=0.1, common_design=False), "missing=0.1 needs common_design=True"),
        (dict(missing_label=1), "missing_label must be no class, and classes are 0 to 1, got 1"),
    ],
)
def test_a_value_out_of_range_is_named(params, message):
    with pytest.raises(ValueError, match=message):
        make_multitask_classification(**params)


@pytest.mark.parametrize(
    "name",
    ["n_samples", "n_tasks", "n_features", "n_classes", "n_clusters", "similarity", "missing",
     "missing_label"],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_named(name):
    with pytest.raises(TypeError, match=name):
        make_multitask_classification(**{name: "5"})
    if name == "missing_label":
        with pytest.raises(TypeError, match="NaN or an integer, got -0"):
            make_multitask_classification(missing_label=-0.5)
