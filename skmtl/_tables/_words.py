"""How rows, columns and cells of a file are named in notes and refusals."""

import csv
import io

import numpy as np

from .._checks import printable

MOST_PARTS = 8  # columns listed by name where all of them are read in one way


def counted(number, thing):
    """As "1 row" or "3 rows"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def listed(names):
    """Names in quotation marks, with commas between."""
    return ", ".join(repr(name) for name in names)


def summed_up(parts):
    """The first of many."""
    more = [f"and {len(parts) - MOST_PARTS} more"] if len(parts) > MOST_PARTS else []
    return printable(", ".join([*parts[:MOST_PARTS], *more]))


def option(name, *values):
    """An option as it is typed, where its values are names of columns or texts of cells."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    text = line.getvalue()
    return f"{name}{'=' if text.startswith('-') else ' '}{text!r}"


def listed_counts(counts):
    """Texts and the number of rows of each."""
    return ", ".join(f"{text!r} in {counted(number, 'row')}" for text, number in counts.items())


def first_row(column, bad):
    """Number in the file of the column's first row where `bad`, an array, is true."""
    return int(column.index[np.argmax(bad)]) + 1


def row_of(column, cell):
    """Number in the file of the first row of this text."""
    return first_row(column, (column == cell).to_numpy())
