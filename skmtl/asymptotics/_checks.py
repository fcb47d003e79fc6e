"""Checks of what a problem is made of: one sentence with the name, the task and the value."""

import numpy as np

from .._checks import check_strength

ROUNDING = 100 * np.finfo(np.float64).eps  # of matrices that were computed, relative to the largest


def check_fraction(name, value, *, least, open_below=False):
    """Return `value` as a float in [least, 1], or (least, 1] where `open_below`."""
    interval = f"{'(' if open_below else '['}{least:.4g}, 1]"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        raise TypeError(f"{name} must be a number in {interval}, got {value!r}.")
    inside = value > least if open_below else value >= least * (1 + ROUNDING)
    if not (inside and value <= 1):
        raise ValueError(f"{name} must be in {interval}, got {value!r}.")
    return float(value)


def check_per_task(name, values, n_tasks, *, least=None, most=np.inf):
    """Return one float for each task as a read-only array; a scalar stands for all.

    They lie in (0, inf) where `least` is None, else in [least, most].
    """
    interval = (
        "(0, inf)" if least is None else f"[{least:g}, {most:g}{')' if most == np.inf else ']'}"
    )
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name} must be a number or {n_tasks} numbers (n_tasks), got {values!r}."
        ) from None
    if array.shape not in ((), (n_tasks,)):
        raise ValueError(
            f"{name} must be a number or {n_tasks} numbers (n_tasks), got shape {array.shape}."
        )
    array = np.array(np.broadcast_to(array, n_tasks))
    right = np.isfinite(array) & (
        array > 0 if least is None else (array >= least) & (array <= most)
    )
    if not right.all():
        t = int(np.argmin(right))
        raise ValueError(f"{name} must be in {interval}, got {array[t]:g} for task {t}.")
    array.flags.writeable = False
    return array


def check_psd(name, matrix, n_tasks=None):
    """Return a symmetric positive semi-definite matrix as a read-only float array."""
    try:
        matrix = np.array(matrix, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a matrix of numbers, got {matrix!r}.") from None
    size = matrix.shape[0] if matrix.ndim and n_tasks is None else n_tasks
    if matrix.shape != (size, size) or not size:
        wanted = "(n_tasks, n_tasks)" + ("" if n_tasks is None else f" = {(n_tasks, n_tasks)}")
        raise ValueError(f"{name} must have shape {wanted}, got {matrix.shape}.")
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name} must be finite, got {matrix[~np.isfinite(matrix)][0]}.")
    tolerance = ROUNDING * size * np.abs(matrix).max()
    if np.abs(matrix - matrix.T).max() > tolerance:
        raise ValueError(f"{name} must be symmetric; pass ({name} + {name}.T) / 2.")
    matrix = (matrix + matrix.T) / 2
    lowest = np.linalg.eigvalsh(matrix)[0]
    if lowest < -tolerance:
        raise ValueError(
            f"{name} must be positive semi-definite, got the eigenvalue {lowest:.4g}; add its "
            "absolute value to the diagonal."
        )
    matrix.flags.writeable = False
    return matrix


def check_spectrum(spectrum):
    """Return (eigenvalues, weights) as read-only arrays, or None."""
    if spectrum is None:
        return None
    try:
        eigenvalues, weights = (np.array(part, dtype=np.float64) for part in spectrum)
    except (TypeError, ValueError):
        raise ValueError(
            f"spectrum must be None or a pair (eigenvalues, weights), got {spectrum!r}."
        ) from None
    if eigenvalues.ndim != 1 or eigenvalues.shape != weights.shape or not eigenvalues.size:
        raise ValueError(
            "spectrum must hold as many weights as eigenvalues, got shapes "
            f"{eigenvalues.shape} and {weights.shape}."
        )
    for value in eigenvalues:
        check_strength("eigenvalues of spectrum", float(value), infinite=False)
    if not (weights >= 0).all() or abs(weights.sum() - 1) > 1e-8:
        raise ValueError(
            f"weights of spectrum must be in [0, 1] and sum to 1, got the sum {weights.sum():.6g}."
        )
    kept = weights > 0
    spectrum = eigenvalues[kept], weights[kept]
    for part in spectrum:
        part.flags.writeable = False
    return spectrum
