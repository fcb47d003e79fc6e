"""ComparisonDisplay: paired differences of models to a reference, with 95 % intervals."""

import numpy as np

from ._axes import lighten, new_axes
from ._comparison_curve import ComparisonCurveDisplay

WORSE, TIE, BETTER = "#2f6db3", "#8a8a8a", "#c4572b"
SIGNIFICANT = 0.05
KEY = "bar: 95 % interval of one difference; hollow dot: none shown, with all compared"


class ComparisonDisplay:
    """Figure of a Comparison: each model's paired difference to the reference.

    A bar is the 95 % interval of one difference. Filled dots are shown to differ from the
    reference, with a p value below .05 that allows for the number of models; hollow ones are not,
    and so there may be a hollow dot with a bar just beside zero.

    Parameters
    ----------
    names : list of str of length n_models
        Models other than the reference, from top to bottom.
    means : array-like of shape (n_models,)
        Their mean scores.
    differences : array-like of shape (n_models,)
        Mean differences, model minus reference.
    intervals : array-like of shape (n_models, 2)
        95 % intervals of the differences.
    p_values : array-like of shape (n_models,)
        Of the hypotheses that there is none, adjusted for the number of models.
    reference : str
        Name of the reference.
    reference_mean : float
        Its mean score.
    scoring : str
        What the score is.
    greater_is_better : bool, default=True
        Whether a larger score is better.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    line_ : matplotlib Line2D
        The reference, at zero.
    bars_ : list of matplotlib ErrorbarContainer
        One for each model.

    Examples
    --------
    >>> from skmtl.inspection import ComparisonDisplay
    >>> display = ComparisonDisplay(
    ...     names=["pooled", "independent"],
    ...     means=[0.79, 0.90],
    ...     differences=[-0.15, -0.04],
    ...     intervals=[[-0.17, -0.13], [-0.10, 0.02]],
    ...     p_values=[0.001, 0.2],
    ...     reference="MultiTaskRidgeCV",
    ...     reference_mean=0.94,
    ...     scoring="explained variance",
    ... )
    >>> print(display.plot().ax_.get_xlabel())
    explained variance, difference to MultiTaskRidgeCV
    bar: 95 % interval of one difference; hollow dot: none shown, with all compared
    """

    def __init__(
        self,
        *,
        names,
        means,
        differences,
        intervals,
        p_values,
        reference,
        reference_mean,
        scoring,
        greater_is_better=True,
    ):
        self.names = names
        self.means = means
        self.differences = differences
        self.intervals = intervals
        self.p_values = p_values
        self.reference = reference
        self.reference_mean = reference_mean
        self.scoring = scoring
        self.greater_is_better = greater_is_better

    @classmethod
    def from_comparison(cls, comparison, *, ax=None):
        """Draw a Comparison.

        Parameters
        ----------
        comparison : Comparison
            What :func:`~skmtl.model_selection.compare` returns.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        ComparisonDisplay
        """
        result = comparison.to_dict()
        rows = {row["model"]: row for row in result["table"]}
        reference = rows.pop(result["reference"])
        display = cls(
            names=list(rows),
            means=[row["mean"] for row in rows.values()],
            differences=[row["difference"] for row in rows.values()],
            intervals=[[row["low"], row["high"]] for row in rows.values()],
            p_values=[row["p_value"] for row in rows.values()],
            reference=result["reference"],
            reference_mean=reference["mean"],
            scoring=result["scoring"],
            greater_is_better=comparison.greater_is_better,
        )
        return display.plot(ax=ax)

    @classmethod
    def from_curve(cls, curve, *, ax=None):
        """Draw a ComparisonCurve: the scores themselves, against the rows per task.

        Parameters
        ----------
        curve : ComparisonCurve
            What :func:`~skmtl.model_selection.compare_by_rows` returns.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        ComparisonCurveDisplay
            A figure of another kind, with the curves as its data.
        """
        return ComparisonCurveDisplay.from_curve(curve, ax=ax)

    def plot(self, ax=None):
        """Draw the figure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        self : ComparisonDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        longest = max(map(len, [*self.names, self.reference]))
        width = max(7.0, 4.8 + 0.1 * longest)  # long names leave less of it to the axes
        ax = new_axes(width, 1.2 + 0.42 * (len(self.names) + 1)) if ax is None else ax
        height = np.arange(len(self.names), 0, -1)
        self.line_ = ax.axvline(0, color="black", linewidth=1)
        columns = (height, self.differences, self.intervals, self.p_values)
        self.bars_ = [self._draw(ax, *dot) for dot in zip(*columns, strict=True)]
        labels = [_label(*pair) for pair in zip(self.names, self.means, strict=True)]
        ax.set_yticks([*height, 0], [*labels, _label(self.reference, self.reference_mean)])
        ax.plot(0, 0, marker="D", color="black")
        ax.set_ylim(-0.6, len(self.names) + 0.6)
        ax.set_xlabel(f"{self.scoring}, difference to {self.reference}\n{KEY}")
        lighten(ax, rows=True)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw(self, ax, height, difference, interval, p):
        bar = np.abs(np.reshape(interval, (2, 1)) - difference)
        better = (difference > 0) == self.greater_is_better
        color = TIE if p >= SIGNIFICANT else BETTER if better else WORSE
        face = "white" if color == TIE else color
        return ax.errorbar(
            difference, height, xerr=bar, fmt="o", color=color, markerfacecolor=face, capsize=3
        )


def _label(name, mean):
    text = f"{mean:#.4g}".rstrip(".")
    return f"{name}  ({text})"
