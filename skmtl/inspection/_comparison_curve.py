"""ComparisonCurveDisplay: mean scores of models against the training rows per task."""

from itertools import cycle

import numpy as np

from ._axes import lighten, new_axes

# of Okabe and Ito, told apart by readers who do not see all colours; black is the reference
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
SIGNIFICANT = 0.05
MARKERS = "os^vPX*"  # one more than colours: pairs repeat late


class ComparisonCurveDisplay:
    """Figure of a ComparisonCurve: each model's mean score against the training rows per task.

    A band is two standard errors of the mean to each side; it holds the luck that all models share,
    so bands may overlap where models differ. What counts is the paired difference to the reference:
    a filled dot is shown to differ from it, with a p value below .05 that allows for the number of
    models, a hollow one is not.

    Parameters
    ----------
    rows_per_task : array-like of shape (n_sizes,)
        Training rows of each task, ascending.
    names : list of str of length n_models
        The models, the reference among them.
    means, standard_errors : array-like of shape (n_models, n_sizes)
        Mean scores and their standard errors, NaN where there is none.
    p_values : array-like of shape (n_models, n_sizes)
        Of the hypotheses that a model does not differ from the reference; NaN for the reference.
    reference : str
        Name of the reference.
    scoring : str
        What the score is.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        The means, one for each model.
    bands_ : list of matplotlib PolyCollection
        Two standard errors to each side, one for each model.
    hollow_ : list of matplotlib Line2D
        The hollow dots, one object for each model.

    See Also
    --------
    skmtl.model_selection.compare_by_rows : Makes the data.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.inspection import ComparisonCurveDisplay
    >>> display = ComparisonCurveDisplay(
    ...     rows_per_task=[3, 12],
    ...     names=["pooled", "MultiTaskRidgeCV"],
    ...     means=[[0.77, 0.79], [0.87, 0.94]],
    ...     standard_errors=[[0.01, 0.01], [0.02, 0.01]],
    ...     p_values=[[0.001, 0.001], [np.nan, np.nan]],
    ...     reference="MultiTaskRidgeCV",
    ...     scoring="explained variance",
    ... )
    >>> display.plot().ax_.get_ylabel()
    'explained variance'
    """

    def __init__(
        self,
        *,
        rows_per_task,
        names,
        means,
        standard_errors,
        p_values,
        reference,
        scoring,
    ):
        self.rows_per_task = rows_per_task
        self.names = names
        self.means = means
        self.standard_errors = standard_errors
        self.p_values = p_values
        self.reference = reference
        self.scoring = scoring

    @classmethod
    def from_curve(cls, curve, *, ax=None):
        """Draw a ComparisonCurve.

        Parameters
        ----------
        curve : ComparisonCurve
            What :func:`~skmtl.model_selection.compare_by_rows` returns.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        ComparisonCurveDisplay
        """
        result = curve.to_dict()
        tables = [comparison["table"] for comparison in result["comparisons"]]

        names = [row["model"] for row in max(tables, key=len)]
        tables = [{row["model"]: row for row in table} for table in tables]

        def column(key):  # NaN where a model was left out
            rows = [[table.get(name, {}).get(key) for table in tables] for name in names]
            return np.array(rows, dtype=float)

        display = cls(
            rows_per_task=result["rows_per_task"],
            names=names,
            means=column("mean"),
            standard_errors=column("se"),
            p_values=column("p_value"),
            reference=result["reference"],
            scoring=result["scoring"],
        )
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw the figure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        self : ComparisonCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = new_axes(7.0, 4.4) if ax is None else ax
        parts = [self._draw(ax, k, style) for k, style in enumerate(self._styles())]
        self.lines_, self.bands_, self.hollow_ = map(list, zip(*parts, strict=True))
        ax.set_xscale("log")
        ax.set_xticks(self.rows_per_task, [str(size) for size in self.rows_per_task])
        ax.minorticks_off()
        ax.set(xlabel="training rows per task", ylabel=self.scoring)
        lighten(ax)
        legend = ax.legend(frameon=False, title_fontsize="small", alignment="left")
        key = "band: ±2 s.e. of the mean"
        if any(len(dots.get_xdata()) for dots in self.hollow_):
            key += f"\nhollow: no difference to\n{self.reference} shown"
        legend.set_title(key)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _styles(self):
        """(color, marker, zorder) of each model; the reference is black and lies above."""
        others = zip(cycle(COLORS), cycle(MARKERS), strict=True)
        return [
            ("black", "D", 3) if name == self.reference else (*next(others), 2)
            for name in self.names
        ]

    def _draw(self, ax, k, style):
        """Line, band and hollow dots of model k."""
        color, marker, zorder = style
        mean, bar = np.asarray(self.means[k]), 2 * np.asarray(self.standard_errors[k])
        band = ax.fill_between(
            self.rows_per_task, mean - bar, mean + bar, color=color, alpha=0.12, linewidth=0
        )
        (line,) = ax.plot(
            self.rows_per_task, mean, color=color, marker=marker, label=self.names[k], zorder=zorder
        )
        hollow = np.asarray(self.p_values[k], dtype=float) >= SIGNIFICANT
        (hollow_dots,) = ax.plot(
            np.asarray(self.rows_per_task)[hollow],
            mean[hollow],
            color=color,
            marker=marker,
            markerfacecolor="white",
            linestyle="none",
            zorder=zorder,
        )
        return line, band, hollow_dots
