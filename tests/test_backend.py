import builtins
import os
import subprocess
import sys

import array_api_compat
import array_api_strict
import joblib
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from skmtl import _backend
from skmtl._backend import (
    NUMPY,
    Place,
    _places,
    place_of,
    resolve_device,
    take,
    to_numpy,
    to_place,
)

STRICT = array_api_compat.array_namespace(array_api_strict.asarray(0.0))
DEVICE1 = array_api_strict.Device("device1")
THERE = Place(STRICT, DEVICE1)


@pytest.fixture
def gpu(monkeypatch):
    """A machine that seems to have a GPU, whose place is THERE."""
    monkeypatch.setattr(_places, "cuda_is_available", lambda: True)
    monkeypatch.setattr(_places, "_cupy_place", lambda: THERE)


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(_places, "cuda_is_available", lambda: False)


def random_psd(rng, n, rank=None):
    """A = X'X of the given rank, and a row b in its range."""
    X = rng.normal(size=(rank or n, n))
    return X.T @ X, (rng.normal(size=(3, len(X))) @ X)


# where a fit is computed


def test_auto_stays_on_the_cpu_for_little_work_and_goes_to_the_gpu_for_much(gpu):
    X = np.zeros((2, 2))
    assert resolve_device("auto", X, work=_backend.GPU_WORK / 2) == NUMPY
    assert resolve_device("auto", X, work=_backend.GPU_WORK) == THERE
    assert resolve_device("cuda", X) == THERE
    assert resolve_device("cpu", X, work=np.inf) == NUMPY


def test_auto_means_the_cpu_in_a_worker_process(gpu, monkeypatch):
    monkeypatch.setattr(_places.multiprocessing, "parent_process", object)
    assert resolve_device("auto", np.zeros((2, 2)), work=np.inf) == NUMPY
    assert resolve_device("cuda", np.zeros((2, 2))) == THERE


def test_workers_of_joblib_are_recognised():
    # imports of the package cost seconds in a fresh process: ask what resolve_device asks
    def is_worker():
        import multiprocessing

        return multiprocessing.parent_process() is not None

    assert joblib.Parallel(2)(joblib.delayed(is_worker)() for _ in range(2)) == [True, True]
    assert not is_worker()


def test_auto_without_a_gpu_is_the_cpu_and_cuda_is_refused(no_gpu):
    assert resolve_device("auto", np.zeros((2, 2)), work=np.inf) == NUMPY
    with pytest.raises(ValueError, match=r'device="cuda" needs cupy .*skmtl\[cuda12\]'):
        resolve_device("cuda", np.zeros((2, 2)))


@pytest.mark.parametrize("device", ["gpu", "CUDA", None, 0, ""])
def test_unknown_devices_are_refused_wherever_x_lies(device):
    for X in (np.zeros((2, 2)), array_api_strict.zeros((2, 2), device=DEVICE1)):
        with pytest.raises(ValueError, match="device must be one of"):
            resolve_device(device, X)


def test_foreign_arrays_stay_where_they_lie(no_gpu):
    X = array_api_strict.zeros((2, 2), device=DEVICE1)
    for device in _backend.DEVICES:
        assert resolve_device(device, X, work=np.inf) == THERE


def test_no_gpu_is_seen_where_cupy_does_not_import(monkeypatch):
    real = builtins.__import__

    def without_cupy(name, *args, **options):
        if name.split(".")[0] == "cupy":
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without_cupy)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    assert _backend.cuda_is_available.__wrapped__() is False


# transfers


def test_places_are_read_off_arrays(xp_place):
    assert place_of(xp_place([1.0])) == xp_place.place
    assert _backend.namespace_of(xp_place([1.0])) is xp_place.xp
    assert _backend.is_foreign(xp_place([1.0])) == (xp_place.place != NUMPY)


@pytest.mark.parametrize("x", [[[1.0]], (1, 2), 3.0, None, np.float64(2), "text"])
def test_what_is_no_array_counts_as_numpy(x):
    assert not _backend.is_foreign(x)
    assert place_of(x) == NUMPY


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_travel_there_and_back(xp_place, dtype):
    x = np.arange(6.0).reshape(2, 3)
    there = to_place(x, xp_place.place, dtype)
    assert place_of(there) == xp_place.place
    assert str(there.dtype).endswith(dtype)
    back = to_numpy(there)
    assert type(back) is np.ndarray
    np.testing.assert_array_equal(back, x)
    again = to_place(there, xp_place.place, dtype)
    np.testing.assert_array_equal(to_numpy(again), x)


