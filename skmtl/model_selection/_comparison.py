"""Comparison: paired scores of several models, as tables, as a sentence and as a figure."""

from dataclasses import dataclass, field

import numpy as np

from ._resampled import FEWEST_SPLITS, ROUNDING, holm, resampled_mean, worst_interval
from ._tables import aligned, frame, number, plain
from ._words import (
    COVERAGE,
    GAIN,
    LOSS,
    SAYS,
    UNDECIDED,
    between,
    decimals_of,
    in_words,
    left_out_text,
    legend,
    rival,
    share,
)


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Scores of several models on the same splits of a data set, as `compare` returns them.

    Differences are paired: taken on each split, then averaged. Standard errors, intervals and p
    values are those of the corrected resampled t test [1]_, which allows for the rows that splits
    share: they speak of other data of the same tasks, not only of other splits of these (Notes).

    Parameters
    ----------
    scores : dict of str to ndarray of shape (n_splits,)
        Score of each model on each split.
    fit_seconds : dict of str to float
        Mean time of a fit.
    task_scores : dict of str to ndarray of shape (n_tasks,)
        R2 of each task: 1 - SSE/SST, both summed over the test labels of all splits, SST about the
        mean of all the task's labels. Sums over splits stay meaningful where a split has few test
        labels of a task. NaN for a task whose labels do not vary. Of classes the area under the ROC
        curve, a mean over those splits in which the task has test labels of two classes or more;
        NaN without one, or for a model without probabilities.
    tasks : list of length n_tasks
        Ids of the tasks.
    n_labels : ndarray of shape (n_tasks,)
        Labels of each task.
    reference : str
        The model that the others are compared with.
    simple : list of str
        The simple models, candidates for `best_simple`; empty if none took part.
    scoring : str
        What the score is.
    test_train_ratio : float
        Test labels of a split over its training labels, in [0, inf); from `compare` such that tasks
        count as in the score.
    half_scores : dict of str to ndarray of shape (n_splits, 2), default=None
        Scores of two halves of each test set, which are read where `test_train_ratio` is 1 or
        more; NaN, or None, where they are not known.
    task_scoring : str, default="R2"
        What `task_scores` are.
    greater_is_better : bool, default=True
        Whether a larger score is better.
    log_loss : Comparison, default=None
        Of classes: the same fits compared by their mean log loss.
    left_out : dict of str to str, default={}
        Estimators that failed on a split, and why.
    n_unscored : int, default=0
        Further splits, which `scores` lacks as no task has test labels of two classes there.

    Attributes
    ----------
    table, per_task : DataFrame, or list of dict without pandas
        A row for each model, a row for each task.
    verdict : str
        What the reference scores, its gain with interval, and whether that is one.
    best_simple : str
        The simple model with the best mean score.
    gain, gain_se : float
        Mean paired difference of the reference to it, positive where the reference is better, and
        its standard error.
    gain_interval : tuple of two floats
        95 % interval of the gain on whichever simple model is truly best.
    outcome : {"a gain", "a loss", "no difference shown"} or None
        Whether that interval lies above zero, below it or around it; None for fewer than ten
        splits.
    n_splits : int

    See Also
    --------
    compare : Makes one.

    Notes
    -----
    With s^2 the variance over J splits of a score or of a difference and r the `test_train_ratio`,
    the standard error is the square root of s^2 (1/J + r), and intervals have the quantiles of
    Student's t with J - 1 degrees of freedom. For r >= 1, as with few training rows per task, that
    would be far too large, since much of s^2 is then the luck of the training rows: there it is the
    root of s^2/J + min(r s^2, v r/(1 + r)), v being the variance in the test rows, a mean over
    splits of (d_A - d_B)^2/4 for the halves A and B of `half_scores`.

    Standard errors are those of one mean, intervals of the table those of one difference, and its p
    values allow for all differences of the table [2]_. The gain is that on the best of several
    simple models, chosen by the same scores, and its interval allows for the choice: it begins at
    the lowest of the 95 % intervals of the gains on each simple model, and ends at the lowest end
    of intervals that hold for all of them at once (Bonferroni). It is above zero where the
    reference is shown to be better than every simple model, and below zero where some simple model
    is shown to be better than the reference. Models whose penalty is fixed far from its best, which
    `estimators` may hold, are called different too often: the correction does not know how much
    their errors depend on the training rows.

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine Learning 52,
       2003, section 3.
    .. [2] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal
       of Statistics 6, 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.model_selection import Comparison
    >>> luck = 0.05 * np.random.default_rng(0).normal(size=(3, 20))
    >>> comparison = Comparison(
    ...     scores={"pooled": 0.5 + luck[0] + luck[1] / 5, "mine": 0.7 + luck[0] + luck[2] / 5},
    ...     fit_seconds={"pooled": 0.01, "mine": 0.1},
    ...     task_scores={"pooled": np.array([0.4, 0.6]), "mine": np.array([0.6, 0.7])},
    ...     tasks=["a", "b"],
    ...     n_labels=np.array([20, 30]),
    ...     reference="mine",
    ...     simple=["pooled"],
    ...     scoring="explained variance",
    ...     test_train_ratio=1 / 3,
    ... )
    >>> print(comparison.verdict)
    mine explains .694 of the variance; its gain on the best simple model, "pooled", is +.203 \
