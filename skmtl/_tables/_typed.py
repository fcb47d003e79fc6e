"""Workbooks, Parquet and Feather files as rows of text: what a CSV file of them would hold.

Whole numbers stand without a point, `7` and never `7.0`, other numbers with the digits that give
the same number again, dates as in ISO 8601; what is missing is empty.
"""

import io
import warnings
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from numbers import Integral, Real
from unicodedata import normalize

from .._checks import one_line
from ._marks import Typed
from ._rows import INVISIBLE, find_header, note_above
from ._words import listed

COLUMNS = {"parquet": "read_parquet", "feather": "read_feather"}  # functions of pandas
ENGINES = {"xlsx": "openpyxl", "xls": "xlrd", "ods": "odf", "xlsb": "pyxlsb"}  # names of pandas
INSTALL = dict.fromkeys(["xlsx", "parquet", "feather"], '"skmtl[files]"')
INSTALL |= {"xls": "xlrd", "ods": "odfpy", "xlsb": "pyxlsb"}
EXACT = 2.0**53  # of smaller floats all digits before the point are exact


def read_typed(source, sheet=None):
    """Header, rows, and notes on how they were read."""
    if source.kind in COLUMNS:
        frame = _read_columns(source)
        return [_text(name) for name in frame.columns], _texts(frame), []
    frame, notes = _read_sheet(source, sheet)
    header, rows, titles = find_header([row for row in _texts(frame) if any(row)])
    return header, rows, notes + note_above(titles)


def _read_columns(source):
    """All columns; an index with a name is one of them, as ids often are kept there."""
    import pandas as pd

    with _reading(source):
        read = getattr(pd, COLUMNS[source.kind])
        # floats would round integers beside gaps
        frame = read(io.BytesIO(source.data), dtype_backend="numpy_nullable")
        return frame.reset_index([name for name in frame.index.names if name is not None])


def _read_sheet(source, sheet):
    """Cells of a sheet, by its name or number, and a list with a note if there are others."""
    import pandas as pd

    with _reading(source):
        book = pd.ExcelFile(io.BytesIO(source.data), engine=ENGINES[source.kind])
    names = book.sheet_names
    name = _sheet_name(source, names, sheet)
    with _reading(source):
        frame = book.parse(name, header=None, dtype=object, na_filter=False)
    if frame.empty:
        raise ValueError(
            f"{source.name}: sheet {name!r} is empty; name another of {listed(names)} with --sheet."
        )
    of = f" of {listed(names)} (--sheet names another)"
    return frame, [f"sheet {name!r}{of}"] if len(names) > 1 else []


def _sheet_name(source, names, sheet):
    if not names:
        raise ValueError(f"{source.name} is a workbook without sheets of cells; save it as CSV.")
    if sheet is None:
        return names[0]
    if sheet in names:
        return sheet
    if sheet.isdecimal() and 1 <= int(sheet) <= len(names):
        return names[int(sheet) - 1]
    raise ValueError(
        f"{source.name} has no sheet {sheet!r}; --sheet names one of {listed(names)}, or its "
        "number from 1."
    )


@contextmanager
def _reading(source):
    """What pandas says, and what its engines do, in a sentence."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of formats and charts that do not matter
            yield
    except ImportError as error:
        raise ImportError(
            f"{source.name} is a file of kind {source.kind}, for which a package is missing; "
            f"install it with `pip install {INSTALL[source.kind]}`, or save the file as CSV."
        ) from error
    # a damaged file makes them raise whatever comes: KeyError, errors of XML, of zip or of Arrow
    except Exception as error:
        raise ValueError(
            f"{source.name} cannot be read as a file of kind {source.kind} "
            f"({one_line(error)[:200]}); save it anew where it was made, or as CSV."
        ) from error


def _texts(frame):
    """Rows of text."""
    values = frame.astype(object).where(frame.notna(), "").to_numpy().tolist()
    return [[_text(value) for value in row] for row in values]


def _text(value):
    """A cell as it would stand in a CSV file."""
    if isinstance(value, str):
        return normalize("NFC", value).strip(INVISIBLE)
    if isinstance(value, Real) and not isinstance(value, bool):
        if isinstance(value, Integral) and abs(value) < 2**64:
            return str(value)
        # of a sheet pandas reads 1e300 as an integer of 301 digits
        whole = abs(value) < EXACT and value % 1 == 0
        return str(int(value)) if whole else Typed(float(value))
    if isinstance(value, Decimal):
        return Typed(format(value, "f"))
    if isinstance(value, datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return value.isoformat() if isinstance(value, date | time) else str(value)
