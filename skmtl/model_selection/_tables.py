"""Rows of a report as aligned text, as a data frame and as what JSON can hold."""

import numpy as np

from .._checks import printable

WIDEST = 30  # characters of a cell


def number(value, decimals, sign="-"):
    """Fixed decimals without a leading zero, as .938; "-" where it is not defined."""
    if np.isnan(value):
        return "-"
    text = f"{value:{sign}z.{decimals}f}"  # z: no minus before a zero
    return text.replace("0.", ".", 1) if text.lstrip("+-").startswith("0.") else text


def aligned(cells):
    """Rows of text as lines, the first column to the left, the others to the right.

    Characters that cannot be printed are escaped, and long names cut: a row is a line.
    """
    cells = [[_shown(cell) for cell in row] for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *others in cells:
        right = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("   ".join([first.ljust(widths[0]), *right]).rstrip())
    return "\n".join(lines)


def _shown(text):
    text = printable(text)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


def frame(rows, key):
    """The rows as a DataFrame with the column `key` as index, or as they are without pandas."""
    try:
        import pandas as pd
    except ImportError:
        return rows
    # tuples are ids too, not levels of an index
    index = pd.Index([row[key] for row in rows], name=key, tupleize_cols=False)
    return pd.DataFrame(rows, index=index).drop(columns=key)


def plain(value):
    """Dicts, lists, strings and numbers that JSON can hold; NaN is None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, np.ndarray)):
        return [plain(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, (int, str)) else str(value)