def test_the_fake_gpu_is_a_gpu_in_that_numpy_cannot_read_it():
    with pytest.raises((RuntimeError, TypeError, ValueError)):
        np.asarray(array_api_strict.zeros(2, device=DEVICE1))
    with pytest.raises(ValueError, match="device"):
        array_api_strict.zeros(2, device=DEVICE1) + array_api_strict.zeros(2)


def test_rows_and_columns_are_taken_in_the_order_of_the_index(xp_place):
    x = np.arange(12.0).reshape(4, 3)
    rows, columns = np.array([3, 0, 0]), np.array([2, 0])
    np.testing.assert_array_equal(to_numpy(take(xp_place(x), rows)), x[rows])
    np.testing.assert_array_equal(to_numpy(take(xp_place(x), columns, axis=1)), x[:, columns])
    np.testing.assert_array_equal(to_numpy(take(xp_place(x[:, 0]), rows)), x[rows, 0])


def test_segments_are_summed(xp_place):
    x, indptr = np.array([1.0, 2.0, 4.0, 8.0, 16.0]), np.array([0, 1, 3, 5])
    np.testing.assert_array_equal(to_numpy(_backend.segment_sum(xp_place(x), indptr)), [1, 6, 24])


def test_the_widest_float_is_double_where_there_is_one(xp_place):
    assert _backend.widest_float(xp_place.place) == "float64"


# linear algebra


@pytest.mark.parametrize("n", [1, 4, 70])
def test_solve_psd_solves(xp_place, n, rng):
    S, B = random_psd(rng, n)
    expected = np.linalg.solve(S + 0.3 * np.eye(n), B.T).T
    solution = _backend.solve_psd(xp_place(B), xp_place(S), 0.3)
    # condition below 1e4 here
    np.testing.assert_allclose(to_numpy(solution), expected, rtol=1e-8, atol=1e-10)


def test_features_of_very_different_units_do_no_harm(xp_place, rng):
    units = np.array([1e-6, 1e-3, 1.0, 1e3, 1e6])
    X = rng.normal(size=(5, 5)) * units
    augmented = np.vstack([X, 0.5 * np.eye(5)])
    exact = np.linalg.lstsq(augmented, np.vstack([np.eye(5), np.zeros((5, 5))]), rcond=0)[0]
    solution = to_numpy(_backend.solve_psd(xp_place(X), xp_place(X.T @ X), 0.25)).T
    # errors in the units of the labels, whose size is one
    np.testing.assert_allclose(solution * units[:, None], exact * units[:, None], atol=1e-9)


@pytest.mark.parametrize("alpha", [1e-30, 1e-14])
def test_a_vanishing_penalty_leaves_a_solution_that_does_not_blow_up(xp_place, rng, alpha):
    S, B = random_psd(rng, 6, rank=3)
    solution = to_numpy(_backend.solve_psd(xp_place(B), xp_place(S), alpha))
    np.testing.assert_allclose(solution @ S, B, atol=1e-9 * np.abs(B).max())
    assert np.abs(solution).max() < 10 * np.abs(B @ np.linalg.pinv(S)).max()


def test_a_penalty_alone_divides(xp_place):
    solution = _backend.solve_psd(xp_place(np.zeros((1, 2))), xp_place(np.zeros((2, 2))), 4.0)
    np.testing.assert_array_equal(to_numpy(solution), np.zeros((1, 2)))


