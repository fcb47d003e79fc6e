"""Lines of a file that are no rows are refused, or pointed out."""

import numpy as np
import pytest

from skmtl._tables import read_table

LONG = {"target": "y", "task_column": "site"}
ROWS = [f"s{k % 3},{'mf'[k % 2]},{k * k % 17 / 4}" for k in range(30)]


@pytest.fixture
def read(tmp_path):
    """Reads lines as a file."""

    def read(lines, **options):
        path = tmp_path / "data.csv"
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return read_table(str(path), **(options or LONG))

    return read


def lined(header="site,sex,y", first=(), middle=(), last=()):
    return [header, *first, *ROWS[:20], *middle, *ROWS[20:], *last]


@pytest.mark.parametrize(
    "lines, said",
    [
        (lined(middle=["site,sex,y"]), "row 21 repeats the header; take it out"),
        (lined(first=["Site,SEX,y"]), "row 1 repeats the header; take it out"),
        (lined(first=["Site,Sex,Antwort"]), "row 1 repeats names of the header, as 'Site'"),
        (lined(first=["Ort,Geschlecht,Antwort"]), "'Antwort' where all other cells of column 'y'"),
        (lined(first=[",,kg"]), "row 1 has 'kg' where all other cells of column 'y' are numbers"),
    ],
)
def test_another_header_is_refused_with_its_row(read, lines, said):
    with pytest.raises(ValueError) as refusal:
        read(lines)
    assert said in str(refusal.value)


def test_a_first_row_of_words_and_gaps_is_a_row(read):
    words = [f"s{k % 2},{'mf'[k % 3 > 0]},{'yes' if k % 2 else 'no'}" for k in range(12)]
    assert len(read(["site,sex,y", *words]).y) == 12
    assert len(read(lined(first=["s0,m,NA"])).y) == 30
    named = read(lined(first=["s0,m,none"]), na_values=["none"], **LONG)
    assert len(named.y) == 30 and "1 row without a target left out." in named.notes


WORDS = ["Total", "SUM", "Mean:", "Gesamt", "Moyenne", "Totale", "Grand Total"]


@pytest.mark.parametrize("word", WORDS)
def test_a_last_row_of_totals_is_refused(read, word):
    with pytest.raises(ValueError, match=f"row 31 is the only one of task '{word}'; a line of tot"):
        read(lined(last=[f"{word},,4500.0"]))
    with pytest.raises(ValueError, match="row 31 is the only one of task"):
        read(lined(last=[f"{word},,4500.0", "SD,,3.1"]))


def test_tasks_of_one_row_are_named_beside_tasks_of_many(read):
    assert "tasks of one row only: 's8', 's9'." in read(lined(last=["s8,m,1", "s9,f,2"])).notes
    few = ["site,sex,y", *(f"s{k},m,{k}" for k in range(6))]
    assert not any("of one row" in note for note in read(few).notes)
    with pytest.raises(ValueError, match="'Sum'"):
        read(["site,sex,y", *(f"s{k // 2},m,{k}" for k in range(6)), "Sum,,15"])
    many_totals = [f"Total,m,{k}" for k in range(10)]  # a task of its own
    assert "Total" in read(lined(last=many_totals)).task


def test_a_last_row_of_totals_of_wide_data_is_pointed_out(read):
    rows = [f"p{k % 4},{k},{k * k % 7}" for k in range(20)]
    table = read(["plot,x,u", *rows], targets=["x", "u"])
    assert not any("totals" in note for note in table.notes)
    table = read(["plot,x,u", *rows, "Total,190,99"], targets=["x", "u"])
    assert "a last row begins with 'Total'; take it out if it is of totals." in table.notes


def test_rows_whose_id_is_named_as_missing_are_left_out(read):
    table = read(lined(middle=["NA,m,1", "-,f,2"]), na_values=["NA", "-"], **LONG)
    plain = read(lined())
    assert "2 rows without an id left out." in table.notes
    assert table.task.tolist() == plain.task.tolist()
    np.testing.assert_array_equal(table.y, plain.y)
    with pytest.raises(ValueError, match="no row left with an id"):
        read(lined(), na_values=["s0", "s1", "s2"], **LONG)


def test_a_target_named_twice_is_refused(read):
    with pytest.raises(ValueError, match="targets names 'y' more than once"):
        read(lined(), targets=["y", "y"])
