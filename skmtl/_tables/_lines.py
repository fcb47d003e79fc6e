"""Lines of a table that are no rows: another header, and totals at its end.

They pass for observations, or make a task of their own, where nothing else is wrong with them.
"""

from collections import Counter

import numpy as np

from .._numerals import numeral
from ._marks import is_mark
from ._words import first_row, option, summed_up

AT_END = 5  # rows among which totals stand
MANY = 5  # rows of half of the tasks, beside which a task of one row is odd
TOTALS = "total totals subtotal sum sums mean means average avg median overall gesamt insgesamt "
TOTALS += "gesamtsumme summe mittelwert durchschnitt moyenne totale media suma promedio totaal "
TOTALS += "somme gemiddelde summa medelvärde totalt gennemsnit razem średnia "  # codespell:ignore
TOTALS = {*TOTALS.split(), "grand total", "total général", "合計", "総計", "平均", "总计", "合计"}


def check_headers(path, frame):
    """Refuse a row that repeats the header, and a second one below it."""
    names = [name.casefold() for name in frame.columns]
    if all(map(numeral, names)):
        return
    same = np.ones(len(frame), dtype=bool)
    for k, name in enumerate(frame.columns):
        rows = np.flatnonzero(same)
        same[rows] = [cell.casefold() == names[k] for cell in frame[name].iloc[rows]]
        if not same.any():
            break
    else:
        row = int(np.argmax(same)) + 1
        raise ValueError(f"{path}: row {row} repeats the header; take it out.")
    _check_second_header(path, frame, names)


def _check_second_header(path, frame, names):
    """Refuse a first row of words above numbers, or of the header's names in part."""
    cells = frame.iloc[0].tolist()
    if len(frame) == 1 or any(map(numeral, filter(None, cells))):
        return
    words = [k for k, cell in enumerate(cells) if cell and not is_mark(cell)]
    alike = [k for k in words if cells[k].casefold() == names[k]]
    above = [k for k in words if _are_numbers(frame.iloc[1:, k])]
    if 2 * len(alike) > len(words):
        raise ValueError(
            f"{path}: row 1 repeats names of the header, as {cells[alike[0]]!r}; take a second "
            "header line out."
        )
    if above:
        cell, name = cells[above[0]], frame.columns[above[0]]
        raise ValueError(
            f"{path}: row 1 has {cell!r} where all other cells of column {name!r} are numbers, and "
            "no number elsewhere; take it out if it is a second header line, else add "
            f"{option('--na-values', cell)}."
        )


def _are_numbers(column):
    """Whether all cells are that are neither empty nor mean missing, and there are any."""
    cells = (cell for cell in column if cell and not is_mark(cell))
    first = next(cells, "")
    return bool(first and numeral(first)) and all(map(numeral, cells))


def check_totals(path, column):
    """Refuse a line of totals among the last rows; a note on other tasks of one row."""
    counts = Counter(column)
    single = [id_ for id_, count in counts.items() if count == 1]
    usual = np.median([*counts.values()])
    if not single or usual == 1:
        return []
    totals = [cell for cell in column.iloc[-AT_END:] if cell in single and _names_total(cell)]
    if totals:
        row = first_row(column, (column == totals[0]).to_numpy())
        raise ValueError(
            f"{path}: row {row} is the only one of task {totals[0]!r}; a line of totals is no row: "
            "take it out, or rename the task."
        )
    said = f"tasks of one row only: {summed_up([repr(id_) for id_ in single])}."
    return [said] if usual >= MANY else []


def total_notes(frame):
    """A note on lines among the last rows that a word for totals begins, in data without tasks."""
    firsts = [next(filter(None, row), "") for row in frame.iloc[-AT_END:].to_numpy().tolist()]
    found = [cell for cell in firsts if _names_total(cell)]
    return [f"a last row begins with {cell!r}; take it out if it is of totals." for cell in found]


def _names_total(cell):
    return cell.casefold().strip(" :.=") in TOTALS
