"""Columns of a file as numbers: spellings, marks for missing, bounds, dates, and what is asked."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skmtl import _cli
from skmtl._tables import read_table
from skmtl._tables._numbers import Reader

N = 48
LONG = ["--target", "y", "--task-column", "site", "--repeats", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("numbers")


@pytest.fixture(autouse=True)
def _there(folder, monkeypatch):
    monkeypatch.chdir(folder)


def plain_columns():
    """Numbers of three kinds, sites and a target."""
    rng = np.random.default_rng(0)
    income, age = rng.integers(1000, 99999, N), np.round(rng.uniform(20, 70, N), 1)
    share, y = np.round(rng.uniform(0.01, 0.99, N), 3), np.round(rng.normal(size=N), 2)
    columns = {"income": income, "age": age, "share": share}
    sites = [f"s{k % 3}" for k in range(N)]
    return {name: list(map(str, c.tolist())) for name, c in columns.items()} | {
        "site": sites,
        "y": list(map(str, y.tolist())),
    }


def write(columns, name="data.csv", sep=","):
    """Columns of text, each repeated to the length of the longest, as a file."""
    n = max(map(len, columns.values()))
    with open(name, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=sep)
        writer.writerow(columns)
        writer.writerows([cells[k % len(cells)] for cells in columns.values()] for k in range(n))
    return name


def read(changed, *, whole=False, cells_apart=",", **options):
    """The Table of the plain columns with some exchanged, or of whole numbers with these."""
    columns = {"a": ["1", "2", "3"], "site": ["s", "t"], "y": ["1", "2", "4", "8"]}
    columns = columns if whole else plain_columns()
    path = write(columns | changed, sep=cells_apart)
    return read_table(path, target="y", task_column="site", **options)


def told(table):
    """The notes on how numbers were read."""
    return [note for note in table.notes if "read as numbers" in note]


def respell(cells, pattern, decimal=".", thousands=""):
    """Each number with these marks in a pattern."""
    spelt = []
    for cell in cells:
        whole, point, rest = cell.partition(".")
        whole = f"{int(whole):,}".replace(",", thousands)
        spelt.append(pattern.format(whole + (decimal if point else "") + rest))
    return spelt


# whole columns in other spellings


@pytest.mark.parametrize(
    "name, how, said",
    [
        ("income", ("{}", ".", ","), "income: read as numbers, thousands separated by ','."),
        ("income", ("${}",), "income: read as numbers, '$' left out."),
        ("income", ("{} kr",), "income: read as numbers, 'kr' left out."),
        ("income", ("{}", ".", "\u202f"), "thousands separated by blanks."),
        ("income", ("{}", ".", "'"), 'thousands separated by "\'".'),
        ("age", ("{}", ","), "age: read as numbers, decimal mark ','."),
        ("share", ("{}%",), "share: read as numbers, '%' left out."),
    ],
)
def test_a_column_in_another_spelling_is_the_column_and_is_told_of(name, how, said):
    plain, table = read({}), read({name: respell(plain_columns()[name], *how)})
    pd.testing.assert_frame_equal(table.X, plain.X, check_exact=True)
    assert told(plain) == [] and len(told(table)) == 1 and said in told(table)[0]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(".,"), st.sampled_from(["", "x", "'", "_", "\u00a0"]), st.randoms())
def test_a_file_in_any_spelling_equals_the_plain_file(decimal, thousands, random):
    thousands = "," if decimal == "." and thousands == "x" else thousands.replace("x", ".")
    plain, columns = read({}), plain_columns()
    for name in ("income", "age", "share", "y"):
        pattern = random.choice(["{}", "{} kg", "{} €", "{}%"])
        columns[name] = respell([c.lstrip("-") for c in columns[name]], pattern, decimal, thousands)
    signs = [cell.startswith("-") for cell in plain_columns()["y"]]
    wrap = random.choice(["({})", "-{}", "\u2212{}"])
    columns["y"] = [
        wrap.format(c) if minus else c for c, minus in zip(columns["y"], signs, strict=True)
    ]
    table = read(columns)
    pd.testing.assert_frame_equal(table.X, plain.X, check_exact=True)
    pd.testing.assert_series_equal(table.y, plain.y, check_exact=True)


def test_columns_read_in_one_way_share_a_line_and_many_are_counted():
    columns = {f"x{k}": ["1,5", "2,5", "0,25"] for k in range(20)}
    (line,) = told(read(columns))
    assert line == "x0, x1, x2, x3, x4, x5, x6, x7, and 12 more: read as numbers, decimal mark ','."


def test_leading_zeros_of_features_are_no_part_of_a_number():
    assert read({"age": ["007", "010"]}).X["age"].tolist()[:2] == [7.0, 10.0]


# which mark is the decimal one


@pytest.mark.parametrize(
    "changed, options, value",
    [
        ({"x": ["1,234", "12,5"]}, {}, 1.234),
        ({"x": ["1,234", "1,234,567"]}, {}, 1234.0),
        ({"x": ["1.234", "1.234.567"]}, {}, 1234.0),
        ({"x": ["1,234", "5,678"], "a": ["44.4", "3"]}, {}, 1234.0),
        ({"x": ["1,234", "5,678"], "y": ["44.4", "3", "5"]}, {}, 1234.0),
        ({"x": ["1,234", "5,678"], "a": ["44,4", "3"]}, {}, 1.234),
        ({"x": ["1.234", "5.678"], "a": ["44,4", "3"]}, {}, 1234.0),
        ({"x": ["1.234", "5.678"], "a": ["1,234,567", "3"]}, {}, 1.234),
        ({"x": ["1.234", "5.678"]}, {}, 1.234),
        ({"x": ["1.234", "-", ""]}, {}, 1.234),
        ({"x": ["1.234", "5.678"], "a": ["44,4", "3"], "y": ["4.4", "3", "5"]}, {}, 1.234),
        ({"x": ["1,234", "5,678"]}, {"decimal": ","}, 1.234),
        ({"x": ["1,234", "5,678"]}, {"decimal": "."}, 1234.0),
        ({"x": ["1,234", "5,678"]}, {"thousands": ","}, 1234.0),
        ({"x": ["1.234", "5.678"]}, {"thousands": "."}, 1234.0),
        ({"x": ["1.234 kr", "5.678 kr"]}, {"decimal": "."}, 1.234),
        ({"x": ["1,234", "5,678"], "a": ["44.4", "3"]}, {"decimal": ","}, 1.234),
        ({"x": ["1.234", "0.5"]}, {"decimal": ","}, 1.234),
    ],
)
def test_the_decimal_mark_is_that_of_the_column_then_of_the_option_then_of_the_file(
    changed, options, value
):
    table = read(changed, whole=True, **options)
    assert table.X["x"][0] == value
    assert table.X["a"][0] in (1.0, 44.4, 1234567.0)


@pytest.mark.parametrize(
    "changed, cell",
    [
        ({"x": ["1,234", "5,678"]}, "'1,234' in row 1"),
        ({"x": ["5", "1,234"], "a": ["44,4", "3"], "y": ["4.4", "3", "5"]}, "'1,234' in row 2"),
        ({"x": ["1.234 kr", "5.678 kr"]}, "'1.234 kr' in row 1"),
    ],
)
def test_a_mark_that_may_be_either_is_asked_for(changed, cell):
    with pytest.raises(ValueError) as caught:
        read(changed, whole=True)
    mark = "," if "," in cell else "."
    assert f"column 'x' has {cell}, where {mark!r} may" in str(caught.value)
    assert f"add --thousands {mark} or --decimal {mark} to say which" in str(caught.value)


GROUPS = ["987", "1.234", "12.345"]  # of people, or with three decimals


@pytest.mark.parametrize(
    "sep, changed",
    [
        (",", {"x": GROUPS}),
        (";", {"x": GROUPS}),
        ("\t", {"x": GROUPS}),
        (";", {"x": GROUPS[1:]}),
        (",", {"x": [*GROUPS, "-", ""]}),
        (",", {"x": ["0", "-1.234"]}),
        (",", {"x": GROUPS, "a": ["4.4", "3"], "y": ["4,4", "3", "5"]}),
        (";", {"x": GROUPS, "chapter": ["2.1", "14.30"]}),
        (";", {"x": ["1,234", "5", "2,125"], "chapter": ["2.1", "14.30"]}),
        (";", {"x": ["1,234", "5", "2,125"], "when": ["14.30", "noon", "night"]}),
        (";", {"a": GROUPS}),
        (";", {"y": GROUPS}),
    ],
)
def test_thousands_beside_whole_numbers_or_between_semicolons_are_asked_for(sep, changed):
    with pytest.raises(ValueError, match="may separate thousands or mark decimals; add --thou"):
        read(changed, whole=True, cells_apart=sep)


@pytest.mark.parametrize(
    "sep, changed, value",
    [
        (",", {"x": GROUPS[1:]}, 1.234),
        (",", {"x": [*GROUPS[1:], "0.699"]}, 1.234),
        (",", {"x": [*GROUPS[1:], "987", "1.25"]}, 1.234),
        (",", {"x": [*GROUPS[1:], "987"], "y": ["5.38", "2", "4.5"]}, 1.234),
        (",", {"x": [*GROUPS[1:], "987"], "a": ["0.699"]}, 1.234),
        (";", {"x": GROUPS[1:], "y": ["5.38", "2", "4.5"]}, 1.234),
        (";", {"x": [*GROUPS[1:], "987"], "y": ["5.38", "2", "4.5"], "a": ["0.5"]}, 1.234),
        (";", {"x": [*GROUPS[1:], "987"], "y": ["5,38", "2", "4,5"]}, 1234.0),
        (";", {"x": ["1,234", "5"], "y": ["5.38", "2", "4.5"], "a": ["0.5"]}, 1234.0),
        (";", {"x": ["1.234", "5"], "y": ["1.234", "1.234.567", "2"]}, 1234.0),
    ],
)
def test_decimals_that_the_file_shows_are_not_asked_for(sep, changed, value):
    assert read(changed, whole=True, cells_apart=sep).X["x"][0] == value


@pytest.mark.parametrize("option, value", [({"decimal": "."}, 1.234), ({"thousands": "."}, 1234.0)])
def test_an_option_settles_plain_numbers_that_may_be_thousands(option, value):
    table = read({"x": GROUPS}, whole=True, cells_apart=";", **option)
    assert table.X["x"].tolist()[:2] == [987.0, value]


def test_columns_left_out_and_ids_show_the_decimal_mark_as_others_do():
    columns = {"x": GROUPS, "price": ["1,50", "2,75"]}
    for options in ({}, {"drop": ["price"]}, {"group": "price"}):
        table = read(columns, whole=True, cells_apart=";", **options)
        assert table.X["x"].tolist()[:3] == [987.0, 1234.0, 12345.0]


def typed(columns):
    """Table of a workbook with these columns beside typed decimals."""
    pytest.importorskip("openpyxl")
    columns = {"site": ["s", "t"] * 3, "y": [1.5, 2.25, 4, 8, 9.5, 3.125]} | columns
    pd.DataFrame(columns, dtype=object).to_excel("typed.xlsx", index=False)
    return read_table("typed.xlsx", target="y", task_column="site")


@pytest.mark.parametrize("cell", ["4,715", "4.715"])
@pytest.mark.parametrize("others", [["5"], [5, 2.5]])
def test_typed_numbers_do_not_show_the_decimal_mark_of_text(cell, others):
    with pytest.raises(ValueError, match=f"'{cell}' in row 1, where"):
        typed({"x": ([cell, *others] * 6)[:6]})


def test_typed_numbers_have_a_decimal_point_whatever_their_digits_and_their_neighbours():
    x, z = [1.234, 987, 12.345] * 2, [4.5, "4,25", "1.000,5"] * 2
    table = typed({"x": x, "z": z})
    assert table.X["x"].tolist() == x and table.X["z"].tolist() == [4.5, 4.25, 1000.5] * 2


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("1,5|-2,25|0,001|1,234|12|+3,|,5|1e3|1,5e-2||7".split("|"))))
def test_a_column_with_decimal_commas_is_read_at_one_stroke_as_one_by_one(cells):
    frame = pd.DataFrame({"x": ["0,5", *cells]}, dtype=object)
    reader = Reader("f", frame, separator=";")
    np.testing.assert_array_equal(reader.with_comma("x"), reader.numbers(reader.survey("x")))
    for other in ("1.5", "1,234,567", "1 000,5", "-", "(3,5)"):
        frame = pd.DataFrame({"x": ["0,5", *cells, other]}, dtype=object)
        assert Reader("f", frame, separator=";").with_comma("x") is None


def test_rows_without_a_target_change_no_reading():
    table = read({"x": ["1,234"] * 3 + ["oops"], "y": ["1", "2", "4", ""]} | {"a": ["4.4"] * 4})
    assert table.X["x"].tolist() == [1234.0] * len(table.y)


# words, marks, bounds, units, dates


MARKS = "-|--|\u2013|.|..|?|NA|na|n/a|N/A|n.a.|ND|nan|NULL|<NA>|None|missing|unknown|BDL|<LOD"
MARKS += "|<LLOQ|< LOD|#N/A|#DIV/0!|#VALUE!|#REF!|#NV|*"


@pytest.mark.parametrize("mark", MARKS.split("|"))
def test_each_mark_is_an_empty_cell_of_a_column_of_numbers(mark):
    cells, gap = plain_columns()["age"], np.arange(N) % 3 > 0
    marked, empty = (read({"age": np.where(gap, word, cells).tolist()}) for word in (mark, ""))
    pd.testing.assert_frame_equal(marked.X, empty.X)
    assert f"read as missing: age ({mark!r} in 32 rows)." in marked.notes
    assert not any("read as missing" in note for note in empty.notes)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_column_of_numbers_may_be_mostly_marks(share):
    gap = np.arange(N) < share * N
    cells = np.where(gap, np.resize(["-", "?"], N), plain_columns()["age"]).tolist()
    table = read({"age": cells})
    assert table.X["age"].isna().tolist() == gap.tolist()
    assert np.isfinite(table.transformer.fit_transform(table.X)).all()


def test_marks_are_levels_of_text_and_named_words_are_missing_everywhere():
    words = {"colour": ["red", "-", "NA", "no answer"], "age": ["1", "2.5", "no answer"]}
    table = read(words, na_values=["no answer"])
    assert sorted(set(table.X["colour"])) == ["", "-", "NA", "red"]
    assert table.X["age"].isna().sum() == N // 3
    assert "--na-values 'no answer': read as missing: age (16 rows), colour (12 rows)." in (
        table.notes
    )
    table = read({"site": ["s", "-9", "t"]}, na_values=["-9"])  # no task has no id
    assert set(table.task) == {"s", "t"} and "16 rows without an id left out." in table.notes
    assert any("no cell reads so" in note for note in read({}, na_values=["x"]).notes)


@pytest.mark.parametrize(
    "cells, said",
    [
        (["1", "2", "oops"], "should hold numbers, but row 3 has 'oops'; where that means missing"),
        (["1", "2", "4", "a, b", "none"], "--na-values '\"a, b\",none', else leave the column out"),
        (["1", "2", "-x"], "--na-values='-x'"),
        (["1", "2", "2020-01-01"], "should hold numbers, but row 3 has '2020-01-01'"),
        (["1", "2", "inf"], "column 'age' is infinite in row 3"),
        (["1", "<0.3", "2", "<0.3", "5"], "'<0.3' in row 2, a bound and no number (19 such cells)"),
        (["1", ">60"], "'>60' in row 2, a bound and no number (24 such cells); write a value"),
        (["1", "\u2264 5", "2"], "mark it as missing with --na-values '\u2264 5', or leave"),
        (["1", "< LOD 0.3", "2"], "'< LOD 0.3' in row 2"),
        (["12 kg", "13 kg", "500 g"], "'12 kg' in row 1 and '500 g' in row 3; write all in one"),
        (["$12", "$13", "€5"], "'$12' in row 1 and '€5' in row 3"),
        (["12%", "0.5", "7%"], "'12%' in row 1 and '0.5' in row 2"),
        (["1.2k", "500", "7k"], "'1.2k' in row 1 and '500' in row 2"),
        (["12", "14", "16B"], "row 3"),
        (["1.2 M", "300 k"], "'1.2 M' in row 1 and '300 k' in row 2"),
        (["1,234.5", "30,5"], "'1,234.5' in row 1, with a decimal point, and '30,5' in row"),
        (["2020-01-01", "2020-01-02"], "holds dates or times, as '2020-01-01' in row 1; turn it"),
        ([f"2020-01-01 {k // 60:02}:{k % 60:02}" for k in range(N)], "--drop 'age'"),
        (["1/2/2020", "13/2/2020", "?"], "holds dates or times"),
        (["1.2.2020", "13.02.2020"], "holds dates or times"),
        (["12:30", "7:05 pm"], "holds dates or times"),
        (["3 Jan 2020", "Jan 4, 2020", "Feb-20", "5. März 2020", "1 Oct"], "holds dates or times"),
        (
            ["5.2 H", "6.1 H", "5"],
            "'5.2 H' in row 1 and '5' in row 3; write all in one unit, flags",
        ),
        (["9", "9.5", "10.1 p"], "'10.1 p' in row 3 and '9' in row 1"),
        (["12", "14", "12B"], "'12B' in row 3 and '12' in row 1"),
        (["12", "14", "12C"], "'12C' in row 3 and '12' in row 1"),
        (["1", "2", "3 or more"], "'3 or more' in row 3, a bound and no number (16 such cells)"),
        (["70", "71", "85+"], "'85+' in row 3, a bound and no number"),
        (["3", "4", "5 plus"], "'5 plus' in row 3, a bound and no number"),
    ],
)
def test_what_is_no_number_is_refused_with_the_cure(cells, said):
    with pytest.raises(ValueError) as caught:
        read({"age": cells})
    assert "data.csv: column 'age'" in str(caught.value) and said in str(caught.value)
    assert str(caught.value).count(". ") == 0 and str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "cells",
    [
        ["red", "blue", "3"],
        ["3M", "7-Eleven", "Shell"],
        ["10-20", "20-30", "<10", ">30"],
        ["<=50K", ">50K"],
        ["1.2.3", "1.10.2"],
        ["1/2", "3/4"],
        ["2A", "2B", "3A", "3B"],
        ["1 low", "2 medium", "3 high"],
        ["1011 AB", "3512 JE", "1012 AB", "9711 LM", "1011 XY"],
        ["1st", "2nd", "3rd"],
        ["4th floor", "5th floor", "1st floor", "21st floor"],
        ["ward 7", "ward 12"],
        ["+49 171 234", "030 123 45"],
        ["true", "false", "perhaps"],
        ["May", "June"],
        ["4 decades", "2 marks", "4 novels", "1 sum", "7 marks"],
        ["0", "1+", "2+", "3+"],
        ["2-", "2+", "3"],
        ["12", "14", "12B", "13C"],
    ],
    ids=str,
)
def test_text_stays_text(cells):
    assert read({"age": cells}).X["age"].tolist() == np.resize(cells, N).tolist()


DATES = """1 day, 1:07:00|0:59:00; 0 days 01:07:00|-1 days +23:00:00; 25:30|1:10; 1h30|12 h 05
2h 5min|3h 10min; PT2H|PT1H5M0.5S; P1D|P1Y2M; 03:25.5|04:11.2; 01/2024|12/1999; 31.01.|1.2.
1.2.24|13.02.24; 31 janvier 2024|2 f\u00e9vrier 2023; Mon, 31 Jan 2024|Tue, 1 Feb 2024 10:00:00 GMT
Wed Jan 31 12:00:00 2024|Thu Feb 1 09:30:00 2024; 5 de enero de 2024|6 de mayo de 2023
1st May 2020|22nd June 2021; 2024-Q1|2024-Q2; 2024Q1|Q2 2024; 20240131|19991231; 20240131||-"""


@pytest.mark.parametrize("cells", DATES.replace("\n", ";").split(";"))
def test_dates_and_durations_are_refused_as_such(cells):
    for name in ("age", "y"):
        with pytest.raises(ValueError, match=f"column '{name}' holds dates or times"):
            read({name: [cell.strip() for cell in cells.split("|")]})


def test_numbers_of_eight_digits_are_numbers_unless_all_are_days():
    for cells in (["20240131", "20241301"], ["20240131", "18991231"], ["20240131", "2.5"]):
        assert read({"age": cells}).X["age"].tolist()[:2] == list(map(float, cells))


@pytest.mark.parametrize(
    "cells, value, how",
    [
        (["12,00-", "3,50"], -12.0, "decimal mark ',', those with a minus behind them negative"),
        (["1.234,50- EUR", "3,50 EUR"], -1234.5, "decimal mark ',', 'EUR' left out"),
        (["$ -", "$ 6.50"], 0.0, "'$' left out"),
        (["- \u20ac", "5 \u20ac"], 0.0, "'\u20ac' left out"),
        (["1.0e0000000001", "2.5"], 10.0, None),
        (["12000", "13 kg", "14 kg"], 12000.0, "'kg' left out, and meant also in 16 cells without"),
        (["2", "0", "$1.5"], 2.0, "'$' left out, and meant also in 16 cells without it"),
    ],
)
def test_books_and_units_are_read_and_told_of(cells, value, how):
    table = read({"age": cells})
    assert table.X["age"][0] == value
    assert told(table) == [] if how is None else how in told(table)[0]


def test_truth_values_may_stand_beside_zeros_and_ones():
    assert read({"age": ["TRUE", "1", "0", "false"]}).X["age"].tolist()[:4] == [1.0, 1.0, 0.0, 0.0]
    assert read({"y": ["TRUE", "1", "0", "false"]}).y.tolist()[:4] == [True, True, False, False]


def test_a_named_number_is_missing_in_each_spelling_with_zeros_behind_it():
    table = read({"age": ["99", "99.00", "990", "99.5", "199.0"]}, na_values=["99"])
    assert table.X["age"].isna().tolist()[:5] == [True, True, False, False, False]
    assert set(read({"site": ["99.0", "1"]}, na_values=["99"]).task) == {"99.0", "1"}


@pytest.mark.parametrize("mark", ["", "-"])
def test_a_column_without_a_value_is_left_out_and_told_of(mark):
    table = read({"age": [mark]})
    assert "age" not in table.X and "age has no value; left out." in table.notes
    assert not any("median" in note for note in table.notes)
    assert np.isfinite(table.transformer.fit_transform(table.X)).all()
    with pytest.raises(ValueError, match=r"no value in any feature \(a\) in the 4 rows with"):
        read({"a": [mark]}, whole=True)


def test_long_cells_are_text_and_take_no_time():
    n = 60000  # a pattern that goes back at each character takes hours
    cells = ["$" + " " * n + "x", "1" * n + "(", "(" + "1" * n, "<" + "1," * n, "-" * n, "," * n]
    assert read({"age": cells}).X["age"].tolist()[:6] == cells


def test_money_and_a_unit_of_most_cells_may_stand_beside_plain_numbers():
    assert read({"age": ["$1.5", "2", "0"]}).X["age"].tolist()[:3] == [1.5, 2.0, 0.0]
    assert read({"age": ["1.5 kg", "2 kg", "4"]}).X["age"].tolist()[:3] == [1.5, 2.0, 4.0]
    assert read({"age": ["15%", "2%", "0"]}).X["age"].tolist()[:3] == [15.0, 2.0, 0.0]

    for cells in (["1 year", "2 years"], ["1 \u00b5g/ml", "2 \u03bcg/ml"], ["1 sq ft", "2 sq ft"]):
        assert read({"age": cells}).X["age"].tolist()[:2] == [1.0, 2.0]


# targets


@pytest.mark.parametrize(
    "cells, values",
    [
        (["1,0", "1,3", "2,7"], [1.0, 1.3, 2.7]),
        (["$1,000", "$2,500", "$1,250"], [1000.0, 2500.0, 1250.0]),
        (["5%", "7%", "?", "9%"], [5.0, 7.0, 9.0]),
        (["10 kr", "-", "12 kr", "20 kr"], [10.0, 12.0, 20.0]),
    ],
)
def test_a_target_of_spelt_numbers_is_a_regression(cells, values):
    table = read({"y": cells})
    assert table.classes is None and table.y.tolist()[: len(values)] == values


@pytest.mark.parametrize(
    "cells, classes",
    [
        (["<=50K", ">50K"], ["<=50K", ">50K"]),
        (["+", "-"], ["+", "-"]),
        (["1,0", "2,0"], [1.0, 2.0]),
        (["2A", "2B", "3A"], ["2A", "2B", "3A"]),
        (["true", "FALSE", "?"], [False, True]),
    ],
)
def test_text_truth_values_and_two_whole_numbers_are_classes_in_any_spelling(cells, classes):
    assert read({"y": cells}).classes == classes


@pytest.mark.parametrize("mark", ["-", "?", "N.A.", "NA", "n/a", "unknown", "missing"])
def test_a_mark_in_a_target_of_text_is_a_missing_label(mark):
    table = read({"y": ["yes", "no", mark]})
    assert table.classes == ["no", "yes"] and len(table.y) == 2 * N // 3
    assert f"read as missing: y ({mark!r} in {N // 3} rows)." in table.notes


@pytest.mark.parametrize("mark", ["-", "?", "NA"])
def test_a_mark_that_is_one_of_two_values_is_a_class(mark):
    table = read({"y": ["+", mark, ""]})
    assert table.classes == ["+", mark] and not any("read as" in note for note in table.notes)


def test_few_whole_numbers_are_a_regression_that_says_how_to_make_classes_of_them():
    said = (
        "regression: y is a number with 3 distinct values; --classification makes classes of them."
    )
    assert said in read({"y": ["0", "1", "2"]}).notes
    for cells, options in (
        (["0", "1", "2"], {"classification": False}),
        (["0", "1", "2"], {"classification": True}),
        (["0", "1", "2.5"], {}),
        (["0", "1"], {}),
        (list(map(str, range(11))), {}),
    ):
        assert not any("regression:" in note for note in read({"y": cells}, **options).notes)


def test_regression_makes_amounts_of_two_numbers_and_of_truth_values():
    for cells, values in ((["1", "2"], [1.0, 2.0]), (["true", "false"], [1.0, 0.0])):
        table = read({"y": cells}, classification=False)
        assert table.classes is None and table.y.tolist()[:2] == values


@pytest.mark.parametrize(
    "cells, options, said",
    [
        (["1", "2.5", "oops"], {}, "row 3 has 'oops'; where that means missing add --na-values"),
        (["1", "2.5", "oops"], {}, "else add --classification if its values are classes"),
        (["1", "2.5", "<3"], {}, "'<3' in row 3, a bound and no number"),
        (["u", "v"], {"classification": False}, "else leave out --regression if its values are cl"),
        (["2020-01-01", "2020-01-02"], {}, "'y' holds dates or times"),
        (["1 kg", "2 kg", "5 g"], {}, "write all in one unit"),
    ],
)
def test_a_target_that_is_no_column_of_numbers_is_refused_with_the_cure(cells, options, said):
    with pytest.raises(ValueError) as caught:
        read({"y": cells}, **options)
    assert said in str(caught.value)


def test_one_target_of_amounts_makes_all_amounts():
    columns = plain_columns() | {"v": ["0", "1"], "w": ["1,5", "2,5", "0,25"]}
    table = read_table(write(columns), targets=["v", "w"], drop=["site"])
    assert table.classes is None and table.y["w"].tolist()[:2] == [1.5, 2.5]
    with pytest.raises(ValueError, match="column 'site' should hold numbers, but row 1 has 's0'"):
        read_table(write(columns), targets=["v", "w", "site"])


# the command line


def run(capsys, *arguments):
    try:
        status = _cli.main(list(arguments))
    except SystemExit as exit:
        status = exit.code
    return (status, *capsys.readouterr())


def test_options_reach_the_file_and_notes_reach_the_json(capsys):
    columns = {"a": ["1", "2", "3"], "x": ["1,234", "5,678", "nil"], "site": ["s", "t"]}
    columns |= {"y": [str(k % 11) for k in range(N)]}
    path, options = write(columns), ["--thousands", ",", "--na-values", "nil", "--json", "o.json"]
    status, out, error = run(capsys, "compare", path, *LONG, *options)
    assert (status, error) == (0, "")
    assert "x: read as numbers, thousands separated by ','." in out
    with open("o.json", encoding="utf-8") as file:
        notes = json.load(file)["notes"]
    assert notes and all(note in out.splitlines() for note in notes)


def test_regression_settles_what_two_numbers_are(capsys):
    path = write(plain_columns() | {"y": ["1", "2", "2", "1", "2"]})
    assert "explained variance" in run(capsys, "compare", path, *LONG, "--regression")[1]


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--regression"], "--regression needs a file"),
        (["--decimal", ","], "--decimal needs a file"),
        (["--thousands", ","], "--thousands needs a file"),
        (["--na-values", "x"], "--na-values needs a file"),
        (["f.csv", *LONG, "--decimal", ",", "--thousands", ","], "are both ','; give two differ"),
        (["f.csv", *LONG, "--decimal", ";"], "--decimal"),
        (["f.csv", *LONG, "--regression", "--classification"], "or --regression, not both"),
    ],
)
def test_options_of_reading_that_cannot_be_met_are_refused_in_one_line(capsys, arguments, said):
    status, _, error = run(capsys, "compare", *arguments)
    assert status == 2 and said in error and error.count("\n") == 1
