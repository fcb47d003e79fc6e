"""A column of a file as ids of tasks or groups."""

import re

import numpy as np

from .._input import reading
from ._marks import is_mark
from ._words import first_row, listed, option, summed_up

PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")  # one spelling for each, and within int64
WHOLE_FLOAT = re.compile(rf"({PLAIN_INTEGER.pattern})[.]0+")  # integers beside a gap, once exported


def read_ids(path, column, of):
    """Ids as they stand in the file, so that 01 is not 1; integers only to sort them as such.

    Whole numbers that are all written with a decimal point, 7.0, are the integers.
    """
    empty = (column == "").to_numpy()
    if empty.any():
        raise ValueError(
            f"{path}: {of} column {column.name!r} is empty in row {first_row(column, empty)}; "
            f"{_cure_of_empty(empty)}."
        )
    if all(map(WHOLE_FLOAT.fullmatch, column)):
        column = column.str.partition(".")[0]
    if all(map(PLAIN_INTEGER.fullmatch, column)):
        return column.astype(np.int64).to_numpy()
    return column.to_numpy()


def _cure_of_empty(empty):
    """Merged cells hold their value in the first row, and the others look empty."""
    if not empty[0] and 2 * empty.sum() >= empty.size:
        return "write the id in each row: unmerge merged cells, and fill the ids down"
    return "write an id there, or take the row out"


def id_notes(column):
    """A note on ids that look alike, as 7 and 07 do, that may mean missing, or that lost a .0."""
    ids, alike = dict.fromkeys(column.tolist()), {}
    if all(map(WHOLE_FLOAT.fullmatch, ids)):
        return [f"ids in {column.name!r}: whole numbers, read as such from {column.iloc[0]!r}."]
    if all(map(PLAIN_INTEGER.fullmatch, ids)):
        return []
    for id_ in ids:
        alike.setdefault(_reading(id_), []).append(id_)
    marks = alike.get("", [])
    groups = [" and ".join(map(repr, spelt)) for spelt in alike.values() if len(spelt) > 1]
    said = [f"{summed_up(groups)} differ in spelling only, and stay apart"] * bool(groups)
    cure = option("--na-values", *marks)
    said += [f"{listed(marks)} kept as they are; {cure} makes them missing"] * bool(marks)
    return [f"ids in {column.name!r}: {'; '.join(said)}."] * bool(said)


def _reading(id_):
    """How it reads where letters are small or capital alike; "" for all marks for missing."""
    return "" if is_mark(id_) else reading(id_.casefold())
