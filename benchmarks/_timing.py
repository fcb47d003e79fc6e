"""Interleaved CPU times and a plain table of peer time / our time beside the ratio asked for."""

import time
from statistics import median


def interleaved(*functions, repeats=7, clock=time.process_time):
    """Median time of a call of each function over repeats that alternate between them.

    After a warm-up; a repeat of a short function is as many calls as last 20 ms.
    """
    numbers = [max(1, round(0.02 / _seconds(function, 2, clock))) for function in functions]
    times = [[] for _ in functions]
    for _ in range(repeats):
        for function, number, kept in zip(functions, numbers, times, strict=True):
            kept.append(_seconds(function, number, clock))
    return [median(kept) for kept in times]


def _seconds(function, number, clock):
    start = clock()
    for _ in range(number):
        function()
    return max(clock() - start, 1e-9) / number


def ratio_row(what, ours, peer, bar, note=""):
    """Row of a table of ratios peer / ours; without a bar there is no verdict."""
    ratio = peer / ours
    verdict = "" if bar is None else "ok" if ratio >= bar else "SHORT"
    return [
        what,
        f"{1e3 * ours:.2f}",
        f"{1e3 * peer:.2f}",
        f"{ratio:.1f}",
        "" if bar is None else f"{bar:g}",
        verdict,
        note,
    ]


RATIO_COLUMNS = ["case", "ours ms", "peer ms", "ratio", "at least", "", ""]


def print_table(title, columns, rows):
    """Print rows of strings under a title, in aligned columns."""
    rows = list(rows)
    widths = [max(len(str(row[k])) for row in [columns, *rows]) for k in range(len(columns))]
    print(f"\n{title}")
    for row in [columns, ["-" * width for width in widths], *rows]:
        print(
            "  ".join(
                str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)
            ).rstrip()
        )
