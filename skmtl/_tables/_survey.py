"""What the cells of a column are: numbers, and all else that stands among these.

A column is one of numbers where these, with bounds such as <0.3, are more than words and dates.
Marks for missing count for nothing: nine in ten cells may hold one.
"""

from collections import Counter
from functools import cached_property
from unicodedata import normalize

from .._numerals import SCALES, is_currency, numeral
from ._marks import are_day_numbers, kind_of

MOST_LEVELS = 100  # text with more distinct values is names, no categories and no classes
MOST_UNITS = 3  # what has more kinds of ends, as postcodes have, is text
SHORT_UNITS = set("g k K m M l L h s t")  # of other single letters, as in 2A and 2B, none is a unit


class Kinds(dict):
    """The Numeral that a cell is, or else its kind; each text is looked at once in a file.

    Parameters
    ----------
    typed : iterable of str
        Texts of numbers that were typed as such, and have a decimal point for certain.
    """

    def __init__(self, typed=()):
        super().__init__(dict.fromkeys(typed, "typed"))

    def __missing__(self, cell):
        self[cell] = found = self._find(cell)
        return found

    def _find(self, cell):
        found = numeral(cell)
        if found is not None and not found.unit:
            return found
        kind = kind_of(cell)  # 1 May is no number of months
        return found if found and kind == "word" else kind


class Survey:
    """The distinct cells of a column, by kind.

    Attributes
    ----------
    counts : Counter
        Number of rows of each text, in the order of the file; that of an empty cell left out.
    numerals : dict of str to Numeral
    cells : dict of str to list
        The texts of each other kind: "typed", "missing", "bound", "date", "truth", "word".
    clash : list of str
        Two cells of different units, where the column has such.
    n_plain : int
        Number of rows without a unit, and not zero, where others have one.
    """

    def __init__(self, column, kinds):
        self.name, self.column = column.name, column
        self.counts = Counter(column.tolist())
        self.counts.pop("", None)
        self.numerals, self.clash, self.n_plain = {}, [], 0
        self.cells = {k: [] for k in ("typed", "missing", "bound", "date", "truth", "word")}
        for cell in self.counts:
            found = kinds[cell]
            if isinstance(found, str):
                self.cells[found].append(cell)
            else:
                self.numerals[cell] = found
        if are_day_numbers(self.numerals):
            self.cells["date"] += self.numerals
            self.numerals = {}
        self._settle_plus()
        self._settle_units()

    @cached_property
    def kind(self):
        """What the column is of: "numbers", "truth", "dates" or "text"."""
        rows = {kind: self.rows(cells) for kind, cells in self.cells.items()}
        numbers, words = self.n_numbers, rows["word"] + rows["date"] + rows["truth"]
        if rows["truth"] == words > 0 and not rows["bound"] + rows["typed"] and self._are_bits():
            return "truth"
        if rows["date"] and 2 * rows["date"] >= numbers + rows["bound"] + words:
            return "dates"
        if not numbers and words + rows["bound"]:
            return "text"
        return "text" if 0 < words >= numbers + rows["bound"] else "numbers"

    @property
    def is_clean(self):
        """Whether all cells are numbers or truth values or missing."""
        return self.kind == "truth" or not (self.words or self.cells["bound"] or self.clash)

    @property
    def words(self):
        """Cells that no number is meant by, in the order of the file."""
        strange = {*self.cells["word"], *self.cells["date"], *self.cells["truth"]}
        return [cell for cell in self.counts if cell in strange] if strange else []

    @cached_property
    def decimals(self):
        """What each numeral says of the decimal mark."""
        return {found.decimals for found in self.numerals.values()}

    @property
    def n_numbers(self):
        return self.rows(self.numerals) + self.rows(self.cells["typed"])

    def rows(self, cells):
        return sum(map(self.counts.__getitem__, cells))

    def _are_bits(self):
        return all(found.text in ("0", "1") for found in self.numerals.values())

    def _settle_plus(self):
        """85+ is a bound; 1+ and 2+, or 2+ and 2-, are degrees."""
        degrees = [cell for cell in self.cells["bound"] if cell.endswith("+")]
        if len(degrees) > 1 or self.cells["word"]:
            self.cells["bound"] = [c for c in self.cells["bound"] if c not in degrees]
            self.cells["word"] += degrees

    def _settle_units(self):
        """Leave one unit among the numerals, or find a clash."""
        units = {}
        for cell, found in self.numerals.items():
            if found.unit:
                units.setdefault(_folded(found.unit), []).append(cell)
        if not units:
            return
        if len(units) > 1 and self._are_ends_of_words(units):
            self._make_words([cell for cells in units.values() for cell in cells])
        elif len(units) > 1:
            self.clash = [cells[0] for cells in list(units.values())[:2]]
        else:
            self._settle_plain(*units.values())

    def _settle_plain(self, cells):
        """A unit beside plain numbers: of money or, if it is no scale, of most cells."""
        plain = [c for c, n in self.numerals.items() if not n.unit and n.text.strip("0.,")]
        plain += self.cells["typed"]
        self.n_plain = self.rows(plain)
        unit = self.numerals[cells[0]].unit
        if not plain or is_currency(unit):
            return
        unit = unit.rstrip(".")
        is_letter = len(unit) == 1 and unit.isascii() and unit not in SHORT_UNITS
        if is_letter or set(unit.split()) & SCALES:
            self.clash = [cells[0], plain[0]]  # 5.2 H is a value with a flag, 12B a house
        elif self.rows(cells) <= self.n_plain:
            self._make_words(cells)

    def _are_ends_of_words(self, units):
        """Whether 2A and 2B, 1 low and 2 high, or 1011 AB and 3512 JE are words and no amounts."""
        names = [self.numerals[cells[0]].unit for cells in units.values()]
        if set(names) <= SCALES or any(is_currency(n) or not n[0].isalpha() for n in names):
            return False
        if len(names) > MOST_UNITS or all(len(cells) == 1 for cells in units.values()):
            return True
        letters = all(len(name) == 1 for name in names) and not set(names) <= SHORT_UNITS
        return letters and not any(" " in cell for cells in units.values() for cell in cells)

    def _make_words(self, cells):
        for cell in cells:
            del self.numerals[cell]
        self.cells["word"] += cells


def _folded(unit):
    """The same for year, Years and years; g and G, mW and MW stay apart."""
    unit = normalize("NFKC", unit).rstrip(".")  # there are two letters for micro
    return unit.lower().removesuffix("s") if len(unit) > 3 and unit.isalpha() else unit