(95 % interval +.184 to +.222): a gain.
    """

    scores: dict
    fit_seconds: dict
    task_scores: dict
    tasks: list
    n_labels: np.ndarray
    reference: str
    simple: list
    scoring: str
    test_train_ratio: float
    half_scores: dict | None = None
    task_scoring: str = "R2"
    greater_is_better: bool = True
    log_loss: "Comparison | None" = None
    left_out: dict = field(default_factory=dict)
    n_unscored: int = 0

    @property
    def n_splits(self):
        """Number of splits."""
        return len(self.scores[self.reference])

    @property
    def best_simple(self):
        """The simple model with the best mean score over these splits, or other if none is simple.

        It is chosen with hindsight, which favours it: nobody knows beforehand which one it will be.
        """
        return max(self._rivals, key=lambda name: self._sign * self.scores[name].mean())

    @property
    def gain(self):
        """Mean paired difference of the reference to the best simple model, positive if better."""
        return self._gain_on(self.best_simple).mean

    @property
    def gain_se(self):
        """Standard error of `gain`, of the corrected resampled t test."""
        return self._gain_on(self.best_simple).se

    @property
    def gain_interval(self):
        """95 % interval of the gain on the best simple model, whichever that truly is."""
        return worst_interval([self._gain_on(name) for name in self._rivals])

    @property
    def outcome(self):
        """Where `gain_interval` lies: above zero, below it or around it.

        "a gain", "a loss" or "no difference shown"; None for fewer than ten splits, which are too
        few to tell.
        """
        if self.n_splits < FEWEST_SPLITS:
            return None
        low, high = self.gain_interval
        return GAIN if low > 0 else LOSS if high < 0 else UNDECIDED

    @property
    def table(self):
        """One row a model, with its score, its difference to the reference and the time of a fit.

        A DataFrame with the models as index; without pandas a list of dicts with the key `model`.
        `mean` and `se` are the mean score and its standard error. `difference`, with
        `difference_se`, is the model's score minus that of the reference, negative where the
        reference is better, or of a loss positive; `low` and `high` are the ends of its 95 %
        interval, `p_value` that of the hypothesis that it is zero, adjusted for the number of
        models by Holm's method (NaN for the reference). `fit_seconds` is the mean time of a fit.
        """
        return frame(self._table_rows(), "model")

    @property
    def per_task(self):
        """One row a task: `labels`, their number, and `task_scores`, the R2 or AUC of each model.

        A DataFrame with the tasks as index; without pandas a list of dicts with the key `task`.
        """
        return frame(self._task_rows(), "task")

    @property
    def verdict(self):
        """What the reference scores, its gain on the best simple model, and whether that is one.

        A gain or a loss is one whose 95 % interval excludes zero; all else is "no difference that
        these data can show". Fewer than ten splits have no verdict.
        """
        mean, decimals = self.scores[self.reference].mean(), self._decimals
        says = SAYS.get(self.scoring, f"scores {{}} ({self.scoring})")
        return (
            f"{self.reference} {says.format(number(mean, decimals))}; its gain on the "
            f'{rival(self.simple)}, "{self.best_simple}", is {number(self.gain, decimals, "+")} '
            f"({COVERAGE} {between(self.gain_interval, decimals)}): {in_words(self)}."
        )

    def difference(self, name, other):
        """Mean paired difference of a model's scores minus those of another one.

        Parameters
        ----------
        name, other : str
            Names of models.

        Returns
        -------
        mean, se, degrees : float, float, int
            As a named tuple with the methods `interval`, whose ends are those of the 95 % interval,
            and `p_value`, that of the hypothesis that the models do not differ.
        """
        return self._resampled([(1, name), (-1, other)])

    def to_text(self, *, per_task=False):
        """The table, with `per_task` that of the tasks too, and the verdict as aligned text.

        Of classes those of the log loss follow.
        """
        parts = [self._model_text()] + [self._task_text()] * per_task + [self.verdict]
        if self.log_loss is not None:
            parts.append(self.log_loss.to_text())
        return "\n\n".join(parts)

    __str__ = to_text

    def __repr__(self):
        return f"<Comparison of {len(self.scores)} models on {self.n_splits} splits>"

    def to_dict(self):
        """Everything as plain numbers, strings, lists and dicts that JSON can hold; NaN is None.

        Only a loss has the key `greater_is_better`, only classes have `log_loss`, and `left_out`
        and `n_unscored` are there if any are.
        """
        result = {
            "reference": self.reference,
            "scoring": self.scoring,
            "n_splits": self.n_splits,
            "test_train_ratio": self.test_train_ratio,
            "table": plain(self._table_rows()),
            "per_task": plain(self._task_rows()),
            "scores": plain(self.scores),
            "best_simple": self.best_simple,
            **self.gain_entries(),
            "verdict": self.verdict,
        }
        if not self.greater_is_better:
            result["greater_is_better"] = False
        if self.log_loss is not None:
            result["log_loss"] = self.log_loss.to_dict()
        if self.left_out:
            result["left_out"] = plain(self.left_out)
        if self.n_unscored:
            result["n_unscored"] = self.n_unscored
        return result

    def gain_entries(self):
        """`gain`, `gain_se`, `gain_low`, `gain_high` and `outcome` as a dict."""
        low, high = self.gain_interval
        entries = {"gain": self.gain, "gain_se": self.gain_se, "gain_low": low, "gain_high": high}
        return entries | {"outcome": self.outcome}

    def plot(self, ax=None):
        """Draw each model's paired difference to the reference, with its 95 % interval.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        ComparisonDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        # imported here: a figure is asked for rarely, and inspection is a neighbour
        from ..inspection import ComparisonDisplay

        return ComparisonDisplay.from_comparison(self, ax=ax)

    @property
    def _sign(self):
        return 1 if self.greater_is_better else -1

    @property
    def _others(self):
        return [name for name in self.scores if name != self.reference]

    @property
    def _rivals(self):
        """Candidates for the best simple model."""
        return self.simple or self._others

    @property
    def _decimals(self):
        return decimals_of(self.gain_se, self.scoring)

    def _mean(self, name):
        """ResampledMean of a model's score."""
        return self._resampled([(1, name)])

    def _gain_on(self, name):
        """ResampledMean of the reference's gain on a model."""
        return self._resampled([(self._sign, self.reference), (-self._sign, name)])

    def _resampled(self, terms):
        """ResampledMean of a sum of scores with signs; differences that are rounding are zero."""
        values = sum(sign * self.scores[name] for sign, name in terms)
        if np.abs(values).max() <= ROUNDING * np.abs(self.scores[self.reference].mean()):
            values = np.zeros_like(values)
        halves = self.half_scores
        if halves is not None:
            halves = sum(sign * halves[name] for sign, name in terms)
        return resampled_mean(values, self.test_train_ratio, halves)

    def _table_rows(self):
        differences = {name: self.difference(name, self.reference) for name in self._others}
        p = holm(np.array([difference.p_value() for difference in differences.values()]))
        p = dict(zip(differences, p.tolist(), strict=True))
        rows = []
        for name in self.scores:
            mean, difference = self._mean(name), self.difference(name, self.reference)
            low, high = difference.interval()
            rows.append(
                {
                    "model": name,
                    "mean": mean.mean,
                    "se": mean.se,
                    "difference": difference.mean,
                    "difference_se": difference.se,
                    "low": low,
                    "high": high,
                    "p_value": p.get(name, float("nan")),
                    "fit_seconds": self.fit_seconds[name],
                }
            )
        return rows

    def _task_rows(self):
        return [
            {"task": task, "labels": int(self.n_labels[t])}
            | {name: float(scores[t]) for name, scores in self.task_scores.items()}
            for t, task in enumerate(self.tasks)
        ]

    def _model_text(self):
        decimals = self._decimals
        cells = [["model", self.scoring, "s.e.", "difference", COVERAGE, "p", "fit seconds"]]
        for row in self._table_rows():
            numbers = [number(row[key], decimals) for key in ("mean", "se")]
            if row["model"] == self.reference:
                numbers += ["", "", ""]
            else:
                numbers += [number(row["difference"], decimals, "+")]
                numbers += [between((row["low"], row["high"]), decimals)]
                numbers += [share(row["p_value"])]
            cells.append([row["model"], *numbers, f"{row['fit_seconds']:.4f}"])
        said = legend(self, len(self._rivals)) + left_out_text(self.left_out)
        return f"{aligned(cells)}\n\n{said}"

    def _task_text(self):
        decimals = self._decimals
        cells = [["task", "labels", *self.scores]]
        for task, *values in (row.values() for row in self._task_rows()):
            cells.append([str(task), str(values[0]), *(number(v, decimals) for v in values[1:])])
        return f"{self.task_scoring} of each task\n{aligned(cells)}"
