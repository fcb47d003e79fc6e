"""Sparse X: kept sparse, and the numbers of the dense table."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse
from sklearn.linear_model import Ridge

from skmtl import IndependentTasks, MultiTaskRidge, MultiTaskRidgeCV, PooledTasks
from skmtl._backend import centred, column_squares, gram, kernel

MODELS = {
    "free": MultiTaskRidge(),
    "shrunk": MultiTaskRidge(0.5, 2.0, alpha_intercept=1.0),
    "pooled": MultiTaskRidge(alpha_specific=np.inf, alpha_intercept=np.inf),
    "origin": MultiTaskRidge(fit_intercept=False),
    "cg": MultiTaskRidge(solver="cg", tol=1e-13),
    "dual": MultiTaskRidge(solver="dual"),
    "cv": MultiTaskRidgeCV(),
}
KINDS = {"csr_array": scipy.sparse.csr_array, "csr_matrix": scipy.sparse.csr_matrix}
SHAPES = {"tall": (60, 8), "wide": (20, 40)}


def sample(n, p, holes, T=4):
    rng = np.random.default_rng(0)
    X = np.where(rng.random((n, p)) < 0.3, rng.normal(size=(n, p)) + 1, 0.0)
    Y = X @ rng.normal(size=(p, T)) + rng.normal(size=(n, T))
    Y[rng.random(Y.shape) < (0.3 if holes else 0.0)] = np.nan
    return X, Y


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("weight", ["none", "rows", "cells"])
@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_sparse_table_gives_what_the_dense_one_gives(shape, holes, weight, model):
    X, Y = sample(*shape, holes)
    rng = np.random.default_rng(1)
    s = {"none": None, "rows": rng.uniform(0.5, 2, len(X)), "cells": rng.uniform(0.5, 2, Y.shape)}
    dense = model.fit(X, Y, s[weight]).predict(X)
    for kind in KINDS.values():
        found = model.fit(kind(X), Y, s[weight]).predict(kind(X))
        assert type(found) is np.ndarray
        np.testing.assert_allclose(found, dense, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
def test_a_sparse_stream_is_the_dense_fit(holes, weighted):
    X, Y = sample(60, 8, holes)
    s = np.random.default_rng(1).uniform(0.5, 2, 60) if weighted else None
    model = MultiTaskRidge(alpha_intercept=0.5)
    for rows in (slice(0, 25), slice(25, 60)):
        batch = scipy.sparse.csr_array(X[rows])
        model.partial_fit(batch, Y[rows], None if s is None else s[rows])
    dense = MultiTaskRidge(alpha_intercept=0.5).fit(X, Y, s)
    np.testing.assert_allclose(model.predict(X), dense.predict(X), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("model", [MultiTaskRidge(task_column=0), MultiTaskRidgeCV(task_column=0)])
def test_sparse_long_data_holds_its_ids_in_a_column(model):
    X, Y = sample(60, 8, False)
    Z = np.column_stack([np.arange(60) % 3, X])
    dense = model.fit(Z, Y[:, 0]).predict(Z)
    sparse = scipy.sparse.csr_array(Z)
    found = model.fit(sparse, Y[:, 0]).predict(sparse)
    np.testing.assert_allclose(found, dense, rtol=1e-8, atol=1e-8)
    assert model.tasks_ == [0.0, 1.0, 2.0]


def test_float32_is_kept_and_the_input_untouched():
    X, Y = sample(60, 8, True)
    sparse = scipy.sparse.csr_array(X.astype("float32"))
    before = sparse.copy()
    model = MultiTaskRidge().fit(sparse, Y)
    assert model.coef_.dtype == model.predict(sparse).dtype == np.float32
    assert abs(sparse - before).max() == 0


def test_memory_does_not_follow_the_dense_table():
    """20000 x 800 with 1 % filled: the table would take 128 MB, its Gram takes 5."""
    rng = np.random.default_rng(0)
    at = rng.integers(0, 20000, 160_000), rng.integers(0, 800, 160_000)
    X = scipy.sparse.csr_array((rng.normal(size=160_000), at), shape=(20000, 800))
    Y = rng.normal(size=(20000, 3))
    tracemalloc.start()
    MultiTaskRidge().fit(X, Y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64e6


@pytest.mark.parametrize("weighted", [False, True])
def test_the_centred_view_acts_as_its_dense_form(weighted):
    rng = np.random.default_rng(0)
    X, _ = sample(12, 5, False)
    centre, root = rng.normal(size=5), rng.uniform(0.5, 2, 12) if weighted else None
    dense, view = centred(X, centre, root), centred(scipy.sparse.csr_array(X), centre, root)
    B, E, share = rng.normal(size=(5, 3)), rng.normal(size=(12, 2)), rng.uniform(size=12)
    for found, expected in (
        (view @ B, dense @ B),
        (view @ B[:, 0], dense @ B[:, 0]),
        (E.T @ view, E.T @ dense),
        (E[:, 0] @ view, E[:, 0] @ dense),
        (view.T @ E, dense.T @ E),
        (view.T @ E[:, 0], dense.T @ E[:, 0]),
        (view.toarray(), dense),
        (view[3:7, :].toarray(), dense[3:7]),
        (view[np.array([9, 0])] @ B, dense[[9, 0]] @ B),
        (view.multiply(E @ B.T[:2]), dense * (E @ B.T[:2])),
        (gram(view), gram(dense)),
        (kernel(view), kernel(dense)),
        (column_squares(view), column_squares(dense)),
        (column_squares(view, share), column_squares(dense, share)),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    narrow = view.astype("float32")
    assert narrow.dtype == (narrow @ B.astype("float32")).dtype == np.float32


@pytest.mark.parametrize("model", [IndependentTasks(Ridge()), PooledTasks(Ridge())])
def test_the_baselines_refuse_it(model):
    X, Y = sample(20, 4, False)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        model.fit(scipy.sparse.csr_array(X), Y)


def test_other_sparse_formats_are_converted():
    X, Y = sample(20, 4, False)
    dense = MultiTaskRidge().fit(X, Y)
    model = MultiTaskRidge().fit(scipy.sparse.csc_array(X), Y)
    np.testing.assert_allclose(
        model.predict(scipy.sparse.coo_array(X)), dense.predict(X), rtol=1e-9
    )


@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
@pytest.mark.parametrize("offset", [1e3, 1e7, 1.7e9])
def test_a_full_column_far_from_zero_does_no_harm(offset, holes):
    """A time stamp, say: centring after squaring would cancel."""
    X, Y = sample(60, 8, holes)
    X[:, 0] = np.random.default_rng(2).normal(size=60)
    far = X.copy()
    far[:, 0] += offset
    for model in (MultiTaskRidge(), MultiTaskRidge(alpha_intercept=1.0), MultiTaskRidgeCV()):
        near = model.fit(X, Y).predict(X)
        found = model.fit(scipy.sparse.csr_array(far), Y).predict(far)
        np.testing.assert_allclose(found, near, rtol=1e-5, atol=1e-5 + 1e-15 * offset)
    stream = MultiTaskRidge().partial_fit(scipy.sparse.csr_array(far), Y)
    near = MultiTaskRidge().fit(X, Y).predict(X)
    np.testing.assert_allclose(stream.predict(far), near, rtol=1e-5, atol=1e-5 + 1e-15 * offset)


def test_a_new_task_may_be_sparse_too():
    X, Y = sample(60, 8, False)
    dense = MultiTaskRidge().fit(X, Y).add_task(X[:5], Y[:5, 0] + 1)
    sparse = scipy.sparse.csr_array(X)
    model = MultiTaskRidge().fit(sparse, Y).add_task(sparse[:5], Y[:5, 0] + 1)
    np.testing.assert_allclose(model.coef_, dense.coef_, rtol=1e-9, atol=1e-12)
