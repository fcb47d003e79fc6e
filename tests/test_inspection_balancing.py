"""Pareto fronts and their figure, and the figure of task weights."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl import MultiTaskLogisticRegression, MultiTaskPerceptron, MultiTaskRidge
from skmtl.balancing import STCH, balance
from skmtl.inspection import ParetoFrontDisplay, TaskWeightsDisplay
from skmtl.metrics import multitask_log_loss
from skmtl.model_selection import trace_pareto_front

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

ONE_VECTOR = {"alpha_shared": 1e-9, "alpha_specific": np.inf, "fit_intercept": False}


def two_tasks(n_tasks=2, n=60, p=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X @ rng.normal(size=(p, n_tasks)) + 0.3 * rng.normal(size=(n, n_tasks))


PREFERENCES = np.array([[4.0, 1.0], [1.0, 1.0], [1.0, 3.0]])


# trace_pareto_front


class Told(RegressorMixin, BaseEstimator):
    """Predicts what its weights say, so that losses are known."""

    def __init__(self, task_weight=None):
        self.task_weight = task_weight

    def fit(self, X, Y):
        self.tasks_ = list(range(Y.shape[1]))
        return self

    def predict(self, X):
        w = np.zeros(len(self.tasks_)) if self.task_weight is None else self.task_weight
        return np.tile(np.sqrt(w), (len(X), 1))


def test_points_are_weighted_least_squares():
    X, Y = two_tasks()
    front = trace_pareto_front(MultiTaskRidge(**ONE_VECTOR), PREFERENCES, X, Y)
    for p, losses in zip(PREFERENCES, front.losses, strict=True):
        coef = np.linalg.lstsq(X, Y @ p / p.sum(), rcond=None)[0]
        # a ridge of 1e-9 on sums of about 60 squares
        np.testing.assert_allclose(losses, ((X @ coef[:, None] - Y) ** 2).mean(axis=0), rtol=1e-8)


def test_the_ends_are_the_tasks_own_fits_and_equal_weights_lie_between():
    X, Y = two_tasks()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no word about tasks that were given no weight on purpose
        front = trace_pareto_front(MultiTaskRidge(**ONE_VECTOR), PREFERENCES, X, Y)
    own = np.linalg.lstsq(X, Y, rcond=None)[0]
    least = ((X @ own - Y) ** 2).mean(axis=0)
    np.testing.assert_allclose(np.diag(front.single_task_losses), least, rtol=1e-8)
    np.testing.assert_array_equal(front.equal_losses, front.losses[1])
    np.testing.assert_array_equal(front.reference, front.single_task_losses.max(axis=0))
    assert not front.dominated.any()
    assert front.tasks == [0, 1]


def test_more_preference_never_means_more_loss():
    X, Y = two_tasks()
    share = np.linspace(0.1, 0.9, 9)
    preferences = np.column_stack([share, 1 - share])
    for model in (
        MultiTaskRidge(**ONE_VECTOR),
        MultiTaskRidge(**ONE_VECTOR, balancer=STCH(mu=20.0)),
    ):
        losses = trace_pareto_front(model, preferences, X, Y).losses
        assert (np.diff(losses[:, 0]) < 0).all()
        assert (np.diff(losses[:, 1]) > 0).all()


def test_a_balancer_gets_the_preference_and_is_left_as_it_is():
    X, Y = two_tasks()
    model = MultiTaskRidge(**ONE_VECTOR, balancer=STCH(mu=20.0))
    front = trace_pareto_front(model, PREFERENCES, X, Y)
    assert model.balancer.preference is None
    fit = MultiTaskRidge(**ONE_VECTOR, balancer=STCH(mu=20.0, preference=[4, 1])).fit(X, Y)
    np.testing.assert_allclose(front.losses[0], ((fit.predict(X) - Y) ** 2).mean(axis=0))
    plain = trace_pareto_front(MultiTaskRidge(**ONE_VECTOR), PREFERENCES, X, Y)
    np.testing.assert_array_equal(front.equal_losses, plain.equal_losses)


def test_classifiers_are_measured_by_log_loss_and_long_data_read_their_task_column():
    X, Y = two_tasks()
    C = (Y > 0).astype(int)
    model = MultiTaskLogisticRegression(0.1, np.inf, alpha_intercept=np.inf)
    front = trace_pareto_front(model, PREFERENCES, X, C)
    assert front.loss == "log loss"
    fit = model.fit(X, C)
    raw = multitask_log_loss(C, fit.predict_proba(X), multioutput="raw_values")
    np.testing.assert_allclose(front.equal_losses, raw)

    task = np.arange(len(X)) % 2
    long = trace_pareto_front(
        MultiTaskRidge(**ONE_VECTOR, task_column=3),
        PREFERENCES,
        np.column_stack([X, task]),
        Y[np.arange(len(X)), task],
    )
    gappy = np.where(np.arange(2) == task[:, None], Y, np.nan)
    wide = trace_pareto_front(MultiTaskRidge(**ONE_VECTOR), PREFERENCES, X, gappy)
    np.testing.assert_allclose(long.losses, wide.losses, rtol=1e-8)  # another order of sums


def test_domination_and_volume_are_those_of_brute_force():
    rng = np.random.default_rng(0)
    P = rng.integers(1, 6, size=(30, 3)).astype(float)  # the losses; with ties
    front = trace_pareto_front(Told(), P, np.zeros((4, 1)), np.zeros((4, 3)), reference=[6, 6, 6])
    np.testing.assert_allclose(front.losses, P)
    P = front.losses
    expected = [any((q <= p).all() and (q < p).any() for q in P) for p in P]
    assert 0 < sum(expected) < len(P)
    np.testing.assert_array_equal(front.dominated, expected)
    cells = np.indices((6, 6, 6)).reshape(3, -1).T
    covered = (P.round()[:, None] <= cells).all(axis=2).any(axis=0).sum()
    assert 50 < covered < 216 and front.hypervolume == pytest.approx(covered)

    P = rng.uniform(size=(6, 2))
    reference = np.array([0.9, 0.8])
    front = trace_pareto_front(Told(), P, np.zeros((4, 1)), np.zeros((4, 2)), reference=reference)
    middles = (np.arange(400) + 0.5) / 400
    cells = np.stack(np.meshgrid(0.9 * middles, 0.8 * middles), axis=-1)
    covered = (front.losses <= cells[:, :, None]).all(axis=-1).any(axis=-1)
    # cells cut by an edge: at most two rows and columns of 400 for each of six points
    assert front.hypervolume == pytest.approx(0.72 * covered.mean(), abs=0.72 * 12 / 400)


def test_the_volume_of_many_tasks_is_not_computed():
    for n_tasks, expected in ((1, 0.5), (8, 0.5**8), (9, np.nan)):
        share = np.full((1, n_tasks), 0.5)
        nothing = np.zeros((4, 1)), np.zeros((4, n_tasks))
        front = trace_pareto_front(Told(), share, *nothing, reference=np.ones(n_tasks))
        assert front.hypervolume == pytest.approx(expected, nan_ok=True)


def test_a_point_beyond_the_reference_adds_no_area():
    X, Y = two_tasks()
    model = MultiTaskRidge(**ONE_VECTOR)
    front = trace_pareto_front(model, PREFERENCES, X, Y, reference=[1e-6, 1e-6])
    assert front.hypervolume == 0
    front = trace_pareto_front(model, [[1, 1]], X, Y, reference=[100, 50])
    a, b = front.losses[0]
    assert front.hypervolume == pytest.approx((100 - a) * (50 - b))


@pytest.mark.parametrize(
    ("preferences", "message"),
    [
        ([1.0, 1.0], "preferences must be 2-D .*2 tasks"),
        ([[1.0, 1.0, 1.0]], "preferences must be 2-D .*2 tasks"),
        ([[1.0, -1.0]], r"preferences must lie in \[0, inf\)"),
        ([[1.0, np.inf]], r"preferences must lie in \[0, inf\)"),
        ("many", "preferences must hold numbers, got 'many'"),
    ],
)
def test_bad_preferences_are_refused(preferences, message):
    with pytest.raises(ValueError, match=message):
        trace_pareto_front(MultiTaskRidge(), preferences, *two_tasks())


def test_a_bad_reference_and_models_without_task_weights_are_refused():
    X, Y = two_tasks()
    with pytest.raises(ValueError, match=r"reference must be 1-D .*2 tasks"):
        trace_pareto_front(MultiTaskRidge(), PREFERENCES, X, Y, reference=[1.0])
    with pytest.raises(TypeError, match=r"task_weight, .* got Ridge"):
        trace_pareto_front(Ridge(), PREFERENCES, X, Y)


# ParetoFrontDisplay


def test_dots_are_losses_and_dominated_ones_hollow():
    losses = np.array([[4.0, 1.0], [1.0, 4.0], [3.0, 3.0], [2.0, 2.0]])
    display = ParetoFrontDisplay(losses=losses, dominated=[False, False, True, False]).plot()
    np.testing.assert_array_equal(display.points_.get_xydata(), [[1, 4], [2, 2], [4, 1]])
    np.testing.assert_array_equal(display.dominated_points_.get_xydata(), [[3, 3]])
    assert display.dominated_points_.get_markerfacecolor() == "white"
    assert display.points_.get_markerfacecolor() != "white"
    assert display.optima_ is None
    assert display.equal_ is None
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["preferences", "dominated"]


def test_a_front_is_drawn_with_its_ends_and_equal_weights():
    X, Y = two_tasks()
    front = trace_pareto_front(MultiTaskRidge(**ONE_VECTOR), PREFERENCES, X, Y)
    display = ParetoFrontDisplay.from_front(front)
    np.testing.assert_array_equal(display.optima_.get_xydata(), front.single_task_losses)
    np.testing.assert_array_equal(display.equal_.get_xydata(), [front.equal_losses])
    assert display.ax_.get_xlabel() == "mean squared error of task 0"
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["preferences", "one task alone", "equal weights"]
    assert display.plot(ax=display.ax_).ax_ is display.ax_


def test_of_more_tasks_a_pair_is_drawn_without_a_line():
    X, Y = two_tasks(n_tasks=3)
    front = trace_pareto_front(MultiTaskRidge(**ONE_VECTOR), np.eye(3) + 1, X, Y)
    display = ParetoFrontDisplay.from_front(front, pair=(2, 0))
    assert display.points_.get_linestyle() == "None"
    assert display.ax_.get_ylabel() == "mean squared error of task 0"
    assert set(display.points_.get_xdata()) == set(front.losses[:, 2])
    expected = front.single_task_losses[[2, 2, 0, 0], [2, 0, 2, 0]].reshape(2, 2)
    np.testing.assert_array_equal(display.optima_.get_xydata(), expected)
    for pair in [(0, 0), (0, 3), (0, 1, 2)]:
        with pytest.raises(ValueError, match="pair must hold two different numbers"):
            ParetoFrontDisplay.from_front(front, pair=pair)


# TaskWeightsDisplay


def test_bars_are_the_weights_of_a_linear_model():
    X, Y = two_tasks(n_tasks=3)
    model = make_pipeline(StandardScaler(), MultiTaskRidge(balancer="uncertainty")).fit(X, Y)
    display = TaskWeightsDisplay.from_estimator(model)
    bars = [bar.get_width() for bar in display.bars_]
    np.testing.assert_allclose(bars, model[-1].task_weights_)
    assert display.lines_ == []
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["0", "1", "2"]


def test_lines_are_the_path_of_a_perceptron():
    X, Y = two_tasks(n_tasks=3)
    model = MultiTaskPerceptron((4,), balancer="mgda", max_iter=5, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, Y)
    display = TaskWeightsDisplay.from_estimator(model)
    for line, weights in zip(display.lines_, model.task_weights_path_.T, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), weights)
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4, 5])
    assert display.bars_ is None


@pytest.mark.parametrize(("n_tasks", "entries"), [(10, 10), (11, 1)])
def test_few_tasks_are_named_and_many_counted(n_tasks, entries):
    path = np.random.default_rng(0).uniform(size=(4, n_tasks))
    legend = TaskWeightsDisplay.from_weights(path).ax_.get_legend().get_texts()
    assert len(legend) == entries
    assert legend[0].get_text() == ("0" if n_tasks == 10 else "each of 11 tasks")


def test_the_dashed_line_is_the_mean_and_weights_are_drawn_as_they_are():
    display = TaskWeightsDisplay.from_weights([2.0, 4.0], tasks=["a", "b"])
    (dashed,) = [line for line in display.ax_.lines if line.get_linestyle() == "--"]
    assert dashed.get_xdata()[0] == 3.0
    assert display.bars_[1].get_width() == 4.0
    one_step = TaskWeightsDisplay.from_weights([[2.0, 4.0]])
    assert one_step.lines_[0].get_marker() == "o"  # a line of one point would not be seen


def test_models_without_weights_and_bad_weights_are_refused():
    with pytest.raises(NotFittedError):
        TaskWeightsDisplay.from_estimator(MultiTaskRidge())
    X, Y = two_tasks()
    with pytest.raises(TypeError, match=r"task_weights_ or task_weights_path_.* got Ridge"):
        TaskWeightsDisplay.from_estimator(Ridge().fit(X, Y))
    with pytest.raises(ValueError, match=r"weights must have shape .*got shape \(1, 1, 2\)"):
        TaskWeightsDisplay.from_weights([[[1.0, 2.0]]])
    with pytest.raises(ValueError, match="tasks must hold 2 ids, one a weight, got 1"):
        TaskWeightsDisplay.from_weights([1.0, 2.0], tasks=["a"])


# what the examples show of loops around `balance`

TRANSFORMS = {  # derivatives
    "cube": lambda f: 3 * f**2,
    "log": lambda f: 1 / f,
    "exp": np.exp,
    "x1000": lambda f: 1000.0,
}


def follow(balancer, derivative, n_steps, step_size):
    """Coefficients after steps on three tasks, the first loss through a transform."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3, 30, 4))
    Y = np.einsum("tnp,tp->tn", X, rng.normal(size=(3, 4))) + 0.5 * rng.normal(size=(3, 30))
    optima = np.array([np.linalg.lstsq(A, y, rcond=None)[0] for A, y in zip(X, Y, strict=True)])
    theta, state = np.zeros(4), None
    for _ in range(n_steps):
        residuals = X @ theta - Y
        J = np.einsum("tnp,tn->tp", X, residuals) / 30
        J[0] *= derivative((residuals[0] ** 2).mean() / 2)
        distances = np.linalg.norm(theta - optima, axis=1)
        step = balance(J, balancer=balancer, state=state, distances=distances)
        theta, state = theta - step_size * step.direction, step.state
    return theta


@pytest.mark.parametrize("name", TRANSFORMS)
def test_exact_bargaining_ignores_increasing_transforms_and_the_sum_of_losses_does_not(name):
    plain = follow("dibs", lambda f: 1.0, 500, 0.05)
    # the same path up to the rounding of unit gradients
    np.testing.assert_allclose(follow("dibs", TRANSFORMS[name], 500, 0.05), plain, atol=1e-10)
    steps = (20000, 5e-4) if name == "x1000" else (2000, 0.01)
    summed = follow("equal", TRANSFORMS[name], *steps)
    # a hundred million times as far; least for the logarithm, as the loss is near 1 there
    assert np.abs(summed - follow("equal", lambda f: 1.0, 2000, 0.01)).max() > 0.01
