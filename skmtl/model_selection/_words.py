"""Words and numbers of a comparison in sentences and tables."""

import numpy as np

from ._resampled import FEWEST_SPLITS, LEVEL
from ._tables import number

EXPLAINED_VARIANCE, MEAN_R2 = "explained variance", "mean R2"
MEAN_AUC, MEAN_LOG_LOSS = "mean AUC", "mean log loss"
SAYS = {EXPLAINED_VARIANCE: "explains {} of the variance"} | {
    name: f"reaches a {name} of {{}}" for name in (MEAN_R2, MEAN_AUC, MEAN_LOG_LOSS)
}
SHARES = ("r2", "explained_variance", "accuracy", "balanced_accuracy", "roc_auc")
SHARES += ("average_precision", "neg_log_loss", "neg_brier_score", *SAYS)
COVERAGE = f"{100 * (1 - LEVEL):g} % interval"
GAIN, LOSS, UNDECIDED = "a gain", "a loss", "no difference shown"
WORDS = {UNDECIDED: "no difference that these data can show", None: "too few splits for a verdict"}
MOST_DECIMALS = 6


def decimals_of(se, scoring):
    """Fewest decimals that show a standard error; for scores between 0 and 1 three or more."""
    least = 3 if scoring in SHARES else 0
    return int(np.clip(np.ceil(-np.log10(2 * se)) if se > 0 else 3, least, MOST_DECIMALS))


def rival(simple):
    """What `best_simple` is, in words."""
    return f"best {'simple' if simple else 'other'} model"


def between(interval, decimals):
    """An interval as text, as "-.001 to +.025"."""
    return " to ".join(number(end, decimals, "+") for end in interval)


def share(p):
    """A p value as text."""
    return "<.001" if p < 0.001 else number(p, 3)


def in_words(comparison):
    """The outcome in words, or that there are too few splits for one."""
    outcome = comparison.outcome
    if outcome is None:
        return (
            f"{comparison.n_splits} splits are too few for a verdict, which takes {FEWEST_SPLITS}"
        )
    return WORDS.get(outcome, outcome)


def legend(comparison, n_rivals):
    """What the columns of a comparison's table are, a line each."""
    n_others = len(comparison.scores) - 1
    lines = [
        f"difference: to {comparison.reference} on the same split, "
        f"{'+' if comparison.greater_is_better else '-'} is better than it",
        f"s.e., {COVERAGE}: of the mean over {comparison.n_splits} splits, corrected for the rows "
        "that these share",
    ]
    if comparison.n_unscored:
        splits = "split has" if comparison.n_unscored == 1 else "splits have"
        lines.append(
            f"{comparison.n_unscored} more {splits} no {comparison.scoring}: no task has test "
            "labels of two classes there"
        )
    if n_others > 1:
        lines.append(f"p: of no difference, for {n_others} models at once (Holm)")
    if n_rivals > 1:
        lines.append(f"the interval of the gain allows for the choice of the best of {n_rivals}")
    return "\n".join(lines)


def left_out_text(names):
    """A line that names estimators that failed, if there are any."""
    return f"\nleft out, as it failed on a split: {', '.join(names)}" if names else ""
