"""Text as rows of cells: what separates cells, and in which line their names are.

A separator is certain if it alone divides the header and all rows into the same number of cells,
more than one. How often it occurs says nothing: `1,5;2,5` has more commas than semicolons.
"""

import csv
import io
import re
from collections import Counter
from itertools import islice

from .._numerals import numeral
from ._words import counted

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}
ALIASES = {"\\t": "\t", "pipe": "|", "space": " ", "blanks": " "}
HEAD = 200  # rows that settle most separators
END = "\0"  # of a text; it stands in none
COMMENTS = re.compile(r"(?:[^\S\r\n]*(?:(?:#|%|//)[^\r\n]*)?(?:\r\n?|\n))*")
AMOUNT = re.compile(r"[\d\s.,;|:%/+-]*\d[\d\s.,;|:%/+-]*")
END_OF_FILE = re.compile(r"\x1a\s*\Z")  # Ctrl-Z, which ends the text files of DOS
# what Python calls blank, and what has no width
INVISIBLE = "".join(chr(k) for k in range(0x3001) if chr(k).isspace())
INVISIBLE += "\u180e\u200b\u200c\u200d\u2060\ufeff"


def divide(name, text, sep=None):
    """Header, rows, notes on what was not plain, and separator; cells stripped of blanks."""
    text = END_OF_FILE.sub("\n", text)
    above = COMMENTS.match(text)[0]
    text = text[len(above) :]
    above = [line.strip() for line in above.splitlines() if line.strip()]
    sep = _separator(name, text, above) if sep is None else _named(sep)
    try:
        header, rows, left_out = _table(text, above, sep)
    except csv.Error as error:
        raise ValueError(f"{name}: {error}.") from error
    if len(header) < 2:
        _refuse_one_column(name, header, sep)
    if '"' in text:
        _refuse_rows_in_a_cell(name, rows, len(header), sep)
    _check_lengths(name, rows, len(header), sep)
    notes = [f"cells separated by {_said(sep)}"] if sep != "," else []
    return header, rows, notes + note_above(left_out), sep


def find_header(rows):
    """The names, the rows below them, and the titles above.

    Titles fill at most half of a row, or are shorter than rows and stand above words as long.
    """
    if not rows:
        return [], [], []
    sizes = Counter(map(len, rows))
    width = max(sizes, key=lambda size: (size > 1, sizes[size], size))
    filled = (k for k, row in enumerate(rows) if 2 * sum(map(bool, row)) > width)
    start = next(filled, 0)
    if len(rows[start]) < width:
        long = next((k for k in filled if len(rows[k]) == width), start)
        start = start if _has_amount(rows[long]) else long
    titles = [" ".join(filter(None, row)) for row in rows[:start]]
    return rows[start], rows[start + 1 :], titles


def note_above(lines):
    """A list with a note on the lines above the header, if there are any."""
    if not lines:
        return []
    return [f"{counted(len(lines), 'line')} before the header left out ({lines[0][:40]!r})"]


def _named(sep):
    """The separator of that name."""
    names = ALIASES | {name: character for character, name in SEPARATORS.items()}
    character = names.get(sep.lower(), sep)
    if len(character) != 1 or character in '"\r\n\0':
        raise ValueError(
            f"--sep must be one character, or one of {', '.join(SEPARATORS.values())}; got {sep!r} "
            "(replace a longer separator in the file by one of these)."
        )
    return character


def _said(sep):
    """A separator as it is named in sentences."""
    return {"\t": "tabs", " ": "blanks"}.get(sep, repr(sep))


def _refuse_one_column(name, header, sep):
    """Say what there is instead of cells."""
    cure = f"(cells are separated by {_said(sep)}; --sep names something else)"
    columns = f"one column only, {header[0][:60]!r}" if header else "no filled cell"
    if header and "::" in header[0]:
        cure = "(separators of two characters are not read; replace '::' in the file by a tab)"
    raise ValueError(f"{name} has {columns} {cure}.")


def _refuse_rows_in_a_cell(name, rows, width, sep):
    """Refuse two quotation marks, each without its partner, that make one cell of rows."""
    for number, row in enumerate(rows, start=1):
        for k, cell in enumerate(row):
            n_ends = cell.count("\n")
            if n_ends and cell.count(sep) == (width - 1) * n_ends and _holds_rows(row, k, sep):
                first, *_, last = cell.split("\n")
                raise ValueError(
                    f"{name}: row {number} has a quotation mark before {first[:20]!r} and the next "
                    f"one stands {counted(n_ends, 'line')} below, in {last[-20:]!r}, so that one "
                    "cell holds rows; take both marks out, or give each its partner."
                )


def _holds_rows(row, k, sep):
    """Whether cell k without its quotation marks is rows, one column of them of numbers."""
    first, *inner, last = (line.split(sep) for line in row[k].split("\n"))
    table = [[*row[:k], *first], *inner, [*last, *row[k + 1 :]]]
    if any(len(line) != len(row) for line in table):
        return False
    shares = (
        [bool(numeral(cell.strip())) for cell in column] for column in zip(*table, strict=True)
    )
    return any(2 * sum(are_numbers) > len(are_numbers) for are_numbers in shares)


