"""Spreading rows over folds, or over training and testing, so that every task and class is in each.

Where a row has one label (long data) or all rows are labelled alike, rows are dealt like cards from
a deck sorted by task, or by class where there is one task.  Where there are several of both, the
numbers of rows of each task and class come from controlled rounding, so that classes that are rare
in each task are spread as well.  Where rows of a wide Y lack labels, or stay together in groups,
rows or groups are placed one by one in the fold that lacks their labels most, rarest labels first
(iterative stratification).
"""

import numpy as np
from scipy.sparse import csr_array

from .._input import occurrence
from ._rounding import controlled_rounding

TEST, TRAIN, UNUSED = 0, 1, 2
GOLDEN, SILVER = (5**0.5 - 1) / 2, 2**0.5 - 1  # for two draws, one from what the other leaves


def spread_over_folds(rows, n_folds, rng):
    """Fold of each row."""
    n = len(rows.task)
    if rows.strata is None and rows.has_cells:
        left, taken = rows.cells, []
        for k in range(n_folds):
            taken.append(controlled_rounding(left / (n_folds - k), rng))
            left = left - taken[-1]
        return _take_cells(rows, taken, rng)
    if rows.strata is None:
        return _deal(rows, n_folds, rng)
    sizes = n // n_folds + (np.arange(n_folds) < n % n_folds)
    return _place(_counts(rows), sizes, rng, largest_first=True)[rows.units]


def divide(rows, n_train, n_test, rng):
    """TRAIN, TEST or UNUSED for each row, the same shares of every task and class."""
    n = len(rows.task)
    if rows.strata is not None:
        # in random order: the largest, if placed first, would never be for testing
        sizes = np.array([n_test, n_train, n - n_train - n_test])
        return _place(_counts(rows), sizes, rng, largest_first=False)[rows.units]
    if rows.has_cells:
        cells = rows.cells
        test = controlled_rounding(cells * (n_test / n), rng)
        train = controlled_rounding((cells - test) * (n_train / (n - n_test)), rng)
        return _take_cells(rows, [test, train], rng)
    part = np.full(n, UNUSED)
    deck = _deck(rows, rng)
    is_test = _take_some(rows.task[deck], n_test, rng, GOLDEN)
    rest = deck[~is_test]
    part[deck[is_test]] = TEST
    part[rest[_take_some(rows.task[rest], n_train, rng, SILVER)]] = TRAIN
    return part


def draw(rows, n_per_task, rng):
    """TRAIN for `n_per_task` rows, or labels, of each task, else TEST."""
    part = _draw_rows(rows, n_per_task, rng)
    if not (part == TEST).any():
        raise ValueError(
            f"n_per_task={n_per_task} leaves none of {len(part)} rows for testing; choose fewer."
        )
    return part


def in_turn(index, task):
    """`index` with the tasks in turn: the first row of each, the second of each, and so on."""
    return index[np.argsort(occurrence(task[index]), kind="stable")]


def _draw_rows(rows, n_per_task, rng):
    part = np.full(len(rows.task), TEST)
    if rows.strata is not None:
        return _draw_units(_counts(rows), rows.n_tasks, n_per_task, rng)[rows.units]
    if rows.has_cells:
        cells = rows.cells
        size = cells.sum(axis=1, keepdims=True)
        share = _labels_to_draw(size, n_per_task) / np.maximum(size, 1)
        train = controlled_rounding(cells * share, rng)
        return np.where(_take_cells(rows, [train], rng) == 0, TRAIN, TEST)
    deck = _deck(rows, rng)
    run = _run_numbers(rows.task[deck])
    size = np.bincount(run)
    chosen = _take_evenly(occurrence(run), size, _labels_to_draw(size, n_per_task), rng, run)
    part[deck[chosen]] = TRAIN
    return part


def _draw_units(counts, n_tasks, n_per_task, rng):
    """TRAIN for units in random order as long as one of their tasks is short of labels."""
    part = np.full(counts.shape[0], TEST)
    labels = counts[:, 1 : 1 + n_tasks]
    short = _labels_to_draw(labels.sum(axis=0), n_per_task)
    for unit in rng.permutation(len(part)):
        own = slice(*labels.indptr[unit : unit + 2])
        tasks = labels.indices[own]
        if (short[tasks] > 0).any():
            part[unit] = TRAIN
            short[tasks] -= labels.data[own]
    return part


def _counts(rows):
    """Rows of each unit in each stratum, of shape (n_units, n_strata)."""
    seen = rows.strata >= 0
    unit = np.broadcast_to(rows.units[:, None], seen.shape)[seen]
    ones = np.ones(len(unit), dtype=np.intp)
    counts = csr_array((ones, (unit, rows.strata[seen])))
    counts.sum_duplicates()
    return counts


