"""Columns of text cells as numbers.

Which of point and comma is the decimal mark is told by a column's own cells, else by an option,
else by the other columns; a lone 1.234 is a decimal, and a lone 1,234 is refused.
"""

from functools import cached_property

import numpy as np

from .._numerals import APOSTROPHES, BLANKS, MINUS, values
from ._marks import BOOLEANS
from ._survey import Kinds, Survey
from ._words import counted, first_row, listed_counts, option, row_of, summed_up

LARGEST = 1e100  # squares of larger numbers, summed, come near the end of float64
MOST_NAMED = 3  # words that a cure names


class Reader:
    """Reads the columns of a file, and remembers how for the notes.

    Parameters
    ----------
    path : str
    frame : DataFrame of str
        All columns of labels and features, as none of them alone may show the decimal mark.
    decimal : {".", ","} or None
        The decimal mark where a column does not show it.
    """

    def __init__(self, path, frame, decimal=None):
        self.path, self.frame, self.decimal = path, frame, decimal
        self.kinds = Kinds()
        self.surveys, self.how, self.marks = {}, {}, {}
        self.has_commas = False

    @cached_property
    def plain(self):
        """All cells as plain numbers, at one stroke; NaN where they are none."""
        import pandas as pd

        # a call a column takes minutes for 1e5 of them
        numbers = pd.to_numeric(self.frame.to_numpy().ravel(), errors="coerce")
        return numbers.astype(float, copy=False).reshape(self.frame.shape)

    @cached_property
    def shown(self):
        """Which decimal marks the file's columns show."""
        odd = np.isnan(self.plain).any(axis=0)
        surveys = [self.survey(name) for name in self.frame.columns[odd]]
        shown = {mark for s in surveys if s.kind == "numbers" for mark in s.decimals} & {".", ","}
        cells = self.frame.to_numpy()[:, ~odd].ravel()
        found = (self.kinds[cell].decimals for cell in cells if "." in cell)
        return shown | {"."} if "." not in shown and "." in found else shown

    def survey(self, name, kept=None):
        """What stands in a column, in the rows to keep only where this is a mask."""
        if kept is not None and not kept.all():
            return self._survey(self.frame.loc[kept, name])
        if name not in self.surveys:
            self.surveys[name] = self._survey(self.frame[name])
        return self.surveys[name]

    def _survey(self, column):
        survey = Survey(column, self.kinds)
        self.has_commas |= survey.kind == "numbers" and any("," in d for d in survey.decimals)
        return survey

    @property
    def has_decimal_commas(self):
        """Whether a comma is the decimal mark where a column leaves it open."""
        return self.decimal == "," or (self.has_commas and self.shown == {","})

    def numbers(self, survey):
        """A column as an array of floats, NaN where missing."""
        self.refuse(survey, f"leave the column out with {option('--drop', survey.name)}")
        read = {cell: BOOLEANS[cell.lower()] for cell in survey.cells["truth"]}
        if survey.numerals:
            decimal = self._decimal(survey)
            numbers = values(survey.numerals.values(), decimal)
            read = dict(zip(survey.numerals, numbers, strict=True))
            self._remember(survey, decimal)
        if survey.cells["missing"]:
            self.marks[survey.name] = {m: survey.counts[m] for m in survey.cells["missing"]}
        numbers = np.array([read.get(cell, np.nan) for cell in survey.column.tolist()], float)
        check_range(self.path, survey.column, numbers)
        return numbers

    def refuse(self, survey, cure):
        """Refuse cells that are no numbers; `cure` is what to do if no one of them is wrong."""
        words, bounds = survey.words, survey.cells["bound"]
        if survey.is_clean:
            return
        if survey.clash:
            raise ValueError(
                f"{self._at(survey, survey.clash[0])} and {survey.clash[1]!r} in row "
                f"{row_of(survey.column, survey.clash[1])}; write all in one unit, or {cure}."
            )
        if words:
            raise ValueError(
                f"{self.path}: column {survey.name!r} should hold numbers, but row "
                f"{row_of(survey.column, words[0])} has {words[0]!r}; where that means missing add "
                f"{_na_values(words)}, else {cure}."
            )
        raise ValueError(
            f"{self._at(survey, bounds[0])}, a bound and no number "
            f"({counted(survey.rows(bounds), 'such cell')}); write a value there, such as half the "
            f"limit, or mark it as missing with {_na_values(bounds)}, or {cure}."
        )

    def notes(self):
        """How columns were read that are not plain numbers: a sentence for each way."""
        notes = [f"{summed_up(names)}: read as numbers, {how}." for how, names in self.how.items()]
        said = [f"{name} ({listed_counts(marks)})" for name, marks in self.marks.items()]
        return notes + [f"read as missing: {summed_up(said)}."] * bool(said)

    def _decimal(self, survey):
        """The decimal mark of a column."""
        own = survey.decimals & {".", ","}
        if len(own) == 1:
            return own.pop()
        if own:
            self._refuse_two_marks(survey)
        if ".," not in survey.decimals:
            return "."
        if self.decimal or len(self.shown) == 1:
            return self.decimal or min(self.shown)
        either = {c: found for c, found in survey.numerals.items() if found.decimals == ".,"}
        for cell, found in either.items():
            mark = "," if "," in found.text else "."
            if mark == "," or found.unit:
                raise ValueError(
                    f"{self._at(survey, cell)}, where {mark!r} may separate thousands or "
                    f"mark decimals; add --thousands {mark} or --decimal {mark} to say which."
                )
        return "."

    def _remember(self, survey, decimal):
        """Note what a plain reader of numbers would not take."""
        texts = set("".join(found.text for found in survey.numerals.values()))
        cells = set("".join(survey.numerals))
        other = "," if decimal == "." else "."
        apart = [m for m in sorted(texts) if m in {other, "_", *APOSTROPHES, *BLANKS}]
        units = [found.unit for found in survey.numerals.values() if found.unit]
        apart = dict.fromkeys("blanks" if m in BLANKS else repr(m) for m in apart)
        parts = [f"thousands separated by {mark}" for mark in apart]
        parts += ["decimal mark ','"] * (decimal == "," in texts)
        parts += [f"{unit!r} left out" for unit in units[:1]]
        parts += ["those in parentheses negative"] * ("(" in cells)
        parts += [f"{mark!r} for minus" for mark in MINUS[1:] if mark in texts]
        if parts:
            self.how.setdefault(", ".join(parts), []).append(survey.name)

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
