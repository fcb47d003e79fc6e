"""A file of any kind as a table of text cells."""

from collections import Counter
from itertools import chain

import numpy as np

from ._rows import divide
from ._source import read_source
from ._text import decode
from ._typed import read_typed
from ._words import counted


def read_cells(path, *, sep=None, encoding=None, sheet=None):
    """Cells of a file with a header.

    Parameters
    ----------
    path : str
        "-" is standard input.
    sep, encoding : str or None
        Of text: what separates its cells, a character or its name, and the name of its encoding;
        None: as its first bytes and lines show.
    sheet : str or None
        Of a workbook: name or number, from 1; None: the first.

    Returns
    -------
    frame : DataFrame of shape (n_rows, n_columns)
        Text without blanks at its ends, "" where empty; without rows that are empty and columns
        without a name. `attrs["separator"]` is what separates cells, None if that is no text.
    notes : list of str
        How it was read where that was not plain, and how many columns had no name.

    Raises
    ------
    ImportError
        If pandas is not installed, or what it needs for such a file.
    ValueError
        If the file cannot be read, or not as a table.
    """
    try:
        import pandas as pd
    except ImportError as error:
        message = 'reading a file needs pandas; install it with `pip install "skmtl[cli]"`.'
        raise ImportError(message) from error
    source = read_source(path)
    _check_applies(source, sep, encoding, sheet)
    if source.kind == "text":
        text, notes = decode(source, encoding)
        header, rows, more, sep = divide(source.name, text, sep)
        notes = notes + more
    else:
        header, rows, notes = read_typed(source, sheet)
    named = _check_names(source.name, header)
    if not rows:
        how = f" ({'; '.join(notes)})" if notes else ""
        raise ValueError(f"{source.name} has a header but no rows{how}.")
    # one block at a stroke; of lists pandas makes a column at a time, which takes ten times as long
    cells = np.fromiter(chain.from_iterable(rows), dtype=object, count=len(rows) * len(header))
    frame = pd.DataFrame(cells.reshape(len(rows), -1), columns=header, dtype=object, copy=False)
    frame.attrs["separator"] = sep  # None where the file is no text
    how = source.notes + notes
    notes = [f"how it was read: {'; '.join(how)}."] if how else []
    if len(named) == len(header):
        return frame, notes
    nameless = counted(len(header) - len(named), "column")
    return frame[named], [*notes, f"{nameless} without a name left out."]


def _check_applies(source, sep, encoding, sheet):
    """Refuse options for files of other kinds."""
    if source.kind in ("parquet", "feather"):
        kind, idle = "Parquet or Feather", {"--sep": sep, "--encoding": encoding, "--sheet": sheet}
    elif source.kind == "text":
        kind, idle = "text", {"--sheet": sheet}
    else:
        kind, idle = "workbook", {"--sep": sep, "--encoding": encoding}
    for option, value in idle.items():
        if value is not None:
            raise ValueError(f"{source.name} is a {kind} file, to which {option} does not apply.")


def _check_names(name, header):
    """Names of columns that have one, each another."""
    named = [column for column in header if column]
    twice = [column for column, count in Counter(named).items() if count > 1]
    if twice:
        raise ValueError(f"{name} has two columns named {twice[0]!r}; rename one.")
    return named
