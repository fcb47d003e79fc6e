"""Files of every kind as cells: what is read, how it is told, and what is refused."""

import bz2
import csv
import datetime
import gzip
import io
import lzma
import os
import re
import sys
import zipfile
from decimal import Decimal
from types import SimpleNamespace
from unicodedata import normalize

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skmtl import _cli
from skmtl._tables import read_table
from skmtl._tables._cells import read_cells
from skmtl._tables._rows import INVISIBLE

LONG = {"target": "y", "task_column": "site"}


def sites(n=24):
    """Frame of an ordinary table: numbers, a gap, words that are no ASCII."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"income": rng.integers(10**4, 10**5, n), "share": rng.random(n)})
    frame.loc[3, "share"] = np.nan
    frame["colour"] = np.resize(["röd", "blå", "grön"], n)
    frame["site"] = np.resize(["Åre, n", "Östersund s", "Falun"], n)
    return frame.assign(y=rng.normal(size=n))


def text(frame=None, **options):
    return (sites() if frame is None else frame).to_csv(index=False, **options)


def save(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.fixture
def read(tmp_path):
    """Reads content as a file of that name."""

    def read(content, name="data.csv", **options):
        return read_cells(save(tmp_path / name, content), **options)

    return read


def padded(blank):
    return "".join(
        ",".join(f'"{blank}{cell}{blank}"' for cell in row) + "\n"
        for row in csv.reader(io.StringIO(text()))
    )


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_csv", ".csv").replace("SLASH", "/"), content)
    return stream.getvalue()


def workbook(frame=None, **options):
    pytest.importorskip("openpyxl")
    stream = io.BytesIO()
    (sites() if frame is None else frame).to_excel(stream, **{"index": False} | options)
    return stream.getvalue()


def sheets(**frames):
    pytest.importorskip("openpyxl")
    stream = io.BytesIO()
    with pd.ExcelWriter(stream) as writer:
        for name, frame in frames.items():
            frame.to_excel(writer, sheet_name=name, index=False)
    return stream.getvalue()


def columnar(write, frame=None):
    stream = io.BytesIO()
    getattr(sites() if frame is None else frame, write)(stream)
    return stream.getvalue()


# every kind of file is the same table


WAYS = {
    "byte order mark": (lambda: text().encode("utf-8-sig"), None),
    "semicolons": (lambda: text(sep=";"), "separated by ';'"),
    "semicolons, decimal commas": (lambda: text(sep=";").replace(".", ","), "separated by ';'"),
    "tabs": (lambda: text(sep="\t"), "separated by tabs"),
    "bars": (lambda: text(sep="|"), "separated by '|'"),
    "blanks": (lambda: re.sub("(?<!,) ", "   ", text(sep=" ", na_rep="NA")), "separated by blanks"),
    "all in quotes": (lambda: text(quoting=csv.QUOTE_ALL), None),
    "utf-16": (lambda: text().encode("utf-16"), "text in utf-16"),
    "utf-16-be": (lambda: text().encode("utf-16-be"), "text in utf-16-be"),
    "utf-16-le": (lambda: text().encode("utf-16-le"), "text in utf-16-le"),
    "utf-32": (lambda: text().encode("utf-32"), "text in utf-32"),
    "latin-1": (lambda: text().encode("latin-1"), "text in cp1252 (a guess; --encoding"),
    "comments": (lambda: "# of, 2024\n% x\n\n// y\n" + text(), "3 lines before the header"),
    "commented header": (lambda: "# of 2024\n#" + text(), "1 line before the header"),
    "title": (lambda: "Survey\n" + text(), "1 line before the header left out ('Survey')"),
    "title of five cells": (lambda: "Survey,2024,,,\n,,,,\n" + text(), "('Survey 2024')"),
    "title with commas": (lambda: "By a, b, c\nof 2024\n" + text(), "2 lines before"),
    "separator at the end of rows": (lambda: re.sub(r"(?<=\d)\n", ",\n", text()), None),
    "Ctrl-Z": (lambda: text() + "\x1a", None),
    "accents apart": (lambda: normalize("NFD", text()), None),
    "blank rows": (lambda: text().replace("\n", "\n,,,,\n \n"), None),
    "thin blanks": (lambda: padded("\u2009\u200b"), None),
    "no-break blanks": (lambda: padded("\xa0 \t"), None),
    "gzip": (lambda: gzip.compress(text().encode()), "unpacked by gzip"),
    "bzip2": (lambda: bz2.compress(text().encode()), "unpacked by bz2"),
    "xz, semicolons": (lambda: lzma.compress(text(sep=";").encode()), "lzma; cells separated"),
    "zip": (
        lambda: zipped(a_csv=text(), **{"__MACOSXSLASH._a_csv": "?", ".DS_Store": "?"}),
        "unpacked 'a.csv'",
    ),
    "workbook": (workbook, None),
    "workbook, away from the corner": (
        lambda: workbook(startrow=2, startcol=1),
        "1 column without",
    ),
    "workbook in gzip": (lambda: gzip.compress(workbook()), "unpacked by gzip"),
    "Parquet": (lambda: columnar("to_parquet"), None),
    "Parquet with an index": (
        lambda: columnar("to_parquet", sites().set_index(["site", "income"])),
        None,
    ),
    "Feather": (lambda: columnar("to_feather"), None),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_kind_of_file_gives_the_table_of_plain_csv(tmp_path, way):
    make, said = WAYS[way]
    plain = read_table(save(tmp_path / "plain.csv", text()), **LONG)
    content = make()
    decimals = "decimal" in way
    path = save(tmp_path / "misnamed.dat", content)
    if decimals:  # how numbers are spelt is not told here
        cells, notes = read_cells(path)
        expected = read_cells(str(tmp_path / "plain.csv"))[0]
        expected = expected.map(lambda cell: cell.replace(".", ",")).astype(object)
        pd.testing.assert_frame_equal(cells, expected)
    else:
        table = read_table(path, **LONG)
        notes = table.notes
        pd.testing.assert_frame_equal(table.X[plain.X.columns], plain.X)
        pd.testing.assert_series_equal(table.y, plain.y)
        assert table.task.tolist() == plain.task.tolist()
    if said is None:
        assert not any("how it was read" in note for note in notes)
    else:
        assert said in notes[0]


def test_cells_are_text_without_blanks_in_rows_that_count_from_0(read):
    frame, notes = read("\ufeff a\u2009,\u200bb ,c\n\n \xa01 , x y ,\n,,\n2\t,'z',\u3000\n")
    assert set(frame.dtypes) == {np.dtype(object)} and frame.index.equals(pd.RangeIndex(2))
    assert frame.columns.tolist() == ["a", "b", "c"]
    assert frame.to_numpy().tolist() == [["1", "x y", ""], ["2", "'z'", ""]]
    assert notes == []


def test_all_that_python_calls_blank_is_stripped():
    assert {c for c in map(chr, range(sys.maxunicode + 1)) if c.isspace()} < set(INVISIBLE)


LETTERS = st.characters(codec="cp1252", exclude_categories=["C"])
WORDS = st.text(LETTERS | st.sampled_from(',;\t| "\n'), max_size=5)
NAMES = st.text(st.sampled_from("aäbß c"), min_size=1).map(str.strip).filter(bool)


@st.composite
def tables(draw):
    names = draw(st.lists(NAMES, min_size=2, max_size=4, unique=True))
    row = st.tuples(WORDS.map("x{}".format), *[WORDS] * (len(names) - 1))
    return names, draw(st.lists(row, min_size=1, max_size=5))


@settings(max_examples=80, deadline=None)
@given(
    table=tables(),
    sep=st.sampled_from(",;\t|~"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    ending=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "utf-16-be"]),
)
def test_what_is_written_is_read(tmp_path_factory, table, sep, quoting, ending, encoding):
    names, rows = table
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=sep, quoting=quoting, lineterminator=ending).writerows(
        [names, *rows]
    )
    path = str(tmp_path_factory.getbasetemp() / "written.csv")
    with open(path, "wb") as file:
        file.write(stream.getvalue().encode(encoding))
    expected = [[cell.strip(INVISIBLE) for cell in row] for row in rows]
    frame, _ = read_cells(path, sep=sep, encoding=encoding)
    assert frame.columns.tolist() == names and frame.to_numpy().tolist() == expected
    if sep != "~":
        # another separator may divide all rows too: then it is asked for, and never guessed
        try:
            frame, _ = read_cells(path, encoding=encoding)
        except ValueError as error:
            assert "say with --sep which" in str(error)
        else:
            assert frame.columns.tolist() == names and frame.to_numpy().tolist() == expected


@pytest.mark.parametrize(
    "content, names, first",
    [
        ("a;y;s\n1,5;2,5;x\n", ["a", "y", "s"], ["1,5", "2,5", "x"]),
        ("s;1990;1991\nn;1,5;20\ns;2,5;20\n", ["s", "1990", "1991"], ["n", "1,5", "20"]),
        ("a y s\n1,5  2,5 x\n", ["a", "y", "s"], ["1,5", "2,5", "x"]),
        ("a kr,s\n3,north a\n4,south b\n", ["a kr", "s"], ["3", "north a"]),
        ("title of it\na kr;s\n3;north a\n", ["a kr", "s"], ["3", "north a"]),
        ("sep=;\na;b\n1;2\n", ["a", "b"], ["1", "2"]),
        ("# a b c\n1.0 2.0 3.0\n", ["a", "b", "c"], ["1.0", "2.0", "3.0"]),
        ("# in kr, in years\na,b\n1,2\n", ["a", "b"], ["1", "2"]),
        ('a,b\n1,"x;y|z"\n2,"x;y|z"\n', ["a", "b"], ["1", "x;y|z"]),
        ("Report, 2024\nmore; stuff\n\nid,x,y\n1,2,3\n4,5,6\n", ["id", "x", "y"], ["1", "2", "3"]),
    ],
)
def test_the_separator_and_the_header_are_found(read, content, names, first):
    frame, _ = read(content)
    assert frame.columns.tolist() == names
    assert frame.iloc[0].tolist() == first


@pytest.mark.parametrize("sep", ["~", "semicolon", ";", "\\t", "\t", "TAB", "bar", "pipe", "blank"])
def test_separators_are_named(read, sep):
    mark = {"semicolon": ";", "\\t": "\t", "tab": "\t", "bar": "|", "pipe": "|", "blank": " "}
    content = text(sep=mark.get(sep.lower(), sep), na_rep="NA")
    pd.testing.assert_frame_equal(read(content, sep=sep)[0], read(text(na_rep="NA"))[0])


def test_an_encoding_that_is_named_is_taken(read):
    content = "a,b\n\u0431\u0430\u0440,1\n"
    assert read(content.encode("cp1251"), encoding="cp1251")[0]["a"][0] == "\u0431\u0430\u0440"
    frame, notes = read(content.encode("cp1251"))
    assert frame["a"][0] == "áàð" and "--encoding" in notes[0]


# cells that are no text in the file


def typed(frame):
    frame = frame.astype({"whole": "float64"})
    frame["truth"] = [True, False]
    frame["day"] = pd.to_datetime(["2020-01-01", "2021-12-31"])
    frame["time"] = [datetime.datetime(2020, 1, 1, 4, 5, 6)] * 2
    frame["large"], frame["small"] = [2**50, 1e300], [0.1, 1e-7]
    frame["padded"] = ["007", " NA "]
    return frame.assign(gap=[np.nan, 2.5])


@pytest.mark.parametrize("kind", ["workbook", "to_parquet", "to_feather"])
def test_typed_cells_are_what_csv_would_hold(read, kind):
    frame = typed(pd.DataFrame({"whole": [7, 12]}))
    content = workbook(frame) if kind == "workbook" else columnar(kind, frame)
    cells, _ = read(content)
    first = ["7", "True", "2020-01-01", "2020-01-01 04:05:06", str(2**50), "0.1", "007", ""]
    second = ["12", "False", "2021-12-31", "2020-01-01 04:05:06", "1e+300", "1e-07", "NA", "2.5"]
    assert cells.to_numpy().tolist() == [first, second]


def test_integers_beside_gaps_keep_all_digits(read):
    frame = pd.DataFrame({"id": pd.array([2**60 + 1, None], dtype="Int64"), "x": [1, 2]})
    frame["money"] = [Decimal("1.50"), None]
    frame["date"] = [datetime.date(2020, 1, 2), None]
    cells = read(columnar("to_parquet", frame))[0].to_numpy().tolist()
    assert cells == [[str(2**60 + 1), "1", "1.50", "2020-01-02"], ["", "2", "", ""]]


@settings(max_examples=30, deadline=None)
@given(numbers=st.lists(st.floats(allow_infinity=False) | st.integers(-(2**53), 2**53), min_size=1))
def test_numbers_keep_their_value(tmp_path_factory, numbers):
    frame = pd.DataFrame({"x": np.array(numbers, float), "y": 1})
    path = str(tmp_path_factory.getbasetemp() / "numbers.parquet")
    frame.to_parquet(path)
    cells = read_cells(path)[0]["x"]
    np.testing.assert_array_equal([float(cell or "nan") for cell in cells], frame["x"])


def test_a_workbook_of_charts_alone_is_refused(read):
    book = pytest.importorskip("openpyxl").Workbook()
    book.create_chartsheet("Chart")
    book.remove(book.active)
    stream = io.BytesIO()
    book.save(stream)
    with pytest.raises(ValueError, match="save it"):
        read(stream.getvalue())


def test_a_sheet_is_chosen_by_name_or_number_and_else_the_first(read):
    one, two = pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame({"c": [1], "d": [2]})
    content = sheets(**{"One": one, "1": two})
    for sheet, names in ((None, "ab"), ("One", "ab"), ("1", "cd"), ("2", "cd")):
        frame, notes = read(content, sheet=sheet)
        assert frame.columns.tolist() == list(names)
        assert "of 'One', '1' (--sheet names another)" in notes[0]


# refusals


def broken(content):
    return content[: len(content) // 2]


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99)
REFUSALS = {
    "two separators": ("a,b;c,d\n1,2;3,4\n", {}, "',' and ';' divide all of its rows alike"),
    "ragged": ("a,b\n1,2\n1,2,3\n", {}, "header has 2; put a cell that holds ',' in quotation"),
    "ragged below a title": ("T\na;b\n1;2\n1;2;3\n", {}, "row 2 has 3 cells, but the header has 2"),
    "ragged, decimal commas": ("a;b\n1,5;2\n1,5\n", {}, "row 2 has 1 cell, but the header has 2"),
    "short header": ("a,b\n1,2,3\n4,5,6\n", {}, "header has 2; cells are separated by ','; --sep"),
    "lacking cell": (
        "a,b,c\n1,2\n" + 3 * "1,2,3\n",
        {},
        "row 1 has 2 cells, but the header has 3; write",
    ),
    "comment below": (
        "a,b,c\n1,2,3\n# x, y\n1,2,3\n",
        {},
        "row 2 has 2 cells, but the header has 3; take",
    ),
    "line in quotes": ('a,b,c\n1,"x\n1,y",3,4\n1,2,3\n', {}, "quotation marks around its cell"),
    "footnote": (
        "a,b,c\n1,2,3\n4,5,6\nsource: us\n",
        {},
        "the header has 3; take the last line out",
    ),
    "one column": ("a\n1\n", {}, "one column only, 'a' (cells are separated by ','; --sep"),
    "wrong separator": ("a,b\n1,2\n", {"sep": ";"}, "one column only, 'a,b'"),
    "no separator": ("a,b\n1,2\n", {"sep": "xy"}, "--sep must be one character, or one of comma"),
    "quote as separator": ("a,b\n1,2\n", {"sep": '"'}, "--sep must be one character"),
    "only commas": (",,\n,,\n", {}, "no filled cell"),
    "comments only": ("# a\n# b\n", {}, "no filled cell"),
    "quotation mark": (
        '# c\nT,\na,b\n1,2\n3,"4\n5,6\n',
        {},
        "mark in row 2 lacks its partner; take it out, or",
    ),
    "quoted header": ('a,"b\n1,2\n', {}, "a quotation mark in the header lacks its partner"),
    "same names": ("a, a\n1,2\n", {}, "two columns named 'a'; rename one"),
    "header only": ("a,b\n", {}, "has a header but no rows"),
    "empty": ("", {}, "is empty"),
    "blank": (" \n\ufeff\n", {}, "no filled cell"),
    "empty gzip": (gzip.compress(b""), {}, "is empty"),
    "half a gzip": (broken(gzip.compress(text().encode())), {}, "is damaged or cut short; copy"),
    "half a bzip2": (broken(bz2.compress(text().encode())), {}, "is damaged or cut short; copy"),
    "half an xz": (broken(lzma.compress(text().encode())), {}, "is damaged or cut short; copy"),
    "half a zip": (broken(zipped(a_csv=text())), {}, "is damaged or cut short; copy"),
    "two in a zip": (zipped(a_csv="a", b_csv="b"), {}, "holds 2 files, 'a.csv', 'b.csv'; unpack"),
    "none in a zip": (zipped(), {}, "holds no file"),
    "half a Parquet": (broken(columnar("to_parquet")), {}, "is not text, nor an Excel, Parquet"),
    "half a Feather": (
        broken(columnar("to_feather")),
        {},
        "cannot be read as a file of kind feath",
    ),
    "no Parquet": (b"PAR1" + bytes(9) + b"PAR1", {}, "cannot be read as a file of kind parquet"),
    "password": (OLE + "EncryptedPackage".encode("utf-16-le"), {}, "protected by a password; save"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0" + bytes(range(256)), {}, "is not text, nor"),
    "controls": (b"a,b\n\xff\xe4,\x01\x02", {}, "is not text in 'utf-8', nor"),
    "PDF": (b"%PDF-1.4\n\xff\xe4\x01\x02", {}, "is a PDF; save the table itself as CSV"),
    "JSON": ('[\n {"a": 1}]', {}, "is JSON; save it as CSV"),
    "HTML": ("\ufeff<!DOCTYPE html>\n<p>", {}, "is HTML or XML; open it"),
    "zstd": (b"\x28\xb5\x2f\xfd\0\0", {}, "is packed by zstd; unpack it first"),
    "two colons": ("a::b\n1::2\n", {}, "replace '::' in the file by a tab"),
    "NUL": (b"a,b\n1,\0\n", {}, "is not text, nor"),
    "no cp1252": (b"a,b\n\x81,1\n", {}, "not text in 'utf-8', 'cp1252', nor"),
    "no utf-8": (b"a,b\n\xe4,1\n", {"encoding": "utf-8"}, "not text in 'utf-8', nor"),
    "unknown encoding": ("a,b\n1,2\n", {"encoding": "utf8000"}, "--encoding 'utf8000' is unknown"),
    "no encoding of text": ("a,b\n1,2\n", {"encoding": "hex"}, "--encoding 'hex' is unknown"),
    "sheet of text": ("a,b\n1,2\n", {"sheet": "1"}, "is a text file, to which --sheet does not"),
    "separator of Parquet": (columnar("to_parquet"), {"sep": ","}, "to which --sep does not apply"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_read_is_refused_with_the_cure(read, case):
    content, options, named = REFUSALS[case]
    with pytest.raises(ValueError) as refusal:
        read(content, **options)
    assert named in str(refusal.value)


@pytest.mark.parametrize("first, last", [(6, 7), (6, 39), (1, 60)])
def test_quotation_marks_around_rows_are_refused_with_their_row(read, first, last):
    rows = ["s0,text,3"] * 60
    rows[first - 1], rows[last - 1] = 's2,"good,0', 's2,bad",3'
    said = f"row {first} has a quotation mark before 'good,0' and the next one stands "
    with pytest.raises(ValueError, match=f"{said}{last - first} lines? below, in 's2,bad'"):
        read("\n".join(["site,word,y", *rows, ""]))


def test_lines_of_text_in_quotes_are_no_rows(read):
    lines = "by car, 2 days\nby train, 3 nights, and\non foot"
    frame, _ = read(f'site,word,y\na,"{lines}",3\nb,none,4\n')
    assert frame["word"].tolist() == [lines, "none"]


def test_a_first_sheet_of_one_line_is_refused_with_the_others(read):
    content = sheets(Read_me=pd.DataFrame(columns=["of 2024", "x"]), Data=sites())
    with pytest.raises(
        ValueError, match=r"no rows [(]sheet 'Read_me' of 'Read_me', 'Data' [(]--sheet"
    ):
        read(content)


def test_workbooks_that_cannot_be_read_are_refused_with_the_cure(read):
    frame = pd.DataFrame({"a": [1], "b": [2]})
    both = sheets(None_here=pd.DataFrame(), Data=frame)
    for content, options, named in (
        (both, {}, "sheet 'None_here' is empty; name another of 'None_here', 'Data' with --sheet"),
        (
            both,
            {"sheet": "3"},
            "no sheet '3'; --sheet names one of 'None_here', 'Data', or its num",
        ),
        (both, {"sheet": "data"}, "no sheet 'data'"),
        (both, {"encoding": "utf-8"}, "is a workbook file, to which --encoding does not apply"),
        (broken(both), {}, "is damaged or cut short"),
        (zipped(**{"xlSLASHworkbook.xml": "<a/>"}), {}, "cannot be read as a file of kind xlsx ("),
    ):
        with pytest.raises(ValueError) as refusal:
            read(content, **options)
        assert named in str(refusal.value)


@pytest.mark.parametrize(
    "absent, content, named",
    [
        ("pyarrow", columnar("to_parquet"), 'pip install "skmtl[files]"'),
        ("openpyxl", zipped(**{"xlSLASHworkbook.xml": ""}), 'pip install "skmtl[files]"'),
        ("xlrd", OLE, "pip install xlrd`, or save the file as CSV"),
        ("odf", zipped(**{"content.xml": ""}), "pip install odfpy`, or save the file as CSV"),
    ],
)
def test_a_package_that_is_missing_is_named(read, monkeypatch, absent, content, named):
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(ImportError) as refusal:
        read(content)
    assert named in str(refusal.value)


@pytest.mark.skipif(os.name == "nt", reason="folders and permissions of POSIX")
def test_files_that_cannot_be_opened_are_refused_with_the_cure(tmp_path, monkeypatch):
    closed = save(tmp_path / "closed.csv", "a,b\n1,2\n")
    os.chmod(closed, 0)
    wanted = {str(tmp_path / "none.csv"): "check its name", str(tmp_path): "name a file in it"}
    if os.geteuid() != 0:
        wanted[closed] = "ask its owner"
    for path, named in wanted.items():
        with pytest.raises(ValueError) as refusal:
            read_cells(path)
        assert str(refusal.value).startswith(f"cannot read {path}: ") and named in str(
            refusal.value
        )


# on the command line


@pytest.fixture
def compare(capsys):
    """Runs `compare` on long data: (status, stdout, stderr)."""

    def run(*arguments):
        long = ["--target", "y", "--task-column", "site", "--repeats", "2"]
        return (_cli.main(["compare", *arguments, *long]), *capsys.readouterr())

    return run


@pytest.mark.parametrize("pack", [str.encode, lambda content: gzip.compress(content.encode())])
def test_a_dash_is_standard_input_packed_or_not(compare, tmp_path, monkeypatch, pack):
    expected = compare(save(tmp_path / "plain.csv", text()))[1].splitlines()[-1]
    stream = SimpleNamespace(buffer=io.BytesIO(pack(text(sep=";"))))
    monkeypatch.setattr(sys, "stdin", stream)
    status, out, error = compare("-")
    assert (status, error) == (0, "")
    assert out.startswith("standard input: 24 rows, 3 features, 3 tasks")
    assert "cells separated by ';'" in out and out.splitlines()[-1] == expected


def test_options_of_files_reach_them(compare, tmp_path):
    path = save(tmp_path / "data.txt", text(sep="~").encode("cp1251", "replace"))
    status, out, _ = compare(path, "--sep", "~", "--encoding", "cp1251")
    assert status == 0 and "text in cp1251; cells separated by '~'" in out
    assert "to which --sheet does not apply" in compare(path, "--sheet", "1")[2]


def test_a_column_that_is_missing_is_refused_with_how_the_file_was_read(compare, tmp_path):
    path = save(tmp_path / "data.csv", "Survey\n" + text().replace("site", "place"))
    assert "'y'] (how it was read: 1 line before the header left out" in compare(path)[2]


@pytest.mark.parametrize("option", ["--sep", "--encoding", "--sheet"])
def test_options_of_files_need_one(capsys, option):
    assert _cli.main(["compare", option, "1"]) == 2
    assert f"{option} needs a file" in capsys.readouterr().err
