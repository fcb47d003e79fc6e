"""Memory: what a solver is about to hold, against what there is, before its work begins.

The system is asked in the ways that need no package; where it does not answer nothing is refused.
"""

import os
from pathlib import Path

from ._places import NUMPY

ITEM = 8  # bytes of a number
SMALL = 2**26  # bytes for which the system is not asked
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
CACHES = ("inactive_file", "active_file")  # what a group of processes gives back when asked


def require_memory(numbers, what, remedy, place=NUMPY):
    """Refuse what cannot be held.

    Parameters
    ----------
    numbers : float
        Floating-point numbers that are held at once, or fewer.
    what : str
        Names them, as the subject of a sentence.
    remedy : str
        What to do instead.
    place : Place, default=NUMPY
        Where they will lie; of the memory of other devices nothing is said.

    Raises
    ------
    MemoryError
        If they take more than the memory that is free.
    """
    needed = ITEM * float(numbers)
    if needed < SMALL or place != NUMPY:
        return
    free = free_memory()
    if free is not None and needed > free:
        raise MemoryError(
            f"{what} would take {in_words(needed)} of memory, and {in_words(free)} are free; "
            f"{remedy}."
        )


def in_words(size):
    """Bytes as "512 bytes" or "149 GiB"."""
    power = 0
    while size >= 1024 and power < len(UNITS) - 1:
        size, power = size / 1024, power + 1
    return f"{size:.3g} {UNITS[power]}" if size < 1000 else f"{size:.0f} {UNITS[power]}"


def free_memory():
    """Bytes that can still be had from the system, the process's limit and its group's; or None."""
    known = [free for free in (_of_system(), _of_process(), _of_group()) if free is not None]
    return max(0, min(known)) if known else None


def _of_system(table="/proc/meminfo"):
    """What is free without or with swapping, or else all that is installed."""
    kib = _numbers_by_name(table)
    if "MemAvailable:" in kib:
        return 1024 * (kib["MemAvailable:"] + kib.get("SwapFree:", 0))
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _of_process():
    """What a limit on the address space of the process (`ulimit -v`) leaves."""
    try:
        import resource  # not on every system

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        pages = int(_text("/proc/self/statm").split()[0])
        page = os.sysconf("SC_PAGE_SIZE")
    except (ImportError, AttributeError, OSError, ValueError, IndexError):
        return None
    return None if limit == resource.RLIM_INFINITY else limit - pages * page


def _of_group(root="/sys/fs/cgroup", membership="/proc/self/cgroup"):
    """What the limits of the process's control group, and of those around it, leave."""
    left = []
    for line in _text(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        base, names = Path(root), ("memory.max", "memory.current")
        if controllers:  # the first version of control groups
            base, names = base / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes")
        group = base / path.lstrip("/")
        for folder in (group, *group.parents):
            left.append(_left_in(folder, *names))
            if folder == base:
                break
    return min((size for size in left if size is not None), default=None)


def _left_in(folder, limit, usage):
    limit, usage = _text(folder / limit).strip(), _text(folder / usage).strip()
    if not (limit.isdecimal() and usage.isdecimal()):  # "max": no limit
        return None
    cache = _numbers_by_name(folder / "memory.stat")
    return int(limit) - int(usage) + sum(cache.get(name, 0) for name in CACHES)


def _numbers_by_name(table):
    """First number of each line by its first word."""
    rows = [line.split() for line in _text(table).splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}


def _text(path):
    """Content of a file, nothing where there is none to read."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