def _check_lengths(name, rows, width, sep):
    """Refuse a row that has more or fewer cells than the header, with the likely cure."""
    odd = [k for k, row in enumerate(rows) if len(row) != width]
    if odd:
        cells = counted(len(rows[odd[0]]), "cell")
        raise ValueError(
            f"{name}: row {odd[0] + 1} has {cells}, but the header has {width}; "
            f"{_cure_of_length(rows, odd, width, sep)}."
        )


def _cure_of_length(rows, odd, width, sep):
    row = rows[odd[0]]
    at_end = len(rows) - len(odd)
    quoted = [cell for cell in row if "\n" in cell]
    if quoted:
        return (
            f"check the quotation marks around its cell {quoted[0][:20]!r}, which holds line ends"
        )
    if row[0].startswith(("#", "//", "%")):
        return f"take it out if it is a comment, as {row[0][:20]!r} may begin one"
    if odd[0] == at_end > 0 and all(len(rows[k]) < width for k in odd):
        lines = "line" if len(odd) == 1 else f"{len(odd)} lines"
        return f"take the last {lines} out if that is a note below the table, or write all cells"
    if 2 * len(odd) > len(rows):
        return f"cells are separated by {_said(sep)}; --sep names something else"
    if len(row) > width:
        return f"put a cell that holds {_said(sep)} in quotation marks"
    return "write its empty cells too"


def _table(text, above, sep, limit=None):
    """Header, rows, and the lines above them, of the whole text or of its first rows."""
    rows, ended = _rows(text, sep, limit)
    names = _names_above(rows, above, sep)
    if names:
        rows, above = [names, *rows], above[:-1]
    header, rows, titles = find_header(_without_last_separator(rows))
    if not ended and limit is None:
        where = f"row {len(rows)}" if rows else "the header"
        raise csv.Error(
            f"a quotation mark in {where} lacks its partner; take it out, or write one more at the "
            "end of its cell"
        )
    return header, rows, [*above, *titles]


def _rows(text, sep, limit=None):
    """Rows that are not empty, and whether the text ended outside of quotation marks."""
    if sep == " ":
        text = re.sub(r"[^\S\r\n]+", " ", text)
        text = re.sub(r" (?=[\r\n])", "", text)
    lines = io.StringIO(f"{text}\n{END}\n", newline=None)
    reader = islice(csv.reader(lines, delimiter=sep, skipinitialspace=True), limit)
    blanks = None if text.isascii() else INVISIBLE  # None: those of Python, found faster
    try:
        rows = [[cell.strip(blanks) for cell in row] for row in reader]
    except csv.Error as error:
        raise csv.Error(
            f"a cell of more than {csv.field_size_limit()} characters; a quotation mark may lack "
            "its partner"
        ) from error
    ended = rows[-1] == [END]
    return [row for row in rows[: len(rows) - ended] if any(row)], ended


def _without_last_separator(rows):
    """Rows that all end in a separator, unlike their header, without the empty cell behind it."""
    sizes = set(map(len, rows))
    width = max(sizes, default=0)
    if width < 3 or width - 1 not in sizes:
        return rows
    if any(row[-1] for row in rows if len(row) == width):
        return rows
    return [row[: width - 1] for row in rows]


def _names_above(rows, above, sep):
    """The last comment where it is the header: names, as many as there are amounts below."""
    line = above[-1].lstrip("#%/ \t") if above else ""
    names = next(iter(_rows(line, sep)[0]), [])
    fits = rows and all(names) and len(names) == len(rows[0]) > 1
    return names if fits and not _has_amount(names) and _has_amount(rows[0]) else []


def _has_amount(cells):
    return any(map(AMOUNT.fullmatch, cells))


def _separator(name, text, above):
    """The separator that divides the text best; a refusal where two divide all of it."""
    found = [sep for sep in SEPARATORS if sep in text and sep != " "]
    if _is_blank_separated(text, above, found):
        return " "
    for limit in (HEAD, None):
        if len(found) > 1:
            merits = {sep: _merit(text, above, sep, limit) for sep in found}
            best = max(merits.values())
            found = [sep for sep in found if merits[sep] == best]
    if len(found) > 1 and best[1] == 1:
        raise ValueError(
            f"{name}: {' and '.join(map(_said, found))} divide all of its rows alike; say with "
            "--sep which separates cells."
        )
    return found[0] if found else ","


def _is_blank_separated(text, above, others):
    """Whether blanks do, and nothing else does: text has blanks anyway."""
    first = re.match(r"[^\r\n]*", text)[0]
    if any(sep in first for sep in others) or not re.search(r"\S[ \t]+\S", first):
        return False
    plausible, share, titles = _merit(text, above, " ")
    fits = plausible and share == 1 and titles >= -len(above)
    return fits and all(_merit(text, above, sep)[:2] < (True, 1.0) for sep in others)


def _merit(text, above, sep, limit=None):
    """Whether names look like names, the share of rows as long as they, minus lines above them."""
    try:
        header, rows, left_out = _table(text, above, sep, limit)
    except csv.Error:
        return False, 0.0, 0
    if len(header) < 2:
        return False, 0.0, 0
    fitting = sum(len(row) == len(header) for row in rows)
    return not _has_amount(header), fitting / max(len(rows), 1), -len(left_out)
