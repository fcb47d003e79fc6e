"""ComparisonCurve: comparisons by training rows per task, as a table, in words and as a figure."""

from dataclasses import dataclass
from itertools import groupby

from ._resampled import FEWEST_SPLITS
from ._tables import aligned, frame, number, plain
from ._words import COVERAGE, GAIN, LOSS, WORDS, between, decimals_of, left_out_text, rival


@dataclass(frozen=True, eq=False, repr=False)
class ComparisonCurve:
    """Comparisons at several numbers of training rows per task, as `compare_by_rows` returns them.

    Parameters
    ----------
    rows_per_task : list of int of length n_sizes
        Training rows (wide data: labels) of each task, ascending.
    comparisons : list of Comparison of length n_sizes
        One for each size, of the same models, but for those left out at a size.

    Attributes
    ----------
    table : DataFrame, or list of dict without pandas
        A row for each size.
    verdict : str
        At which sizes the reference gains on the best simple model, and which that is.
    log_loss : ComparisonCurve or None
        Of classes: the same fits compared by their mean log loss.

    See Also
    --------
    compare_by_rows : Makes one.
    Comparison : What there is at each size.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.model_selection import Comparison, ComparisonCurve
    >>> luck = 0.01 * np.random.default_rng(0).normal(size=(2, 20))
    >>> def comparison(gain):
    ...     return Comparison(
    ...         scores={"pooled": 0.5 + luck[0], "mine": 0.5 + gain + luck[1]},
    ...         fit_seconds={"pooled": 0.01, "mine": 0.1},
    ...         task_scores={"pooled": np.array([0.5, 0.5]), "mine": np.array([0.6, 0.6])},
    ...         tasks=["a", "b"],
    ...         n_labels=np.array([20, 30]),
    ...         reference="mine",
    ...         simple=["pooled"],
    ...         scoring="explained variance",
    ...         test_train_ratio=1 / 3,
    ...     )
    >>> curve = ComparisonCurve([3, 6, 12], [comparison(gain) for gain in (0.2, 0.1, 0.0)])
    >>> print(curve.verdict)
    Against the best simple model, mine has a gain from 3 to 6 rows per task and no difference \
that these data can show at 12. The largest gain is .202 in explained variance, at 3 \
(95 % interval of the gain +.188 to +.217). The best simple model is "pooled" from 3 to 12.
    """

    rows_per_task: list
    comparisons: list

    @property
    def table(self):
        """One row a size: each model's mean score, `best_simple`, and what its gain is.

        A DataFrame with the sizes as index `rows`; without pandas a list of dicts with the key
        `rows`. `gain`, `gain_se`, `gain_low`, `gain_high` and `outcome` are those of the
        :class:`Comparison` of that size: the gain of the reference on the simple model that is best
        there, its standard error and the ends of its 95 % interval. The score of a model that was
        left out is NaN.
        """
        return frame(self._rows(), "rows")

    @property
    def verdict(self):
        """At which sizes the reference gains, loses or neither, and on which simple model.

        As in :class:`Comparison`, a gain or a loss is one whose 95 % interval excludes zero. The
        best simple model is chosen anew at each size, which the interval allows for; that there are
        several sizes it does not.
        """
        return " ".join([self._outcomes(), *self._extremes(), self._rivals()])

    @property
    def log_loss(self):
        """The curve of the log loss of the same fits, None where labels are continuous."""
        losses = [comparison.log_loss for comparison in self.comparisons]
        return None if None in losses else ComparisonCurve(self.rows_per_task, losses)

    def to_text(self):
        """The table, a model a line and a size a column, and the verdict as aligned text.

        Of classes those of the log loss follow.
        """
        parts = [self._text(), self.verdict]
        if self.log_loss is not None:
            parts.append(self.log_loss.to_text())
        return "\n\n".join(parts)

    __str__ = to_text

    def _text(self):
        first, rows = self.comparisons[0], self._rows()
        lines = [["rows per task", *(str(size) for size in self.rows_per_task)]]
        for name in self._names:
            lines.append([name, *(number(row[name], self._decimals) for row in rows)])
        lines.append(["gain", *(number(row["gain"], self._decimals, "+") for row in rows)])
        for end in ("low", "high"):
            ends = (number(row[f"gain_{end}"], self._decimals, "+") for row in rows)
            lines.append([f"{COVERAGE}, {end}", *ends])
        return (
            f"{aligned(lines)}\n\n"
            f"{first.scoring}, mean over {self._n_splits} splits of these data at each size\n"
            f"gain: of {first.reference} on the {rival(first.simple)} at that size, paired"
            f"{'' if first.greater_is_better else ', + is a smaller loss'}\n"
            f"{COVERAGE}: corrected for the rows that splits share, and for that choice"
            f"{left_out_text(self._left_out)}"
        )

    def __repr__(self):
        return (
            f"<ComparisonCurve of {len(self.comparisons[0].scores)} models at "
            f"{self.rows_per_task} rows per task>"
        )

    def to_dict(self):
        """Everything as plain numbers, strings, lists and dicts that JSON can hold; NaN is None.

        Only classes have the key `log_loss`; each comparison holds that of its size.
        """
        result = {
            "reference": self.comparisons[0].reference,
            "scoring": self.comparisons[0].scoring,
            "rows_per_task": plain(self.rows_per_task),
            "table": plain(self._rows()),
            "comparisons": [comparison.to_dict() for comparison in self.comparisons],
            "verdict": self.verdict,
        }
        if self.log_loss is not None:
            whole = self.log_loss.to_dict()
            result["log_loss"] = {key: whole[key] for key in ("scoring", "table", "verdict")}
        return result

    def plot(self, ax=None):
        """Draw the mean score of each model against the rows per task, in a band of two errors.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        ComparisonCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        # imported here: a figure is asked for rarely, and inspection is a neighbour
        from ..inspection import ComparisonDisplay

        return ComparisonDisplay.from_curve(self, ax=ax)

    @property
    def _decimals(self):
        return max(decimals_of(c.gain_se, c.scoring) for c in self.comparisons)

    @property
    def _n_splits(self):
        """Number of splits of the sizes, in words."""
        numbers = [comparison.n_splits for comparison in self.comparisons]
        least, most = min(numbers), max(numbers)
        return f"{most}" if least == most else f"{least} to {most}"

    @property
    def _names(self):
        """The models, those left out at some size among them."""
        return list(max((comparison.scores for comparison in self.comparisons), key=len))

    @property
    def _left_out(self):
        """What was left out, with the sizes."""
        pairs = zip(self.rows_per_task, self.comparisons, strict=True)
        return [f"{name} at {size}" for size, c in pairs for name in c.left_out]

    def _rows(self):
        unfit = dict.fromkeys(self._names, float("nan"))
        return [
            {"rows": size}
            | unfit
            | {name: float(scores.mean()) for name, scores in comparison.scores.items()}
            | {"best_simple": comparison.best_simple}
            | comparison.gain_entries()
            for size, comparison in zip(self.rows_per_task, self.comparisons, strict=True)
        ]

    def _outcomes(self):
        first = self.comparisons[0]
        if all(comparison.outcome is None for comparison in self.comparisons):
            return (
                f"{self._n_splits} splits at each size are too few for a verdict, which takes "
                f"{FEWEST_SPLITS}."
            )
        runs = self._runs([WORDS.get(c.outcome, c.outcome) for c in self.comparisons])
        (outcome, where), *others = runs
        said = [f"{outcome} {where} rows per task", *(" ".join(run) for run in others)]
        return f"Against the {rival(first.simple)}, {first.reference} has {_enumerated(said)}."

    def _extremes(self):
        """A sentence for the largest gain and one for the largest loss, where there are any."""
        pairs = list(zip(self.rows_per_task, self.comparisons, strict=True))
        for outcome in (GAIN, LOSS):
            found = [pair for pair in pairs if pair[1].outcome == outcome]
            if not found:
                continue
            size, comparison = max(found, key=lambda pair: abs(pair[1].gain))
            amount = number(abs(comparison.gain), self._decimals)
            ends = between(comparison.gain_interval, self._decimals)
            largest = "largest " if len(found) > 1 else ""
            yield (
                f"The {largest}{outcome.removeprefix('a ')} is {amount} in {comparison.scoring}, "
                f"at {size} ({COVERAGE} of the gain {ends})."
            )

    def _rivals(self):
        runs = self._runs([comparison.best_simple for comparison in self.comparisons])
        said = _enumerated([f'"{name}" {where}' for name, where in runs])
        return f"The {rival(self.comparisons[0].simple)} is {said}."

    def _runs(self, values):
        """(value, where) of each run of equal values, where being its sizes in words."""
        runs = []
        for value, members in groupby(range(len(values)), key=values.__getitem__):
            members = list(members)
            runs.append((value, _where(self.rows_per_task, members[0], members[-1])))
        return runs


def _where(sizes, start, stop):
    """Sizes from number `start` to number `stop` of them, in words."""
    if start == stop:
        return f"at {sizes[start]}"
    if start > 0:
        ends = stop == len(sizes) - 1
        return f"from {sizes[start]} on" if ends else f"from {sizes[start]} to {sizes[stop]}"
    return f"from {sizes[0]} to {sizes[stop]}"


def _enumerated(parts):
    *before, last = parts
    return f"{', '.join(before)} and {last}" if before else last
