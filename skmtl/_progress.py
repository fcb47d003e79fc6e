"""Progress of long work on the command line."""

import time

from ._workload import time_text

BAR = 30  # characters
SECONDS_A_LINE = 20.0  # where there is no terminal


def progress(stream):
    """Callback that tells of the splits done: a bar on a terminal, elsewhere a line at times."""
    return _bar(stream) if stream.isatty() else _lines(stream)


def _bar(stream):
    def draw(done, total):
        bar = f"[{'#' * (BAR * done // total):<{BAR}}] {done}/{total} splits"
        stream.write(f"\r{bar}" if done < total else f"\r{'':<{len(bar)}}\r")
        stream.flush()

    return draw


def _lines(stream, clock=time.monotonic):
    start = last = clock()

    def tell(done, total):
        nonlocal last
        if done < total and clock() - last >= SECONDS_A_LINE:
            last = clock()
            left = time_text((last - start) * (total - done) / done)
            stream.write(f"skmtl: {done}/{total} splits, {left} left\n")
            stream.flush()

    return tell
