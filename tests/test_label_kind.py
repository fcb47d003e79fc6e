import numpy as np
import pandas as pd
import polars as pl
import pytest

from skmtl._input._label_kind import are_classes

NAN = np.nan


@pytest.mark.parametrize(
    "y",
    [
        ["no", "yes", "maybe", "never"],
        np.array(["a", "b", "c"]),
        np.array([["a", None], ["b", "c"]], dtype=object),
        [True, False, True],
        np.array([False, True]),
        [0, 1, 1],
        [-1.0, 1.0, NAN],
        np.array([[0, 5], [1, 6]]),  # two values in each column, four in all
        np.array([[0, NAN], [1, 7.0]]),
        [3, None, 4],
        pd.Series(["u", "v", "w"], dtype="category"),
        pd.Series([1, 2, None], dtype="Int64"),
        pd.DataFrame({"u": [0, 1], "v": ["x", "y"], "w": [True, None]}),
        [str(digit) for digit in range(10)],
        ["1.5", "2.5", "none"],
        pl.DataFrame({"u": [0, 1, None], "v": [5.0, 5.0, 6.0]}),
    ],
)
def test_text_truth_values_and_pairs_of_whole_numbers_are_classes(y):
    assert are_classes(y)


@pytest.mark.parametrize(
    "y",
    [
        [0, 1, 2],
        [0.5, 1.5],
        np.array([0.1, NAN]),
        np.array([[0, 1.0], [1, 2.0], [1, 3.0]]),  # the second column has three
        pd.DataFrame({"u": ["a", "b"], "v": [0.5, 0.6]}),
        pd.DataFrame([[0.5, 0.1], [0.6, 0.2], [0.7, 0.3]], columns=["u", "u"]),
        pd.Series([1, 2, 3], dtype="Int64"),
        [1, 2, np.float64(2.5)],
        np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]"),
        pd.Series(pd.to_datetime(["2020-01-01", None])),
        pd.DataFrame({"u": [0, 1], "v": pd.to_datetime(["2020-01-01", "2020-01-02"])}),
        np.ma.array([[0.5, 0.1], [0.6, 0.2]], mask=[[False, True], [False, False]]),
        np.empty((3, 0)),
        ["1,0", "1,3", "2,7"],
        np.array(["1.5", "$2", "3"]),
        pd.Series(["1.5", None, " 2"], dtype=object),
    ],
)
def test_other_numbers_and_dates_are_amounts(y):
    assert not are_classes(y)


@pytest.mark.parametrize("y", [3.0, None, np.zeros((2, 1, 1))], ids=str)
def test_what_is_no_column_or_table_is_refused(y):
    with pytest.raises(ValueError, match="y must be 1-D or 2-D"):
        are_classes(y)
