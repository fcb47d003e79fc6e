"""A file as a table of text cells: where its bytes lie and how they are divided into cells."""

import csv
import io
from collections import Counter

from ._words import counted


def read_cells(path):
    """The cells as text, without nameless columns, and a list with a note on those."""
    try:
        import pandas as pd
    except ImportError as error:
        message = 'reading a CSV file needs pandas; install it with `pip install "skmtl[cli]"`.'
        raise ImportError(message) from error
    header, *rows = _read_rows(path)
    names = [name.strip() for name in header]
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise ValueError(f"{path} has two columns named {twice[0]!r}; rename one.{hint(names)}")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise ValueError(
                f"{path}: row {number} has {counted(len(row), 'cell')}, but the header has "
                f"{len(names)}.{hint(names)}"
            )
    if not rows:
        raise ValueError(f"{path} has a header but no rows.")
    frame = pd.DataFrame(rows, columns=names, dtype=object)
    named = [name for name in names if name]
    nameless = counted(len(names) - len(named), "column")
    return frame[named], [f"{nameless} without a name left out."] * (len(named) < len(names))


def _read_rows(path):
    """The cells of each line that is not blank."""
    end = ["end of the file"]
    lines = io.StringIO(f"{_read_text(path).rstrip()}\n{end[0]}\n", newline=None)
    try:
        rows = [row for row in csv.reader(lines, skipinitialspace=True) if _is_filled(row)]
    except csv.Error as error:
        raise ValueError(
            f"{path} has a cell of more than {csv.field_size_limit()} characters; a quotation mark "
            "may lack its partner."
        ) from error
    # a quotation mark without partner makes the rest of the file one cell
    if rows.pop() != end:
        where = f"row {len(rows)}" if rows else "the header"
        raise ValueError(f"{path}: a quotation mark in {where} lacks its partner.")
    return rows


def _is_filled(row):
    return len(row) > 1 or any(cell.strip() for cell in row)


def hint(names):
    """What to say more where the cells seem to be separated by something else."""
    other = len(names) == 1 or any(mark in name for name in names for mark in ";\t")
    return " Commas must separate its cells." if other else ""


def _read_text(path):
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file in UTF-8.") from error
    if "\0" in text:
        raise ValueError(f"{path} is not a text file.")
    if not text.strip():
        raise ValueError(f"{path} is empty.")
    return text
