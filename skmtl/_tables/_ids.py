"""A column of a file as ids of tasks or groups."""

import re

import numpy as np

from ._words import first_row

PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")  # one spelling for each, and within int64


def read_ids(path, column, of):
    """Ids as they stand in the file, so that 01 is not 1; integers only to sort them as such."""
    empty = column == ""
    if empty.any():
        raise ValueError(f"{path}: {of} column {column.name!r} is empty in row {first_row(empty)}.")
    if all(map(PLAIN_INTEGER.fullmatch, column)):
        return column.astype(np.int64).to_numpy()
    return column.to_numpy()
