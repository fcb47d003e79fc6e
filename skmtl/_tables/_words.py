"""How rows, columns and cells of a file are named in notes and refusals."""

import numpy as np


def counted(number, thing):
    """As "1 row" or "3 rows"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def listed(names):
    return ", ".join(repr(name) for name in names)


def first_row(bad):
    """Number in the file of the first row where it is true."""
    return int(bad.index[np.argmax(bad)]) + 1
