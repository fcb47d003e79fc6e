"""A column of a file as ids."""

import numpy as np
import pandas as pd
import pytest

from skmtl._tables._ids import id_notes, read_ids


def column(cells):
    return pd.Series(cells, name="site", dtype=object)


def read(cells):
    return read_ids("data.csv", column(cells), "task")


@pytest.mark.parametrize(
    "cells, ids",
    [
        (["7", "-3", "0"], [7, -3, 0]),
        (["7.0", "10.00"], [7, 10]),
        (["007", "010"], ["007", "010"]),
        (["7.0", "7"], ["7.0", "7"]),
        (["7.0", "7.5"], ["7.0", "7.5"]),
        (["1,000", "2,000"], ["1,000", "2,000"]),
        (["1e3", "2"], ["1e3", "2"]),
    ],
)
def test_ids_are_integers_only_where_all_are_written_alike(cells, ids):
    found = read(cells)
    assert found.tolist() == ids
    assert found.dtype == (np.int64 if isinstance(ids[0], int) else object)


def test_an_empty_id_is_refused_with_the_cure():
    with pytest.raises(ValueError, match="'site' is empty in row 2; write an id there, or take"):
        read(["a", "", "b"])
    with pytest.raises(ValueError, match="'site' is empty in row 2; write the id in each row: unm"):
        read(["a", "", "", "b", ""])  # cells merged in a workbook


@pytest.mark.parametrize(
    "cells, said",
    [
        (["7", "07", "7.0", "8"], "'7' and '07' and '7.0' differ in spelling only"),
        (["Site 1", "site 1", "site\u00a01"], "'Site 1' and 'site 1' and 'site\\xa01' differ"),
        (["NA", "na", "b"], "'NA' and 'na' differ"),
        (["7", "+7.00", "7e0"], "'7' and '+7.00' and '7e0' differ"),
        (["a-b", "a\u2011b", "a\u00ad-b", "\u200ea-b"], "'a-b' and 'a\u2011b' and "),
        (["7.0", "8.0"], "whole numbers, read as such from '7.0'"),
        (["NA", "b"], "'NA' kept as they are; --na-values 'NA' makes them missing"),
    ],
)
def test_ids_that_look_alike_stay_apart_with_a_note(cells, said):
    assert len(set(read(cells))) == len(cells)
    (note,) = id_notes(column(cells))
    assert note.startswith("ids in 'site': ") and said in note


@pytest.mark.parametrize("cells", [["7", "8"], ["007", "008"], ["a", "b", "1"]])
def test_ids_that_differ_need_no_note(cells):
    assert id_notes(column(cells)) == []
