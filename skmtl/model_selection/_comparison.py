"""Comparison: paired scores of several models, as tables, as a sentence and as a figure."""

from dataclasses import dataclass, field

import numpy as np

from ._tables import aligned, frame, number, plain

EXPLAINED_VARIANCE, MEAN_R2 = "explained variance", "mean R2"
MEAN_AUC, MEAN_LOG_LOSS = "mean AUC", "mean log loss"
SAYS = {EXPLAINED_VARIANCE: "explains {} of the variance"} | {
    name: f"reaches a {name} of {{}}" for name in (MEAN_R2, MEAN_AUC, MEAN_LOG_LOSS)
}
SHARES = ("r2", "explained_variance", "accuracy", "balanced_accuracy", "roc_auc")
SHARES += ("average_precision", "neg_log_loss", "neg_brier_score", *SAYS)
SIGNIFICANT = 2.0  # standard errors from which a difference counts
ROUNDING = 1e-8  # relative difference of means that is rounding
MOST_DECIMALS = 6


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Scores of several models on the same splits of a data set, as `compare` returns them.

    Differences are paired: taken on each split, then averaged. A standard error is the standard
    deviation over splits, divided by the square root of their number. It covers the choice of
    splits of these data, not that of the data (see :func:`compare`).

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
    task_scoring : str, default="R2"
        What `task_scores` are.
    greater_is_better : bool, default=True
        Whether a larger score is better.
    log_loss : Comparison, default=None
        Of classes: the same fits compared by their mean log loss.
    left_out : dict of str to str, default={}
        Contenders that failed on a split, and why.

    Attributes
    ----------
    table, per_task : DataFrame, or list of dict without pandas
        A row for each model, a row for each task.
    verdict : str
        What the reference scores and whether it gains.
    best_simple : str
        The simple model with the best mean score.
    gain, gain_se : float
        Mean paired difference of the reference to it, positive where the reference is better, and
        its standard error.
    outcome : {"a gain", "no gain", "a loss"}
        Whether that is more than two standard errors.
    n_splits : int

    See Also
    --------
    compare : Makes one.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.model_selection import Comparison
    >>> comparison = Comparison(
    ...     scores={"pooled": np.array([0.5, 0.6, 0.4]), "mine": np.array([0.7, 0.8, 0.5])},
    ...     fit_seconds={"pooled": 0.01, "mine": 0.1},
    ...     task_scores={"pooled": np.array([0.4, 0.6]), "mine": np.array([0.6, 0.7])},
    ...     tasks=["a", "b"],
    ...     n_labels=np.array([20, 30]),
    ...     reference="mine",
    ...     simple=["pooled"],
    ...     scoring="explained variance",
    ... )
    >>> print(comparison.verdict)
    mine explains .667 of the variance, .167 (s.e. .033) more than the best simple model, \
