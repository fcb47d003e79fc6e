"""The models that `compare` fits: four simple ones and one that shares, tuned alike.

for continuous labels there is one more, which learns from the labels how much which tasks share.
"""

from functools import partial

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import RidgeCV

from .._splitters import MultiTaskKFold
from ..baselines import IndependentTasks, PooledTasks
from ..linear_model import (
    MultiTaskBayesianRidge,
    MultiTaskLogisticRegressionCV,
    MultiTaskRidgeCV,
)

ALPHAS = np.logspace(-1, 5, 13)  # MultiTaskRidgeCV's own grid for standardised features
LOGISTIC_ALPHAS = np.logspace(-1, 4, 6)  # from below the least one of the reference to its largest
FOLDS = 3  # few positive labels a task: each fold should have some
REGRESSION, CLASSIFICATION = "MultiTaskRidgeCV", "MultiTaskLogisticRegressionCV"
LEARNED = "MultiTaskBayesianRidge"  # neither simple nor, unless asked for, the reference


class FewFolds:
    """Folds of one task, which may have fewer rows than FOLDS."""

    def split(self, X, y, groups=None):
        """Yield the row numbers of each training and test set."""
        return MultiTaskKFold(min(FOLDS, len(y)), random_state=0).split(X, y)


def simple_regressors():
    """Name and estimator of the simple models that a gain is measured against.

    `compare` gives standardised features to all of its models alike.
    """
    return {
        "pooled": PooledTasks(RidgeCV(ALPHAS), task_dummies=False),
        "pooled + dummies": PooledTasks(RidgeCV(ALPHAS), task_dummies=True),
        "independent": IndependentTasks(RidgeCV(ALPHAS)),
        # nothing is shared but alpha: independent ridges, one leave-one-out over all tasks
        "independent, one alpha": MultiTaskRidgeCV(
            alphas_shared=[np.inf], alphas_intercept=[0.0], standardize=False
        ),
    }


def simple_classifiers():
    """The same for classes: logistic regressions as limits of the model that shares.

    With alpha_specific = inf that is PooledTasks of a LogisticRegression, whose dummies have a
    penalty of their own, and with alpha_shared = inf IndependentTasks of one for each task. Unlike
    LogisticRegressionCV they are not stopped by folds, or tasks, with labels of one class.
    """
    pooled = {"alphas_shared": LOGISTIC_ALPHAS, "alphas_specific": [np.inf]}
    alone = {
        "alphas_shared": [np.inf],
        "alphas_specific": LOGISTIC_ALPHAS,
        "alphas_intercept": [0.0],
    }
    search = partial(MultiTaskLogisticRegressionCV, standardize=False)
    return {
        "pooled": search(**pooled, alphas_intercept=[np.inf], cv=FOLDS),
        "pooled + dummies": search(**pooled, cv=FOLDS),
        "independent": IndependentTasks(search(**alone, cv=FewFolds())),
        "independent, one alpha": search(**alone, cv=FOLDS),
    }


def compared_estimators(own, reference, task_column, *, classification):
    """Name and unfitted estimator of every estimator, those of `own` included or put in place.

    Returns
    -------
    estimators : dict of str to estimator
        Each reads the task ids from `task_column`; the reference comes last.
    simple : list of str
        Those of the simple models that take part beside the reference.
    reference : str
    spare : list of str
        Those that may fail without the comparison failing: the one that learns covariances, which
        refuses some tables that the others can do with, unless it was asked for by name.
    """
    if classification:
        default, known = CLASSIFICATION, simple_classifiers()
        sharing = {default: MultiTaskLogisticRegressionCV(cv=FOLDS)}
    else:
        default, known = REGRESSION, simple_regressors()
        sharing = {LEARNED: MultiTaskBayesianRidge(), default: MultiTaskRidgeCV()}
    given, reference = reference, default if reference is None else reference
    own = _check_own(own, {*known, LEARNED, REGRESSION, CLASSIFICATION})
    estimators = known | sharing | own
    estimators = {name: model for name, model in estimators.items() if model is not None}
    if given is None and reference not in estimators:
        raise ValueError(
            f"{reference!r} is left out, and it is what the verdict is about; name another "
            f"reference, one of {list(estimators)}."
        )
    if reference not in estimators:
        raise ValueError(
            f"reference must be the name of an estimator, one of {list(estimators)}, got "
            f"{reference!r}."
        )
    estimators[reference] = estimators.pop(reference)
    others = [name for name in estimators if name != reference]
    if not others:
        raise ValueError(f"nothing is left to compare {reference!r} with.")
    simple = [name for name in others if name in known]
    may_fail = LEARNED in others and LEARNED not in own and len(others) > 1
    ready = {name: _with_task_column(name, m, task_column) for name, m in estimators.items()}
    return ready, simple, reference, [LEARNED] * may_fail


def _check_own(own, names):
    """Those given; None only for one of the names."""
    own = {} if own is None else own
    if not hasattr(own, "items"):
        raise TypeError(f"estimators must be a dict of name to estimator, got {own!r}.")
    for name, model in own.items():
        lacking = [m for m in ("fit", "predict", "get_params") if not hasattr(model, m)]
        if model is not None and (lacking or isinstance(model, type)):
            raise TypeError(f"estimators[{name!r}] must be an estimator or None, got {model!r}.")
        if model is None and name not in names:
            raise ValueError(f"{name!r} cannot be left out; the estimators are {sorted(names)}.")
    return own


def _with_task_column(name, model, task_column):
    """A clone whose outermost `task_column` parameter is `task_column`."""
    model = clone(model)
    found = [key for key in model.get_params() if key.rpartition("__")[2] == "task_column"]
    if not found and task_column is None:
        return model
    if not found:
        raise ValueError(
            f"estimators[{name!r}] has no parameter task_column and would take the task ids for a "
            "feature; put it into IndependentTasks or PooledTasks."
        )
    outermost = min(found, key=lambda key: key.count("__"))
    return model.set_params(**{outermost: task_column})
