"""Controlled rounding: a table of shares as whole numbers, with sums that are rounded too [1].

Each cell, each sum of a row or of a column and the sum of all become one of the two whole numbers
next to them, and each cell keeps its expectation.  A row and a column are added that make all sums
whole.  Cells that are not whole then lie on cycles of steps along a row and a column in turn;
those of a cycle are raised and lowered, as far as each stays between its two whole numbers: no
sum changes, and one cell or more becomes whole.

[1] L. H. Cox, "A constructive procedure for unbiased controlled rounding", Journal of the American
Statistical Association 82, 1987.
"""

import numpy as np

WHOLE = 1e-9  # sums of shares are whole to within rounding


def controlled_rounding(shares, rng=None):
    """Whole numbers in place of `shares`, of shape (n_rows, n_columns) and not negative.

    Without `rng` always the same one of the possible outcomes.
    """
    x = _completed(shares)
    whole = np.floor(x + WHOLE)
    x = x - whole  # in [0, 1)
    x[x <= WHOLE] = 0.0
    columns = [set(np.flatnonzero(row).tolist()) for row in x]
    rows = [set(np.flatnonzero(column).tolist()) for column in x.T]
    value = x.tolist()
    for start in range(len(columns)):
        while columns[start]:
            # 1. a cycle of cells that are not whole
            cycle = _cycle(start, rows, columns)
            # 2. how far its cells can go in turn up and down, or down and up
            up, down = cycle[::2], cycle[1::2]
            far = min(*(1 - value[i][j] for i, j in up), *(value[i][j] for i, j in down))
            near = min(*(value[i][j] for i, j in up), *(1 - value[i][j] for i, j in down))
            # 3. either way with the probability that keeps expectations
            goes_up = rng is None or rng.uniform() * (far + near) < near
            step = far if goes_up else -near
            for cells, sign in ((up, 1), (down, -1)):
                for i, j in cells:
                    value[i][j] = moved = value[i][j] + sign * step
                    if not WHOLE < moved < 1 - WHOLE:
                        value[i][j] = float(round(moved))
                        columns[i].discard(j)
                        rows[j].discard(i)
    return (whole + np.array(value))[:-1, :-1].astype(np.intp)


def _completed(shares):
    """The table with one more row and column, so that all sums are whole."""
    shares = np.vstack([shares, _lack(shares.sum(axis=0))])
    return np.column_stack([shares, _lack(shares.sum(axis=1))])


def _lack(sums):
    lack = np.ceil(sums - WHOLE) - sums
    return np.where(lack > WHOLE, lack, 0.0)


def _cycle(row, rows, columns):
    """Cells (row, column) of a cycle, by steps along a row and along a column in turn.

    The walk never goes back at once, as each row and column with an open cell has another one, and
    ends where it meets a row or a column again.
    """
    cells, seen_rows, seen_columns, column = [], {}, {}, None
    while row not in seen_rows:
        seen_rows[row] = len(cells)
        column = _other(columns[row], column)
        cells.append((row, column))
        if column in seen_columns:
            return cells[seen_columns[column] :]
        seen_columns[column] = len(cells)
        row = _other(rows[column], row)
        cells.append((row, column))
    return cells[seen_rows[row] :]


def _other(numbers, number):
    """One of a set of two numbers or more that is another one."""
    return next(k for k in numbers if k != number)
