"""Fitted attributes appear together: an interrupt of any write leaves the last fitted state."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from skmtl import (
    IndependentTasks,
    MultiTaskBayesianRidge,
    MultiTaskLinearRegressor,
    MultiTaskLogisticRegression,
    MultiTaskLogisticRegressionCV,
    MultiTaskPerceptron,
    MultiTaskPerceptronClassifier,
    MultiTaskRidge,
    MultiTaskRidgeClassifier,
    MultiTaskRidgeCV,
    MultiTaskRobustClustering,
    MultiTaskRobustClusteringClassifier,
    MultiTaskRobustClusteringCV,
    PooledTasks,
    TargetScaler,
    __all__,
)

pytestmark = pytest.mark.filterwarnings("ignore")
NET = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}
ALPHAS = {"alphas_shared": [1.0], "alphas_specific": [1.0], "store_cv_results": True}
CLUSTERS = {"alphas": [1.0], "alphas_fuse": [0.1], "alphas_outlier": [1.0], "cv": 2}
MODELS = [
    MultiTaskRidge(),
    MultiTaskRidge(balancer="dibs"),
    MultiTaskRidgeCV(alphas_intercept=[1.0], **ALPHAS),
    MultiTaskBayesianRidge(max_iter=2),
    MultiTaskRobustClustering(weights=np.ones((3, 3)), tol=1.0),
    MultiTaskRobustClusteringCV(
        store_cv_results=True, **CLUSTERS, weights=np.ones((3, 3)), tol=1.0
    ),
    MultiTaskPerceptron(**NET),
    IndependentTasks(Ridge()),
    PooledTasks(Ridge()),
    TargetScaler(),
    MultiTaskLinearRegressor("huber", "l21"),
    MultiTaskRidgeClassifier(),
    MultiTaskLogisticRegression(),
    MultiTaskLogisticRegressionCV(alphas_intercept=[1.0], **ALPHAS),
    MultiTaskRobustClusteringClassifier(weights=np.ones((3, 3)), tol=1.0),
    MultiTaskPerceptronClassifier(**NET),
    IndependentTasks(LogisticRegression()),
    PooledTasks(LogisticRegression()),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{type(m).__name__}")


class Interrupts:
    """Counts the writes of attributes, and raises at one."""

    left = np.inf

    def step(self):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


INTERRUPTS = Interrupts()


@cache
def interruptible(kind):
    """A subclass each of whose writes and deletions may be interrupted."""

    def write(self, name, value):
        INTERRUPTS.step()
        super(interrupted, self).__setattr__(name, value)

    def delete(self, name):
        INTERRUPTS.step()
        super(interrupted, self).__delattr__(name)

    interrupted = type(kind.__name__, (kind,), {"__setattr__": write, "__delattr__": delete})
    return interrupted


def of(model):
    """An interruptible estimator of the same parameters."""
    return interruptible(type(model))(**model.get_params(deep=False))


def sample(model, seed, p):
    """A table of p named features and the labels of three tasks."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(16, p)), columns=[f"x{j}" for j in range(p)])
    Y = X.to_numpy() @ rng.normal(size=(p, 3)) + rng.normal(size=(16, 3))
    classifies = "Classifier" in type(model).__name__ or "Logistic" in repr(model)
    return X, (Y > 0).astype(int) if classifies else Y


def assert_all_or_nothing(model, call, changes="n_features_in_"):
    """`call(model)` interrupted at any write leaves every attribute the very object it was.

    `changes` is one that a call to the end does change.
    """
    before, n_writes = dict(vars(model)), 0
    while True:
        INTERRUPTS.left = n_writes
        try:
            call(model)
        except KeyboardInterrupt:
            after = vars(model)
            assert after.keys() == before.keys(), n_writes
            changed = [name for name in before if after[name] is not before[name]]
            assert not changed, (n_writes, changed)
        else:
            break
        finally:
            INTERRUPTS.left = np.inf
        n_writes += 1
    assert n_writes > 3
    assert vars(model)[changes] is not before.get(changes)


def test_every_estimator_is_here():
    assert {type(model).__name__ for model in MODELS} == set(__all__)


@every_model
def test_an_interrupted_fit_leaves_the_last_one(model):
    first, second = sample(model, 0, 2), sample(model, 1, 3)
    model = of(model).fit(*first)
    assert_all_or_nothing(model, lambda model: model.fit(*second))
    fresh = of(model)
    INTERRUPTS.left = 2
    with pytest.raises(KeyboardInterrupt):
        fresh.fit(*second)
    INTERRUPTS.left = np.inf
    assert vars(fresh).keys() == vars(of(model)).keys()


def rows_of_task(task, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"task": [task] * 6, "x": rng.normal(size=6)}), np.arange(6) % 2


STREAMS = [
    MultiTaskRidge(task_column="task"),
    MultiTaskRidgeCV(alphas_intercept=[1.0], **ALPHAS, task_column="task"),
    MultiTaskPerceptron(task_column="task", **NET),
    MultiTaskPerceptronClassifier(task_column="task", **NET),
]


@pytest.mark.parametrize("model", STREAMS, ids=lambda m: f"{type(m).__name__}")
def test_an_interrupted_partial_fit_leaves_the_batches_before(model):
    model = of(model).partial_fit(*rows_of_task("a", 0))
    more = rows_of_task("b", 1)
    assert_all_or_nothing(model, lambda model: model.partial_fit(*more), "n_tasks_")
    assert model.tasks_ == ["a", "b"]


@pytest.mark.parametrize("model", STREAMS[:2], ids=lambda m: f"{type(m).__name__}")
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_interrupted_add_task_leaves_the_tasks_before(model, method):
    model = getattr(of(model), method)(*rows_of_task("a", 0))
    more = rows_of_task("b", 1)
    assert_all_or_nothing(model, lambda model: model.add_task(*more), "n_tasks_")
    assert model.tasks_ == ["a", "b"]


@pytest.mark.parametrize("kind", [MultiTaskPerceptron, MultiTaskPerceptronClassifier])
def test_an_interrupted_warm_start_leaves_the_training_before(kind):
    X, y = rows_of_task("a", 0)
    model = of(kind(task_column="task", warm_start=True, **NET)).fit(X, y)
    assert_all_or_nothing(model, lambda model: model.fit(X, y), "loss_curve_")
    assert len(model.loss_curve_) > NET["max_iter"]