"pooled": a gain.
    """

    scores: dict
    fit_seconds: dict
    task_scores: dict
    tasks: list
    n_labels: np.ndarray
    reference: str
    simple: list
    scoring: str
    task_scoring: str = "R2"
    greater_is_better: bool = True
    log_loss: "Comparison | None" = None
    left_out: dict = field(default_factory=dict)

    @property
    def n_splits(self):
        """Number of splits."""
        return len(self.scores[self.reference])

    @property
    def best_simple(self):
        """The simple model with the best mean score over these splits, or other if none is simple.

        It is chosen with hindsight, which favours it: nobody knows beforehand which one it will be.
        """
        others = [name for name in self.scores if name != self.reference]
        return max(self.simple or others, key=lambda name: self._sign * self.scores[name].mean())

    @property
    def gain(self):
        """Mean paired difference of the reference to the best simple model, positive if better."""
        return _mean_se(self._gains())[0]

    @property
    def gain_se(self):
        """Standard error of `gain`."""
        return _mean_se(self._gains())[1]

    @property
    def outcome(self):
        """A gain or a loss is one of more than two of its standard errors, else "no gain"."""
        rounding = ROUNDING * abs(self.scores[self.reference].mean())
        if abs(self.gain) <= max(SIGNIFICANT * self.gain_se, rounding):
            return "no gain"
        return "a gain" if self.gain > 0 else "a loss"

    @property
    def table(self):
        """One row a model: `mean`, `se`, `difference`, `difference_se`, `fit_seconds`.

        A DataFrame with the models as index; without pandas a list of dicts with the key `model`.
        `difference` is the model's score minus that of the reference, negative where the reference
        is better, or of a loss positive.
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
        """One sentence: what the reference scores, and whether it gains on the best simple model.

        A gain or a loss is a paired difference of more than two of its standard errors; all else is
        "no gain". The best simple model is the one with the best mean over the same splits.
        """
        mean = self.scores[self.reference].mean()
        decimals = decimals_of(self.gain_se, self.scoring)
        says = SAYS.get(self.scoring, f"scores {{}} ({self.scoring})")
        return (
            f"{self.reference} {says.format(number(mean, decimals))}, "
            f"{_amount(self._sign * self.gain, self.gain_se, decimals)} the {rival(self.simple)}, "
            f'"{self.best_simple}": {self.outcome}.'
        )

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

        Only a loss has the key `greater_is_better`, only classes have `log_loss`, and `left_out` is
        there if any are.
        """
        result = {
            "reference": self.reference,
            "scoring": self.scoring,
            "n_splits": self.n_splits,
            "table": plain(self._table_rows()),
            "per_task": plain(self._task_rows()),
            "scores": plain(self.scores),
            "best_simple": self.best_simple,
            "verdict": self.verdict,
        }
        if not self.greater_is_better:
            result["greater_is_better"] = False
        if self.log_loss is not None:
            result["log_loss"] = self.log_loss.to_dict()
        if self.left_out:
            result["left_out"] = plain(self.left_out)
        return result

    def plot(self, ax=None):
        """Draw each model's paired difference to the reference, with two standard errors.

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

    def _gains(self):
        return self._sign * (self.scores[self.reference] - self.scores[self.best_simple])

    def _table_rows(self):
        rows = []
        for name, scores in self.scores.items():
            mean, se = _mean_se(scores)
            difference, difference_se = _mean_se(scores - self.scores[self.reference])
            rows.append(
                {
                    "model": name,
                    "mean": mean,
                    "se": se,
                    "difference": difference,
                    "difference_se": difference_se,
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
        decimals = decimals_of(self.gain_se, self.scoring)
        cells = [["model", self.scoring, "s.e.", "difference", "s.e.", "fit seconds"]]
        for row in self._table_rows():
            numbers = [number(row[key], decimals) for key in ("mean", "se")]
            if row["model"] == self.reference:
                numbers += ["", ""]
            else:
                numbers += [number(row["difference"], decimals, "+")]
                numbers += [number(row["difference_se"], decimals)]
            cells.append([row["model"], *numbers, f"{row['fit_seconds']:.4f}"])
        return (
            f"{aligned(cells)}\n\n"
            f"difference: to {self.reference} on the same split, "
            f"{'+' if self.greater_is_better else '-'} is better than it\n"
            f"s.e.: standard error of the mean over {self.n_splits} splits of these data"
            f"{left_out_text(self.left_out)}"
        )

    def _task_text(self):
        decimals = decimals_of(self.gain_se, self.scoring)
        cells = [["task", "labels", *self.scores]]
        for task, *values in (row.values() for row in self._task_rows()):
            cells.append([str(task), str(values[0]), *(number(v, decimals) for v in values[1:])])
        return f"{self.task_scoring} of each task\n{aligned(cells)}"


def decimals_of(se, scoring):
    """Fewest decimals that show a standard error; for scores between 0 and 1 three or more."""
    least = 3 if scoring in SHARES else 0
    return int(np.clip(np.ceil(-np.log10(2 * se)) if se > 0 else 3, least, MOST_DECIMALS))


def rival(simple):
    """What `best_simple` is, in words."""
    return f"best {'simple' if simple else 'other'} model"


def left_out_text(names):
    """A line that names contenders that failed, if there are any."""
    return f"\nleft out, as it failed on a split: {', '.join(names)}" if names else ""


def _mean_se(values):
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def _amount(difference, se, decimals):
    size = number(abs(difference), decimals)
    if not float(size):
        return "as much as"
    word = "less" if difference < 0 else "more"
    return f"{size} (s.e. {number(se, decimals)}) {word} than"
