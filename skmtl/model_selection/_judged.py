"""What judges of estimators share: scorers by name, and the Comparison of what they said."""

from typing import NamedTuple

import numpy as np

from ..metrics import make_multitask_scorer
from ._comparison import Comparison

FEWEST_SCORED = 2  # splits, for a standard error


class Judged(NamedTuple):
    """What a judge says of a fitted estimator.

    Attributes
    ----------
    scores : tuple of float
        Its value by each measure of the judge.
    by_task : ndarray of shape (n_parts, n_tasks)
        What the judge makes the measures of each task of, NaN for a task that is not scored.
    of_halves : ndarray of shape (2, n_measures)
        The scores on two halves of the test rows, NaN where these are not asked for or have none.
    """

    scores: tuple
    by_task: np.ndarray
    of_halves: np.ndarray


def named_scorer(scoring):
    """A scorer of the name, or the scorer itself, and what it is called."""
    if isinstance(scoring, str):
        return make_multitask_scorer(scoring), scoring
    if not callable(scoring):
        raise TypeError(f"scoring must be None, a name or a scorer, got {scoring!r}.")
    return scoring, getattr(scoring, "__name__", repr(scoring))


def scores_of_halves(score, problem, n_measures):
    """What `score(rows)` gives for each half of the test rows of the problem, as (2, n_measures).

    NaN where the problem has no halves, or one cannot be scored, having too few rows or classes.
    """
    if problem.half_test is None:
        return np.full((2, n_measures), np.nan)
    try:
        with np.errstate(all="ignore"):
            return np.stack([score(np.flatnonzero(problem.half_test == k)) for k in (0, 1)])
    except ValueError:
        return np.full((2, n_measures), np.nan)


def scored_by(trials, measure):
    """Those trials in which every estimator has a value by the measure of that number."""
    return [
        trial
        for trial in trials
        if not any(np.isnan(judged.scores[measure]) for judged in trial.judged.values())
    ]


def summary(table, trials, merge, measure, **options):
    """Comparison by the measure of that number, on the splits that have a value by it.

    `merge` is given the `by_task` of all splits, (n_splits, n_parts, n_tasks), and the number.
    """
    names = list(trials[0].judged)
    by_task = {name: np.stack([trial.judged[name].by_task for trial in trials]) for name in names}
    scored = scored_by(trials, measure)
    if len(scored) < FEWEST_SCORED:
        raise ValueError(
            f"{len(scored)} of {len(trials)} splits can be scored, and a standard error takes "
            f"{FEWEST_SCORED}: elsewhere no task has test labels of two classes; test more rows."
        )
    said = {name: [trial.judged[name] for trial in scored] for name in names}
    return Comparison(
        scores={name: np.array([j.scores[measure] for j in said[name]]) for name in names},
        half_scores={
            name: np.array([j.of_halves[:, measure] for j in said[name]]) for name in names
        },
        fit_seconds={name: float(np.mean([t.seconds[name] for t in trials])) for name in names},
        task_scores={name: merge(by_task[name], measure) for name in names},
        tasks=table.tasks,
        n_labels=table.n_labels,
        n_unscored=len(trials) - len(scored),
        **options,
    )
