"""Spreading rows over folds, or over training and testing, so that every task and class is in each.

Where a row has one label (long data) or all rows are labelled alike, rows are dealt like cards from
a deck sorted by task and class.  Where rows of a wide Y lack labels, rows are placed one by one in
the fold that lacks their labels most, rarest labels first (iterative stratification).
"""

import numpy as np

from .._task_ids import occurrence

TEST, TRAIN, UNUSED = 0, 1, 2
GOLDEN, SILVER = (5**0.5 - 1) / 2, 2**0.5 - 1  # for two draws, one from what the other leaves


def spread_over_folds(rows, n_folds, rng):
    """Fold of each row."""
    if rows.groups is None:
        return _deal(rows, n_folds, rng)
    n = len(rows.groups)
    return _place(rows.groups, n // n_folds + (np.arange(n_folds) < n % n_folds), rng)


def divide(rows, n_train, n_test, rng):
    """TRAIN, TEST or UNUSED for each row, the same shares of every task and class."""
    n = len(rows.task)
    if rows.groups is not None:
        return _place(rows.groups, np.array([n_test, n_train, n - n_train - n_test]), rng)
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
    if rows.observed is None:
        deck = _deck(rows, rng)
        run = _run_numbers(rows.task[deck])
        size = np.bincount(run)
        chosen = _take_evenly(occurrence(run), size, _labels_to_draw(size, n_per_task), rng, run)
        part[deck[chosen]] = TRAIN
        return part
    short = _labels_to_draw(rows.observed.sum(axis=0), n_per_task)
    for row in rng.permutation(len(part)):
        if (short[rows.observed[row]] > 0).any():
            part[row] = TRAIN
            short -= rows.observed[row]
    return part


def _labels_to_draw(size, n_per_task):
    return np.minimum(n_per_task, np.maximum(size - 1, 1))


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


def _place(groups, sizes, rng):
    """Fold of each row, of the given sizes, such that each group is spread in proportion to them.

    Each row goes where it lowers most, or raises least, the sum over folds and groups of
    (count - target)^2 / target; rows of the rarest groups first, while there is still a choice.
    """
    n = len(groups)
    count = np.bincount(groups.ravel() + 1).astype(float)[1:]
    count = np.append(count, np.inf)  # group -1, of labels not observed, asks for nothing
    step = n / (np.maximum(sizes, 1)[:, None] * np.maximum(count, 1))
    lack = 1 - step / 2
    room = sizes.copy()
    order = np.arange(n) if rng is None else rng.permutation(n)
    rarest = count[groups].min(axis=1)
    fold = np.empty(n, dtype=np.intp)
    for row in order[np.argsort(rarest[order], kind="stable")]:
        own = groups[row]
        gain = np.where(room > 0, lack[:, own].sum(axis=1), -np.inf)
        best = fold[row] = gain.argmax()
        lack[best, own] -= step[best, own]
        room[best] -= 1
    return fold
