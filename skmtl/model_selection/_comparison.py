"""Comparison: paired scores of several models, as tables, as a sentence and as a figure."""

from dataclasses import dataclass

import numpy as np

EXPLAINED_VARIANCE, MEAN_R2 = "explained variance", "mean R2"
SAYS = {EXPLAINED_VARIANCE: "explains {} of the variance", MEAN_R2: "reaches a mean R2 of {}"}
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
        Score of each model on each split; larger is better.
    fit_seconds : dict of str to float
        Mean time of a fit.
    task_scores : dict of str to ndarray of shape (n_tasks,)
        R2 of each task: 1 - SSE/SST, both summed over the test labels of all splits, SST about the
        mean of all the task's labels. Sums over splits stay meaningful where a split has few test
        labels of a task. NaN for a task whose labels do not vary.
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

    Attributes
    ----------
    table, per_task : DataFrame, or list of dict without pandas
        A row for each model, a row for each task.
    verdict : str
        What the reference scores and whether it gains.
    best_simple : str
        The simple model with the best mean score.
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
        return max(self.simple or others, key=lambda name: self.scores[name].mean())

    @property
    def table(self):
        """One row a model: `mean`, `se`, `difference`, `difference_se`, `fit_seconds`.

        A DataFrame with the models as index; without pandas a list of dicts with the key `model`.
        `difference` is the model's score minus that of the reference, negative where the reference
        is better.
        """
        return _frame(self._table_rows(), "model")

    @property
    def per_task(self):
        """One row a task: `labels`, their number, and the R2 of each model (see `task_scores`).

        A DataFrame with the tasks as index; without pandas a list of dicts with the key `task`.
        """
        return _frame(self._task_rows(), "task")

    @property
    def verdict(self):
        """One sentence: what the reference scores, and whether it gains on the best simple model.

        A gain or a loss is a paired difference of more than two of its standard errors; all else is
        "no gain". The best simple model is the one with the best mean over the same splits.
        """
        rival, decimals = self.best_simple, self._decimals()
        own = self.scores[self.reference]
        difference, se = _mean_se(own - self.scores[rival])
        says = SAYS.get(self.scoring, f"scores {{}} ({self.scoring})")
        return (
            f"{self.reference} {says.format(_number(own.mean(), decimals))}, "
            f"{_amount(difference, se, decimals)} the best {'simple' if self.simple else 'other'} "
            f'model, "{rival}": {_outcome(difference, se, own.mean())}.'
        )

    def to_text(self, *, per_task=False):
        """The table, with `per_task` that of the tasks too, and the verdict as aligned text."""
        parts = [self._model_text()] + [self._task_text()] * per_task + [self.verdict]
        return "\n\n".join(parts)

    __str__ = to_text

    def __repr__(self):
        return f"<Comparison of {len(self.scores)} models on {self.n_splits} splits>"

    def to_dict(self):
        """Everything as plain numbers, strings, lists and dicts that JSON can hold; NaN is None."""
        return {
            "reference": self.reference,
            "scoring": self.scoring,
            "n_splits": self.n_splits,
            "table": _plain(self._table_rows()),
            "per_task": _plain(self._task_rows()),
            "scores": _plain(self.scores),
            "best_simple": self.best_simple,
            "verdict": self.verdict,
        }

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

    def _decimals(self):
        """Fewest decimals that show the standard error of the verdict; for shares three or more."""
        se = _mean_se(self.scores[self.reference] - self.scores[self.best_simple])[1]
        least = 3 if self.scoring in (*SAYS, "r2", "explained_variance") else 0
        return int(np.clip(np.ceil(-np.log10(2 * se)) if se > 0 else 3, least, MOST_DECIMALS))

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
        decimals = self._decimals()
        cells = [["model", self.scoring, "s.e.", "difference", "s.e.", "fit seconds"]]
        for row in self._table_rows():
            numbers = [_number(row[key], decimals) for key in ("mean", "se")]
            if row["model"] == self.reference:
                numbers += ["", ""]
            else:
                numbers += [_number(row["difference"], decimals, "+")]
                numbers += [_number(row["difference_se"], decimals)]
            cells.append([row["model"], *numbers, f"{row['fit_seconds']:.4f}"])
        return (
            f"{_aligned(cells)}\n\n"
            f"difference: to {self.reference} on the same split, + is better than it\n"
            f"s.e.: standard error of the mean over {self.n_splits} splits of these data"
        )

    def _task_text(self):
        decimals = self._decimals()
        cells = [["task", "labels", *self.scores]]
        for task, *values in (row.values() for row in self._task_rows()):
            cells.append([str(task), str(values[0]), *(_number(v, decimals) for v in values[1:])])
        return f"R2 of each task\n{_aligned(cells)}"


def _mean_se(values):
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def _outcome(difference, se, scale):
    if abs(difference) <= max(SIGNIFICANT * se, ROUNDING * abs(scale)):
        return "no gain"
    return "a gain" if difference > 0 else "a loss"


def _amount(difference, se, decimals):
    size = _number(abs(difference), decimals)
    if not float(size):
        return "as much as"
    word = "less" if difference < 0 else "more"
    return f"{size} (s.e. {_number(se, decimals)}) {word} than"


def _number(value, decimals, sign="-"):
    """Fixed decimals without a leading zero, as .938; "-" where it is not defined."""
    if np.isnan(value):
        return "-"
    text = f"{value:{sign}z.{decimals}f}"  # z: no minus before a zero
    return text.replace("0.", ".", 1) if text.lstrip("+-").startswith("0.") else text


def _aligned(cells):
    """Rows of text as lines, the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *others in cells:
        right = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("   ".join([first.ljust(widths[0]), *right]).rstrip())
    return "\n".join(lines)


def _frame(rows, key):
    """The rows as a DataFrame with the column `key` as index, or as they are without pandas."""
    try:
        import pandas as pd
    except ImportError:
        return rows
    # tuples are ids too, not levels of an index
    index = pd.Index([row[key] for row in rows], name=key, tupleize_cols=False)
    return pd.DataFrame(rows, index=index).drop(columns=key)


def _plain(value):
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, np.ndarray)):
        return [_plain(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, (int, str)) else str(value)
