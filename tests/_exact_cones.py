"""Quadratic programs over cones in exact arithmetic: every face is tried, in fractions.

And the elimination that they need, for other systems.
"""

from fractions import Fraction
from itertools import combinations
from math import isqrt

DIGITS = 10**60  # of a root, after the point


def exact_rows(J):
    """The rows as fractions, without rounding."""
    return [[Fraction(float(x)) for x in row] for row in J]


def gramian(rows):
    return [[_dot(a, b) for b in rows] for a in rows]


def projection(G, u):
    """v >= u that minimises v'Gv: J'v is J'u projected onto {J d >= 0}."""
    pulls = [_dot(row, u) for row in G]
    for face in _faces(len(G)):
        x = solution(_block(G, face), [-pulls[t] for t in face])
        if x is None or any(value < 0 for value in x):
            continue
        v = _added(u, face, x)
        if all(_dot(row, v) >= 0 for row in G):
            return v
    raise AssertionError("some face holds the solution")


def shortest(G):
    """w >= 0 with sum 1 that minimises w'Gw."""
    for face in _faces(len(G)):
        x = solution(_block(G, face), [Fraction(1)] * len(face))
        if not face or x is None or any(value < 0 for value in x):
            continue
        w = _added([Fraction(0)] * len(G), face, [value / sum(x) for value in x])
        if all(_dot(row, w) >= 1 / sum(x) for row in G):
            return w
    raise AssertionError("some face holds the solution")


def best_in_ball(G, c):
    """w with J'w where min_t g_t'd is largest over ||d - g_0|| <= c ||g_0||, of independent rows.

    With the tasks of a face on one level l, x is linear in l and the radius an equation for it.
    """
    T = len(G)
    mean = [Fraction(1, T)] * T
    pulls = [_dot(row, mean) for row in G]
    square = Fraction(c) ** 2 * _dot(mean, pulls)
    found = []
    for face in _faces(T):
        if not face:
            continue
        A = _block(G, face)
        a, b = solution(A, [Fraction(1)] * len(face)), solution(A, [-pulls[t] for t in face])
        gain, cross = sum(a), sum(b)
        rest = -_dot(b, [pulls[t] for t in face]) - square
        if cross**2 < gain * rest:
            continue
        root = _root(cross**2 - gain * rest)
        for level in ((-cross + root) / gain, (-cross - root) / gain):
            x = [p + level * q for p, q in zip(b, a, strict=True)]
            w = _added(mean, face, x)
            lowest = min(_dot(row, w) for row in G)
            if min(x) >= 0 and lowest >= level - Fraction(1, 10**30) * abs(level):
                found.append((level, w))
    return max(found)[1]


def combined(rows, w):
    """J'w, rounded once."""
    return [float(_dot(column, w)) for column in zip(*rows, strict=True)]


def _faces(T):
    return (face for size in range(T + 1) for face in combinations(range(T), size))


def _block(G, face):
    return [[G[s][t] for t in face] for s in face]


def _added(u, face, x):
    v = list(u)
    for t, value in zip(face, x, strict=True):
        v[t] += value
    return v


def _dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def _root(x):
    return Fraction(isqrt(x.numerator * DIGITS**2 // x.denominator), DIGITS)


def solution(A, b):
    """x with A x = b, None where A is singular, by elimination of a semidefinite A."""
    M = [[*row, value] for row, value in zip(A, b, strict=True)]
    for k, pivot in enumerate(M):
        if pivot[k] == 0:
            return None
        for i, row in enumerate(M):
            if i != k and row[k] != 0:
                factor = row[k] / pivot[k]
                M[i] = [x - factor * y for x, y in zip(row, pivot, strict=True)]
    return [row[-1] / row[k] for k, row in enumerate(M)]