@pytest.mark.parametrize("n, alpha", [(3, 0.5), (70, 0.5), (70, 1e5), (6, 1e-14)])
def test_shrink_psd_solves_a_stack(xp_place, rng, n, alpha):
    pairs = [random_psd(rng, n) for _ in range(2)]
    stack = np.stack([np.vstack([S, B]) for S, B in pairs])
    result = to_numpy(_backend.shrink_psd(xp_place(stack), alpha))
    for B, shrunk in zip(stack, result, strict=True):
        exact = np.linalg.solve(B[:n] + alpha * np.eye(n), B.T).T
        np.testing.assert_allclose(shrunk, exact, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("rank", [2, 5])
@pytest.mark.parametrize("alpha", [1e-14, 0.5])
def test_whiten_psd_takes_the_inverse_apart(xp_place, rng, rank, alpha):
    X, y = rng.normal(size=(5, rank)), rng.normal(size=(5, 1))
    B = np.hstack([X, y])
    Z = to_numpy(_backend.whiten_psd(xp_place(B), xp_place(X @ X.T), alpha, rank))
    u, s, _ = np.linalg.svd(X, full_matrices=False)
    # X'(XX' + alpha)^-1 X = V s^2/(s^2 + alpha) V', near the identity for a small alpha
    np.testing.assert_allclose(
        Z[:, :rank].T @ Z[:, :rank], X.T @ (u * (1 / (s**2 + alpha))) @ u.T @ X, atol=1e-8
    )


@pytest.mark.parametrize("rank", [2, 5])
def test_eigenvalues_of_rounding_size_are_zero(xp_place, rng, rank):
    S, _ = random_psd(rng, 5, rank=rank)
    s, V = map(to_numpy, _backend.eigh_psd(xp_place(S)))
    assert (s >= 0).all()
    assert (s > 0).sum() == rank
    np.testing.assert_allclose(V * s @ V.T, S, atol=1e-12 * np.abs(S).max())


def test_arguments_of_the_kernels_are_not_written(rng):
    S, B = random_psd(rng, 70)
    stack = np.vstack([S, B])[None]
    before = [a.copy() for a in (S, B, stack)]
    for array in (S, B, stack):
        array.flags.writeable = False
    _backend.solve_psd(B, S, 1.0)
    _backend.shrink_psd(stack, 1.0)
    _backend.eigh_psd(S)
    for array, copy in zip((S, B, stack), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e6])
@pytest.mark.parametrize("n", [5, 2000])  # either side of the size up to which X is copied
def test_centred_grams_are_those_of_the_centred_table(xp_place, rng, offset, n):
    parts, exact = [], []
    for scale in (1.0, 3.0):
        X, C = rng.normal(offset, scale, size=(n, 12)), rng.normal(size=(n, 2))
        centre = X.mean(axis=0) + 0.1
        table = np.hstack([X - centre, C])
        exact.append(table.T @ table)
        parts.append(tuple(map(xp_place, (X, centre, C))))
    result = to_numpy(_backend.centred_grams(parts))
    np.testing.assert_allclose(result, np.stack(exact), rtol=1e-9, atol=1e-9 * n)


# threads


def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


def test_small_problems_run_on_one_thread_and_the_limit_ends_with_them():
    before = blas_threads()
    with _backend.few_threads(3):
        assert set(blas_threads()) <= {1}
    assert blas_threads() == before
    with _backend.few_threads(_backend.PARALLEL_DIM):
        assert blas_threads() == before


OVERLAP = """
import threading
from threadpoolctl import threadpool_info
from skmtl._backend import few_threads

def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]

def first():
    with few_threads(3):
        entered.set()
        overlap.wait()
    left.set()
    done.wait()  # as a thread of a pool, which lives on

def second():
    entered.wait()
    with few_threads(3):
        overlap.set()
        left.wait()
    done.set()

entered, overlap, left, done = (threading.Event() for _ in range(4))
threads, before = [threading.Thread(target=f) for f in (first, second)], blas_threads()
for thread in threads:
    thread.start()
done.wait()
print(before, blas_threads(), sep=";")
"""


def test_limits_of_two_threads_that_overlap_leave_no_trace():
    """Fits in joblib's threads enter and leave in any order; a fresh process has no limits yet."""
    environment = os.environ | {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    command = [sys.executable, "-c", OVERLAP]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    before, after = result.stdout.strip().split(";")
    if "2" not in before:
        pytest.skip(f"BLAS does not take two threads here but {before}: nothing would show")
    assert after == before


@pytest.mark.parametrize("index", [[], [2, 0, 2], np.arange(4)[::-1]])
def test_rows_of_slices_views_and_orders_are_those_of_indexing(index):
    table = np.arange(24.0).reshape(4, 6)
    index = np.asarray(index, dtype=int)
    for X in (
        table,
        table[:, :-1],
        table[:, 1:],
        table[:, 2:4],
        table[:, ::2],
        table[::-1],
        table[::-1][:, :-1],
        table.T,
        table.T[:, 1:],
        np.asfortranarray(table)[:, 1:],
        table[1:][:, 1:],
        table.reshape(6, 4)[:, 1:],
    ):
        rows = index[index < len(X)]
        np.testing.assert_array_equal(_backend.take(X, rows), X[rows])