def _labels_to_draw(size, n_per_task):
    return np.minimum(n_per_task, np.maximum(size - 1, 1))


def _take_cells(rows, taken, rng):
    """Number of the part of each row, where `taken` holds the tables of how many rows of each cell.

    Rows of a cell are taken in random order if rng is given; those left over are the last part.
    """
    cell = rows.cell
    order = np.arange(len(cell)) if rng is None else rng.permutation(len(cell))
    ends = np.cumsum([table.ravel() for table in taken], axis=0)
    part = np.empty_like(cell)
    part[order] = (occurrence(cell[order]) >= ends[:, cell[order]]).sum(axis=0)
    return part


def _deck(rows, rng):
    """Row numbers gathered by task and within it by class, each in random order if rng is given."""
    if rng is None:
        return np.lexsort((rows.label, rows.task))
    order = rng.permutation(len(rows.task))
    # random order of tasks and classes too, so that the odd rows fall to another fold each time
    task, label = _renumber(rows.task, rng)[order], _renumber(rows.label, rng)[order]
    return order[np.lexsort((label, task))]


def _renumber(codes, rng):
    return rng.permutation(codes.max() + 2)[codes]


def _deal(rows, n_folds, rng):
    """Fold of each row: the deck is dealt in turn, so each run of it is spread to within one."""
    deck = _deck(rows, rng)
    task = _run_numbers(rows.task[deck])
    turn = (np.arange(len(deck)) + _turns(np.bincount(task), 1, n_folds)[task]) % n_folds
    # within a task and class the lowest folds first: consecutive rows, as in KFold(shuffle=False)
    fold = np.empty_like(turn)
    fold[deck] = turn[np.lexsort((turn, _run_numbers(rows.task[deck], rows.label[deck])))]
    return fold


def _run_numbers(*codes):
    """Number of the run of equal codes that each element is in."""
    changes = [np.diff(code, prepend=code[:1]) != 0 for code in codes]
    return np.cumsum(np.any(changes, axis=0))


def _turns(size, count, n):
    """For each task the number of its turn, of one task or several whose shares add up.

    What has a whole number as its share, size * count / n, may begin anywhere: if all began at the
    same place, the last row of each, a rare class, would always fall together.
    """
    part = size * count % n
    alone = part == 0
    begins = ~alone & ((np.cumsum(part) - part) % n == 0)
    return np.where(alone, np.cumsum(alone), np.cumsum(begins) - 1)


def _take_some(task, count, rng, ratio):
    """Whether each row of a deck is among `count` of them, of every task its share.

    Where a task may begin anywhere, multiples of the ratio spread their beginnings evenly.
    """
    run, n = _run_numbers(task), len(task)
    turns = _turns(np.bincount(run), count, n) * ratio % 1.0
    phase = np.floor(turns * n).astype(np.int64)[run]
    return _take_evenly(np.arange(n), n, count, rng, phase=phase)


def _take_evenly(position, size, count, rng, run=0, phase=0):
    """Whether each position in a run of `size` is one of `count` evenly spaced positions."""
    start = rng.randint(0, size)
    size, count, start = (np.atleast_1d(value)[run] for value in (size, count, start))
    start = start + phase
    return ((position + 1) * count + start) // size > (position * count + start) // size


def _place(counts, sizes, rng, *, largest_first):
    """Fold of each unit such that folds have about the given sizes and their share of each stratum.

    Each unit goes where it lowers most, or raises least, the sum over folds and strata of
    (count - target)^2 / target, among folds with room; units of the rarest strata first, while
    there is still a choice, or of unequal units the largest.
    """
    n_units, n_strata = counts.shape
    total = np.maximum(counts.sum(axis=0), 1)
    size = counts[:, [0]].toarray()[:, 0]
    step = size.sum() / (np.maximum(sizes, 1)[:, None] * total)  # 1 / target
    lack = np.ones((len(sizes), n_strata))  # (target - count) / target
    room = sizes.copy()
    order = np.arange(n_units) if rng is None else rng.permutation(n_units)
    rarest = np.minimum.reduceat(total[counts.indices], counts.indptr[:-1])
    keys = (rarest[order], -size[order] if largest_first else np.zeros(n_units))
    fold = np.empty(n_units, dtype=np.intp)
    for unit in order[np.lexsort(keys)]:
        part = slice(*counts.indptr[unit : unit + 2])
        own, c = counts.indices[part], counts.data[part]
        gain = lack[:, own] @ c - step[:, own] @ c**2 / 2
        best = fold[unit] = np.where(room > 0, gain, -np.inf).argmax()
        lack[best, own] -= c * step[best, own]
        room[best] -= size[unit]
    return fold
