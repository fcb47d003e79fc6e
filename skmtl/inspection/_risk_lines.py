"""Lines predicted by the theory, with simulated dots and their error bars."""

from typing import NamedTuple

import numpy as np

from ._axes import lighten, new_axes

# of Okabe and Ito, told apart by readers who do not see all colours
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "black")


class Line(NamedTuple):
    """A predicted line of points (x, y), and where simulated its means and standard errors."""

    label: str
    x: np.ndarray
    y: np.ndarray
    dots: tuple = ()  # (x, mean, standard error), each of shape (n_dots,)
    dashed: bool = False
    color: int = 0


def draw_lines(ax, lines, *, xlabel, ylabel, legend_title=None):
    """Draw lines and dots; returns (axes, lines, error bars of two standard errors)."""
    ax = new_axes(6.4, 4.2) if ax is None else ax
    drawn, bars = [], []
    for line in lines:
        color = COLORS[line.color % len(COLORS)]
        style = {"linestyle": "--" if line.dashed else "-", "color": color}
        drawn += ax.plot(line.x, line.y, linewidth=1.5, label=line.label, **style)
        if len(line.dots):
            x, mean, sem = line.dots
            look = {"fmt": "o", "markersize": 4, "color": color, "capsize": 2}
            bars.append(ax.errorbar(x, mean, 2 * np.asarray(sem), **look))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    lighten(ax)
    if len(lines) > 1:
        ax.legend(frameon=False, title=legend_title)
    return ax, drawn, bars


def error_name(problem):
    """What the errors of the problem are called on an axis."""
    return "mean squared error" if problem.teacher == "linear" else "misclassification rate"
