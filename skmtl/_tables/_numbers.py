"""Columns of text cells as numbers.

Which of point and comma is the decimal mark is told by a column's own cells, else by an option,
else by the other columns, also those left out; one other column with points is not enough in a file
where commas do not separate cells, as a chapter 2.1 has a point too. Where none of these tells,
1.234 is a decimal if all cells have points and commas separate them, and all else is refused.
"""

from functools import cached_property

import numpy as np

from .._numerals import APOSTROPHES, BLANKS, MINUS, values
from ._marks import BOOLEANS, Typed, are_day_numbers
from ._survey import Kinds, Survey
from ._words import counted, first_row, listed_counts, option, row_of, summed_up

LARGEST = 1e100  # squares of larger numbers, summed, come near the end of float64
MOST_NAMED = 3  # words that a cure names
BELOW = "<\u2264\u2a7d\uff1c"  # first characters of bounds to small numbers


class Reader:
    """Reads the columns of a file, and remembers how for the notes.

    Parameters
    ----------
    path : str
    frame : DataFrame of str
        All columns of the file, as none of them alone may show the decimal mark.
    decimal : {".", ","} or None
        The decimal mark where a column does not show it.
    separator : str or None
        What separates cells; None in files other than text.
    """

    def __init__(self, path, frame, decimal=None, separator=","):
        self.path, self.frame, self.decimal, self.separator = path, frame, decimal, separator
        typed = () if separator else (c for c in frame.to_numpy().ravel() if type(c) is Typed)
        self.kinds = Kinds(typed)
        self.surveys, self.how, self.marks, self.empty = {}, {}, {}, []
        self.at_once = {}

    @cached_property
    def plain(self):
        """All cells as plain numbers, at one stroke; NaN where they are none."""
        import pandas as pd

        cells = self.frame.to_numpy().ravel()
        if self.separator not in (",", None):  # pandas takes five times as long to fail at 1,5
            cells = np.array(["" if "," in cell else cell for cell in cells.tolist()], object)
        # a call a column takes minutes for 1e5 of them
        numbers = pd.to_numeric(cells, errors="coerce")
        return numbers.astype(float, copy=False).reshape(self.frame.shape)

    @cached_property
    def shown(self):
        """The decimal marks that each column of the file shows."""
        odd = np.isnan(self.plain).any(axis=0)
        columns = zip(self.frame.columns, self.frame.to_numpy().T, odd, strict=True)
        return {name: self._shown(name, cells, is_odd) for name, cells, is_odd in columns}

    def _shown(self, name, cells, is_odd):
        if not is_odd:
            return self._of_points(cells) & {"."}
        if self.with_comma(name) is not None:
            return {","}
        survey = self.survey(name)
        return survey.decimals & {".", ","} if survey.kind == "numbers" else set()

    def _of_points(self, cells):
        """What the points of plain numbers may be: decimal points, if one certainly is."""
        found = set()
        for cell in cells:
            if "." in cell:
                found.add(getattr(self.kinds[cell], "decimals", ""))  # none of a typed number
                if "." in found:
                    return {"."}
        return found

    def are_in_doubt(self, names):
        """Which columns of plain numbers may be thousands, as 1.234, or days, as 20240131."""
        cells = self.frame.to_numpy()[:, self.frame.columns.get_indexer(names)].T
        return [are_day_numbers(c) or ".," in self._of_points(c) for c in cells]

    def with_comma(self, name):
        """A column that only a decimal comma keeps from plain numbers, at one stroke, or None."""
        if name not in self.at_once:
            self.at_once[name] = self._with_comma(self.frame[name].tolist())
        return self.at_once[name]

    def _with_comma(self, cells):
        import pandas as pd

        if any("." in cell for cell in cells):
            return None
        marks = (getattr(self.kinds[cell], "decimals", "") for cell in cells if "," in cell)
        if "," not in marks:
            return None
        cells = np.array([cell.replace(",", ".") for cell in cells], object)
        numbers = pd.to_numeric(cells, errors="coerce").astype(float, copy=False)
        return numbers if np.all((np.abs(numbers) <= LARGEST) | (cells == "")) else None

    def survey(self, name, kept=None):
        """What stands in a column, in the rows to keep only where this is a mask."""
        if kept is not None and not kept.all():
            return Survey(self.frame.loc[kept, name], self.kinds)
        if name not in self.surveys:
            self.surveys[name] = Survey(self.frame[name], self.kinds)
        return self.surveys[name]

    def numbers(self, survey):
        """A column as an array of floats, NaN where missing."""
        self.refuse(survey, f"leave the column out with {option('--drop', survey.name)}")
        read = {cell: BOOLEANS[cell.lower()] for cell in survey.cells["truth"]}
        read |= {cell: float(cell) for cell in survey.cells["typed"]}
        if survey.numerals:
            decimal = self._decimal(survey)
            numbers = values(survey.numerals.values(), decimal)
            read |= dict(zip(survey.numerals, numbers, strict=True))
            self._remember(survey, decimal)
        self.remember_marks(survey, survey.cells["missing"])
        numbers = np.array([read.get(cell, np.nan) for cell in survey.column.tolist()], float)
        check_range(self.path, survey.column, numbers)
        return numbers

    def remember_marks(self, survey, marks):
        """Note what is read as missing."""
        if marks:
            self.marks[survey.name] = {mark: survey.counts[mark] for mark in marks}

    def refuse(self, survey, cure):
        """Refuse cells that are no numbers; `cure` is what to do if no one of them is wrong."""
        words, bounds = survey.words, survey.cells["bound"]
        half = "half " * bool(bounds and bounds[0][0] in BELOW)
        if survey.is_clean:
            return
        if survey.clash:
            raise ValueError(
                f"{self._at(survey, survey.clash[0])} and {survey.clash[1]!r} in row "
                f"{row_of(survey.column, survey.clash[1])}; write all in one unit, flags in a "
                f"column of their own, or {cure}."
            )
        if words:
            raise ValueError(
                f"{self.path}: column {survey.name!r} should hold numbers, but row "
                f"{row_of(survey.column, words[0])} has {words[0]!r}; where that means missing add "
                f"{_na_values(words)}, else {cure}."
            )
        raise ValueError(
            f"{self._at(survey, bounds[0])}, a bound and no number "
            f"({counted(survey.rows(bounds), 'such cell')}); write a value there, such as "
            f"{half}the limit, or mark it as missing with {_na_values(bounds)}, or {cure}."
        )

    def refuse_dates(self, survey, cure=""):
        """Refuse a column of dates; `cure` is what to do if it is not made a number."""
        if survey.kind == "dates":
            cell = survey.cells["date"][0]
            raise ValueError(
                f"{self.path}: column {survey.name!r} holds dates or times, as {cell!r} in row "
                f"{row_of(survey.column, cell)}; turn it into a number, such as days since a "
                f"start{cure}."
            )

    def notes(self):
        """How columns were read that are not plain numbers: a sentence for each way."""
        notes = [f"{summed_up(names)}: read as numbers, {how}." for how, names in self.how.items()]
        said = [f"{name} ({listed_counts(marks)})" for name, marks in self.marks.items()]
        notes += [f"read as missing: {summed_up(said)}."] * bool(said)
        are = "has" if len(self.empty) == 1 else "have"
        return notes + [f"{summed_up(self.empty)} {are} no value; left out."] * bool(self.empty)

    def _decimal(self, survey):
        """The decimal mark of a column."""
        own = survey.decimals & {".", ","}
        if len(own) == 1:
            return own.pop()
        if own:
            self._refuse_two_marks(survey)
        if ".," not in survey.decimals:
            return "."
        if self.decimal:
            return self.decimal
        odd = [c for c, n in survey.numerals.items() if "," in n.text or n.unit]
        whole = any(n.decimals == "" and n.text[-1].isdigit() for n in survey.numerals.values())
        is_plain = not (odd or whole)
        told = self._told_by_file(survey.name, is_plain)
        if told or (is_plain and self.separator == ","):
            return told or "."
        self._ask(survey)

    def _ask(self, survey):
        """Refuse a mark that may be either; of two of them the comma."""
        either = {c: n.text for c, n in survey.numerals.items() if n.decimals == ".,"}
        cell = next((c for c, text in either.items() if "," in text), next(iter(either)))
        mark = "," if "," in either[cell] else "."
        raise ValueError(
            f"{self._at(survey, cell)}, where {mark!r} may separate thousands or "
            f"mark decimals; add --thousands {mark} or --decimal {mark} to say which."
        )

    def _told_by_file(self, name, is_plain):
        """The decimal mark that all columns show which show one; None where they do not tell."""
        if len(self.shown[name]) == 1:  # rows without a target show it as well
            return min(self.shown[name])
        marks = [mark for shown in self.shown.values() for mark in shown]
        is_weak = self.separator != "," and marks == ["."] and not is_plain
        return marks[0] if len(set(marks)) == 1 and not is_weak else None

    def _remember(self, survey, decimal):
        """Note what a plain reader of numbers would not take."""
        texts = set("".join(found.text for found in survey.numerals.values()))
        cells = set("".join(survey.numerals))
        other = "," if decimal == "." else "."
        apart = [m for m in sorted(texts) if m in {other, "_", *APOSTROPHES, *BLANKS}]
        units = [found.unit for found in survey.numerals.values() if found.unit]
        also = f", and meant also in {counted(survey.n_plain, 'cell')} without it"
        apart = dict.fromkeys("blanks" if m in BLANKS else repr(m) for m in apart)
        parts = [f"thousands separated by {mark}" for mark in apart]
        parts += ["decimal mark ','"] * (decimal == "," in texts)
        parts += [f"{unit!r} left out{also * (survey.n_plain > 0)}" for unit in units[:1]]
        parts += ["those in parentheses negative"] * ("(" in cells)
        signs = tuple(MINUS)
        spelt = survey.numerals.items()
        is_behind = any(c[-1] in signs and n.text[0] == "-" != c[0] for c, n in spelt)
        parts += ["those with a minus behind them negative"] * is_behind
        parts += [f"{mark!r} for minus" for mark in MINUS[1:] if mark in texts]
        self.remember_how(survey.name, parts)

    def remember_how(self, name, parts):
        """Note how a column was read."""
        if parts:
            self.how.setdefault(", ".join(parts), []).append(name)

    def _at(self, survey, cell):
        row = row_of(survey.column, cell)
        return f"{self.path}: column {survey.name!r} has {cell!r} in row {row}"

    def _refuse_two_marks(self, survey):
        point, comma = (
            next(cell for cell, found in survey.numerals.items() if found.decimals == mark)
            for mark in ".,"
        )
        raise ValueError(
            f"{self._at(survey, point)}, with a decimal point, and {comma!r} in row "
            f"{row_of(survey.column, comma)}, with a decimal comma; write all with one of them."
        )


def check_range(path, column, numbers):
    """Refuse what is infinite or too large."""
    infinite, large = np.isinf(numbers), np.abs(numbers) > LARGEST
    if infinite.any():
        row = first_row(column, infinite)
        raise ValueError(f"{path}: column {column.name!r} is infinite in row {row}.")
    if large.any():
        cell = column.iloc[np.argmax(large)]
        raise ValueError(
            f"{path}: column {column.name!r} has {cell} in row {first_row(column, large)}, beyond "
            f"{LARGEST:g} in size; rescale it."
        )


def _na_values(cells):
    more = f" and {len(cells) - MOST_NAMED} more" if len(cells) > MOST_NAMED else ""
    return option("--na-values", *cells[:MOST_NAMED]) + more
