"""Means over splits of one data set, which share rows: the corrected resampled t test.

Of J random splits the variance of a mean is not s^2/J but, with r = n_test/n_train, s^2 (1/J + r)
[1]: splits that test the same rows err alike.  This takes all of s^2 for luck of the test rows.
With r >= 1 much of it is luck of the training rows, which splits hardly share, and the correction
is far too large.  Then only the part of the test rows is corrected: v, the variance of a score in
them, makes s^2/J + min(r s^2, v r/(1 + r)); v = mean of (d_A - d_B)^2/4 over halves A, B of each
test set.  Where test rows alone vary s^2 is v/(1 + r), and both are the same.

References
----------
[1] C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine Learning 52, 2003.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.05  # of verdicts; intervals cover 1 - LEVEL
FEWEST_SPLITS = 10  # for a verdict: s^2 of fewer is too uncertain
HALVED = 1.0  # ratio from which halves of the test rows are scored
ROUNDING = 1e-8  # relative difference of means that is rounding


class ResampledMean(NamedTuple):
    """A mean over splits, its standard error and the degrees of freedom of that."""

    mean: float
    se: float
    degrees: int

    def bound(self, share):
        """Value that the true mean stays below in the given share of data sets."""
        return self.mean + self.se * float(stats.t.ppf(share, self.degrees))

    def interval(self):
        """Two-sided, of coverage 1 - LEVEL."""
        return self.bound(LEVEL / 2), self.bound(1 - LEVEL / 2)

    def p_value(self):
        """Two-sided, of a true mean of zero."""
        if self.se == 0:
            return float(self.mean == 0)
        return float(2 * stats.t.sf(abs(self.mean) / self.se, self.degrees))


def resampled_mean(scores, ratio, halves=None):
    """ResampledMean of scores, or of paired differences, of each split.

    Parameters
    ----------
    scores : ndarray of shape (n_splits,)
    ratio : float
        Test over training labels, as of `label_ratio`.
    halves : ndarray of shape (n_splits, 2), default=None
        The same of two halves of each test set. None, or NaN: not known.
    """
    variance, n = scores.var(ddof=1), len(scores)
    common = ratio * variance
    if ratio >= HALVED and halves is not None:
        of_test_rows = (np.diff(halves, axis=1) ** 2).mean() / 4
        common = np.fmin(common, of_test_rows * ratio / (1 + ratio))
    return ResampledMean(float(scores.mean()), float(np.sqrt(variance / n + common)), n - 1)


def label_ratio(n_train, n_test, *, by_task):
    """Test over training labels, such that the correction is right for tasks of unequal shares.

    The mean of task t over its n_test labels of variance v_t varies by v_t / n_test over data sets,
    of which splits of one data set show the part n_train / (n_train + n_test).  The ratio is that
    of the rest to this part in the score, of equal v_t and weights w_t of the tasks.

    Parameters
    ----------
    n_train, n_test : ndarray of shape (n_splits, n_tasks)
        Labels; tasks that lack either do not count.
    by_task : bool
        Whether tasks weigh alike in the score, or by their test labels.

    Returns
    -------
    float
        NaN if no task counts.
    """
    used = (n_train > 0) & (n_test > 0)
    if not used.any():
        return np.nan
    n_train, n_test = n_train[used], n_test[used]
    squares = np.ones(len(n_test)) if by_task else n_test**2
    total = squares / (n_train + n_test)
    return float(total.sum() / (total * n_train / n_test).sum())


def holm(p):
    """P values (n,) that allow for all of them [S. Holm, Scand. J. Statist. 6, 1979]."""
    order = np.argsort(p)
    stepwise = np.maximum.accumulate(np.sort(p) * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepwise, 1)
    return adjusted


def worst_interval(means):
    """Interval of the least of several true means, and whichever it is, of coverage 1 - LEVEL.

    Any bound below the least one of all is one below it.  For the other end each of n means has a
    bound that fails in LEVEL / (2 n) of data sets, so that none of them fails in 1 - LEVEL / 2.
    """
    share = LEVEL / 2
    return (
        min(mean.bound(share) for mean in means),
        min(mean.bound(1 - share / len(means)) for mean in means),
    )
