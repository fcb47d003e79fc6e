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
    table = _OpenCells(x - whole)
    for row in range(len(x)):
        while table.opens_in(row):
            # 1. a cycle of cells that are not whole
            cycle = table.cycle(row)
            if not cycle:
                continue  # a cell was whole but for rounding
            # 2. how far its cells can go in turn up and down, or down and up
            up, down = cycle[::2], cycle[1::2]
            values = [table.value[cell] for cell in up], [table.value[cell] for cell in down]
            far = min(1 - max(values[0]), min(values[1]))
            near = min(min(values[0]), 1 - max(values[1]))
            # 3. either way with the probability that keeps expectations
            goes_up = rng is None or rng.uniform() * (far + near) < near
            step = far if goes_up else -near
            table.move(up, step)
            table.move(down, -step)
    return (whole + table.rounded)[:-1, :-1].astype(np.intp)


def _completed(shares):
    """The table with one more row and column, so that all sums are whole."""
    shares = np.vstack([shares, _lack(shares.sum(axis=0))])
    return np.column_stack([shares, _lack(shares.sum(axis=1))])


def _lack(sums):
    lack = np.ceil(sums - WHOLE) - sums
    return np.where(lack > WHOLE, lack, 0.0)


class _OpenCells:
    """Parts of cells in (0, 1) that are not whole yet, and in which rows and columns they lie.

    Attributes
    ----------
    value : dict of (row, column) to float
        The parts.
    rounded : ndarray
        0 or 1 for each cell that became whole.
    """

    def __init__(self, x):
        self.rounded, self.is_open = np.zeros(x.shape), x > WHOLE
        rows, columns = np.nonzero(self.is_open)
        cells = list(zip(rows.tolist(), columns.tolist(), strict=True))
        self.value = dict(zip(cells, x[rows, columns].tolist(), strict=True))
        self.columns, self.rows = ([[] for _ in range(n)] for n in x.shape)
        for i, j in cells:
            self.columns[i].append(j)
            self.rows[j].append(i)

    def opens_in(self, row):
        """Whether a cell of the row is open."""
        return _other(self.columns[row], self.is_open[row], None) is not None

    def cycle(self, row):
        """Cells (row, column) of a cycle, by steps along a row and along a column in turn.

        The walk never goes back at once, and ends where it meets a row or a column again. Where it
        meets one with a single open cell, which is whole but for rounding, that is closed, and the
        cycle is empty.
        """
        cells, seen_rows, seen_columns, column = [], {}, {}, None
        while row not in seen_rows:
            seen_rows[row] = len(cells)
            last, column = column, _other(self.columns[row], self.is_open[row], column)
            if column is None:
                return self._close_alone(row, last)
            cells.append((row, column))
            if column in seen_columns:
                return cells[seen_columns[column] :]
            seen_columns[column] = len(cells)
            last, row = row, _other(self.rows[column], self.is_open[:, column], row)
            if row is None:
                return self._close_alone(last, column)
            cells.append((row, column))
        return cells[seen_rows[row] :]

    def move(self, cells, step):
        """Add the step to cells, and close those that become whole."""
        for cell in cells:
            moved = self.value[cell] + step
            if WHOLE < moved < 1 - WHOLE:
                self.value[cell] = moved
            else:
                self._close(cell, moved)

    def _close(self, cell, value):
        self.rounded[cell], self.is_open[cell] = round(value), False
        del self.value[cell]

    def _close_alone(self, row, column):
        self._close((row, column), self.value[row, column])
        return []


def _other(line, is_open, number):
    """One of a line's numbers other than `number` whose cell is open, or None.

    Closed ones are dropped where they are met, near the end, so that each is met once.
    """
    k = len(line) - 1
    while k >= 0 and (line[k] == number or not is_open[line[k]]):
        if line[k] != number:
            del line[k]
        k -= 1
    return line[k] if k >= 0 else None
