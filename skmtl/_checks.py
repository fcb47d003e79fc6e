"""Parameter checks: one sentence that names the parameter, its range and the value seen."""

from numbers import Integral, Real

import numpy as np


def check_strength(name, value, *, zero=False, infinite=True):
    """Return `value` as a float in (0, inf], with 0 allowed if `zero` and inf only if `infinite`.

    Raises
    ------
    TypeError
        If `value` is no real number.
    ValueError
        If it lies outside the range, or is NaN.
    """
    interval = f"{'[' if zero else '('}0, inf{']' if infinite else ')'}"
    if not _is_real(value):
        raise TypeError(f"{name} must be a number in {interval}, got {value!r}.")
    above = value >= 0 if zero else value > 0
    if not (above and (infinite or value < np.inf)):
        raise ValueError(f"{name} must be in {interval}, got {value!r}.")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} must be in {interval}, got an integer beyond floats.") from None


def check_strengths(name, values, *, zero=False):
    """Return a grid of strengths, a scalar or 1-D array-like, as a non-empty float array."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf" and values.ndim == 1:
        if values.size and (values > 0).all():  # nothing to refuse
            return values.astype(np.float64)
    grid = np.atleast_1d(np.asarray(values, dtype=object))
    if isinstance(values, str) or grid.ndim > 1:
        raise ValueError(f"{name} must be a 1-D array-like of numbers, got {values!r}.")
    if grid.size == 0:
        raise ValueError(f"{name} must hold at least one value, got an empty array.")
    return np.array([check_strength(name, value, zero=zero) for value in grid])


def check_count(name, value, *, least=1):
    """Return `value` as an int that is at least `least`."""
    if not isinstance(value, Integral) or isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be an integer of at least {least}, got {value!r}.")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value!r}.")
    return int(value)


def check_jobs(name, value):
    """Return `value` if it is None or an integer other than 0."""
    if value is None:
        return None
    if not isinstance(value, Integral) or isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be None or an integer, got {value!r}.")
    if value == 0:
        raise ValueError(f"{name} must be None or an integer other than 0, got 0.")
    return int(value)


def check_flag(name, value):
    """Return `value` as a bool; refuse anything that is not True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}.")
    return bool(value)


def check_option(name, value, options):
    """Return `value` if it is one of `options` (strings or None)."""
    if not any(
        value is option or (isinstance(value, str) and value == option) for option in options
    ):
        raise ValueError(f"{name} must be one of {list(options)}, got {value!r}.")
    return value


def printable(text):
    """Text in which characters that cannot be printed, as those that move a cursor, are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(message):
    """A message on one line of characters that can be printed, whatever names it repeats."""
    return printable(" ".join(str(message).split()))


def _is_real(value):
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
