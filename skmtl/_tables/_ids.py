"""A column of a file as ids of tasks or groups."""

import re

import numpy as np

from ._marks import is_mark
from ._words import first_row, listed, option, summed_up

PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")  # one spelling for each, and within int64
WHOLE_FLOAT = re.compile(rf"({PLAIN_INTEGER.pattern})[.]0+")  # integers beside a gap, once exported
NUMBER = re.compile(r"([+-]?)0*([0-9]+?)(?:[.]0*)?")


def read_ids(path, column, of):
    """Ids as they stand in the file, so that 01 is not 1; integers only to sort them as such.

    Whole numbers that are all written with a decimal point, 7.0, are the integers.
    """
    empty = (column == "").to_numpy()
    if empty.any():
        raise ValueError(
            f"{path}: {of} column {column.name!r} is empty in row {first_row(column, empty)}; "
            "write an id there, or take the row out."
        )
    if all(map(WHOLE_FLOAT.fullmatch, column)):
        column = column.str.partition(".")[0]
    if all(map(PLAIN_INTEGER.fullmatch, column)):
        return column.astype(np.int64).to_numpy()
    return column.to_numpy()


def id_notes(column):
    """A note on ids that look alike, as 7 and 07 do, that may mean missing, or that lost a .0."""
    ids, alike = dict.fromkeys(column.tolist()), {}
    if all(map(WHOLE_FLOAT.fullmatch, ids)):
        return [f"ids in {column.name!r}: whole numbers, read as such from {column.iloc[0]!r}."]
    if all(map(PLAIN_INTEGER.fullmatch, ids)):
        return []
    for id_ in ids:
        alike.setdefault(_spelt_plainly(id_), []).append(id_)
    marks = alike.get("", [])
    groups = [" and ".join(map(repr, spelt)) for spelt in alike.values() if len(spelt) > 1]
    said = [f"{summed_up(groups)} differ in spelling only, and stay apart"] * bool(groups)
    cure = option("--na-values", *marks)
    said += [f"{listed(marks)} kept as they are; {cure} makes them missing"] * bool(marks)
    return [f"ids in {column.name!r}: {'; '.join(said)}."] * bool(said)


def _spelt_plainly(id_):
    """One text for all spellings of an id: 7 for 07 and 7.0; "" for all marks for missing."""
    text = " ".join(id_.split()).casefold()
    number = NUMBER.fullmatch(text)
    if number:
        return number[1].strip("+") + number[2]
    return "" if is_mark(text) else text
