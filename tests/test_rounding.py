import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skmtl._splitters._rounding import controlled_rounding

SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 4))
COUNTS = arrays(np.int64, SHAPES, elements=st.integers(0, 9))


@settings(max_examples=200, deadline=None)
@given(COUNTS, st.integers(0, 12), st.integers(1, 12), st.none() | st.integers(0, 99))
def test_cells_and_all_sums_become_whole_numbers_next_to_them(counts, part, whole, seed):
    shares = counts * (min(part, whole) / whole)
    rng = None if seed is None else np.random.RandomState(seed)
    rounded = controlled_rounding(shares, rng)
    sums = [lambda x: x, lambda x: x.sum(axis=0), lambda x: x.sum(axis=1), np.sum]
    for of in sums:
        # a sum of at most 28 shares below 10 is off by less than 1e-12
        assert (abs(of(rounded) - of(shares)) < 1 - 1e-12).all() or whole == 1
        exact = abs(of(shares) - np.round(of(shares))) < 1e-12
        np.testing.assert_array_equal(of(rounded)[exact], np.round(of(shares))[exact])


def test_each_cell_keeps_its_expectation():
    shares = np.array([[0.25, 9.5], [0.5, 5.0], [0.25, 3.75], [1.5, 20.25]])
    rng = np.random.RandomState(0)
    mean = np.mean([controlled_rounding(shares, rng) for _ in range(2000)], axis=0)
    np.testing.assert_allclose(mean, shares, atol=4.5 * 0.5 / np.sqrt(2000))  # 4.5 s.d. at most


def test_whole_numbers_stay():
    counts = np.arange(12).reshape(4, 3)
    np.testing.assert_array_equal(controlled_rounding(counts * 1.0), counts)


@pytest.mark.parametrize("shape", [(150, 8), (10000, 2), (2, 3000), (200, 30)], ids=str)
def test_large_tables_end_whatever_sums_of_shares_round_to(shape):
    """Regression: a line whose sum missed a whole number by rounding had a lone cell and no way."""
    rng = np.random.RandomState(0)
    counts = rng.multinomial(5 * shape[0], np.full(shape[1], 1 / shape[1]), size=shape[0])
    for share in (1 / 3, 1 / 7):
        rounded = controlled_rounding(counts * share, rng)
        for axis in (0, 1, None):
            off = rounded.sum(axis=axis) - counts.sum(axis=axis) * share
            assert (abs(off) < 1).all()
