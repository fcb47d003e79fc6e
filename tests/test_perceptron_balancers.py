"""Perceptrons under every balancer of the registry, and what a training tells a balancer."""

import numpy as np
import pytest
from _networks import make_data, make_network, make_objective, make_rows, mean_loss_gradients
from _networks import random_theta as theta_of
from _properties import assert_close
from _samplers import as_long, frequencies, wide, with_holes
from sklearn.base import clone

from skmtl import MultiTaskPerceptron, _backend
from skmtl._backend import namespace_of
from skmtl.balancing import BALANCERS, MGDA, Answer, Balancer, resolve_balancer
from skmtl.balancing._parameters import drawn
from skmtl.neural_network._balanced import GIVEN, Balanced, Balancing
from skmtl.neural_network._rows import WideRows

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_layer_sizes": (8,), "random_state": 0, "max_iter": 5}
# by name, so that balancers yet to come are tested without a word
SERVED = [name for name, cls in BALANCERS.items() if cls().needs <= GIVEN]
LEARNING = {
    "hidden_layer_sizes": (20,),
    "batch_size": 16,
    "max_iter": 60,
    "learning_rate_init": 0.01,
    "tol": 0.0,
    "n_iter_no_change": np.inf,
    "random_state": 0,
}
every_balancer = pytest.mark.parametrize("name", SERVED)
every_format = pytest.mark.parametrize("long", [False, True], ids=["wide", "long"])


@pytest.fixture
def data():
    return wide()


def in_units(X, Y):
    """Standardised features and labels that lack some, in units far apart."""
    return (X - X.mean(axis=0)) / X.std(axis=0), with_holes(Y) * np.array([1.0, 100.0, 1e-3])


class Signs(Balancer):
    """Owns its direction: the signs of what it tracks, the sum of each task's gradients so far."""

    needs = frozenset({"jacobian"})
    owns_direction = True
    remembers = True

    def weigh(self, stats, p, own):
        tracked = stats.jacobian + own["tracked"] if "tracked" in own else stats.jacobian
        return Answer(np.ones(stats.n_tasks), {"tracked": tracked})

    def combine(self, stats, state):
        xp = namespace_of(stats.jacobian)
        return xp.sign(xp.sum(state.own["tracked"], axis=0))


class Listener(Balancer):
    """Equal weights; the statistics of each step are left in `heard`."""

    needs = frozenset({"losses", "epoch"})
    welcomes = frozenset({"post_losses"})

    def step(self, stats, state):
        heard.append(stats)
        return super().step(stats, state)

    def weigh(self, stats, p, own):
        return Answer(p, own)


class Drawing(Balancer):
    """Weights drawn anew in each step."""

    needs = frozenset()
    settles = False

    def start(self, n_tasks, rng):
        return {"seed": rng.randint(2**31)}

    def weigh(self, stats, p, own):
        rng, seed = drawn(own["seed"])
        return Answer(rng.uniform(0.5, 1.5, stats.n_tasks), {"seed": seed})


heard = []


@pytest.fixture(autouse=True)
def nothing_heard():
    heard.clear()


# the registry


@every_format
@every_balancer
def test_a_weight_is_a_frequency_to_every_balancer(name, long, data):
    X, Y = in_units(*data)
    X, y = as_long(X, Y) if long else (X, Y)
    weight = frequencies(len(X))
    again = np.repeat(np.arange(len(X)), weight)
    params = {"task_column": -1 if long else None, "max_iter": 3, "batch_size": 1000}
    model = MultiTaskPerceptron(balancer=name, **LEARNING | params)
    weights = model.fit(X, y, weight).task_weights_path_
    predictions = model.predict(X)
    model.fit(X[again], y[again])
    # rounding goes through programs that are solved to a tolerance of their own
    np.testing.assert_allclose(weights, model.task_weights_path_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(predictions, model.predict(X), rtol=1e-6, atol=1e-8)


@every_format
@pytest.mark.parametrize(
    "name, gramian",
    [(name, "features") for name in SERVED]
    + [(name, "exact") for name in SERVED if "gramian" in BALANCERS[name]().needs],
)
def test_every_balancer_trains(name, gramian, long, data):
    X, Y = in_units(*data)
    X, y = as_long(X, Y) if long else (X, Y)
    model = MultiTaskPerceptron(
        balancer=name, gramian=gramian, task_column=-1 if long else None, **LEARNING
    ).fit(X, y)
    assert model.score(X, y) > 0.5
    assert np.isfinite(model.loss_curve_).all()
    assert model.loss_curve_[-1].sum() < 0.5 * model.loss_curve_[0].sum()
    path, balancer = model.task_weights_path_, resolve_balancer(name)
    assert path.shape == (60, 3) and np.isfinite(path).all()
    np.testing.assert_array_equal(model.task_weights_, path[-1])
    if "nonnegative" in balancer.promises:
        assert (path >= 0).all()
        # means over batches, in which tasks may be absent
        np.testing.assert_allclose(path.mean(axis=1), 1, atol=0.5)
    if balancer.owns_direction:
        np.testing.assert_array_equal(path, np.ones((60, 3)))


@every_balancer
def test_partial_fits_on_the_same_rows_are_the_epochs_of_a_fit(name, data):
    """States, epochs and losses after a step go on from one call to the next."""
    X, Y = data[0], with_holes(data[1])
    fitted = MultiTaskPerceptron(balancer=name, **SMALL).fit(X, Y)
    pieces = MultiTaskPerceptron(balancer=name, **SMALL)
    for _ in range(5):
        pieces.partial_fit(X, Y)
    np.testing.assert_array_equal(pieces.task_weights_path_, fitted.task_weights_path_)
    np.testing.assert_array_equal(pieces.predict(X), fitted.predict(X))


@every_balancer
def test_the_same_seed_gives_the_same_model(name, data):
    X, Y = data
    params = SMALL | {"batch_size": 9}
    first, again = (MultiTaskPerceptron(balancer=name, **params).fit(X, Y) for _ in range(2))
    np.testing.assert_array_equal(first.predict(X), again.predict(X))


@pytest.mark.slow
@every_balancer
@every_format
def test_every_balancer_gives_the_same_training_on_another_device(name, long, data, fake_gpu):
    X, y = as_long(data[0], with_holes(data[1])) if long else (data[0], with_holes(data[1]))
    model = MultiTaskPerceptron(
        balancer=name, batch_size=13, task_column=-1 if long else None, **SMALL
    )
    there = clone(model).fit(X, y).partial_fit(X, y)
    here = model.set_params(device="cpu").fit(X, y).partial_fit(X, y)
    assert_close(there.predict(X), here.predict(X))
    assert_close(there.task_weights_path_, here.task_weights_path_)


# directions of a balancer's own


def own_direction(balancer, long, tasks=(0, 1, 2), n_tasks=3):
    """(Balanced, network, rows, theta, gradients of the mean losses) without penalties."""
    tasks = np.array(tasks)
    network, rows = make_network((6,)), make_rows(make_data(long))
    theta = theta_of(network)
    objective = make_objective(network, rows, alphas=(0, 0, 0))
    state = balancer.init(n_tasks, None)
    source = Balanced(objective, Balancing(balancer, False, 1, tasks, n_tasks), state)
    return source, network, rows, theta, mean_loss_gradients(network, rows, theta)


@every_format
@pytest.mark.parametrize("scale_heads", [False, True])
def test_a_direction_is_followed_at_the_length_of_the_mean_gradient(long, scale_heads):
    source, network, rows, theta, g = own_direction(Signs(scale_heads=scale_heads), long)
    _, found = source.gradient(theta, network.views(theta), rows)
    n = network.n_shared
    d, length = np.sign(g[:, :n].sum(axis=0)), np.linalg.norm(g[:, :n].mean(axis=0))
    np.testing.assert_allclose(found[:n], d * length / np.linalg.norm(d), rtol=1e-10)
    np.testing.assert_allclose(found[n:], g[:, n:].mean(axis=0), rtol=1e-10, atol=1e-15)


def test_a_direction_is_no_longer_than_its_balancer_allows():
    source, network, rows, theta, _ = own_direction(Signs(max_norm=1e-3), False)
    _, found = source.gradient(theta, network.views(theta), rows)
    assert np.linalg.norm(found[: network.n_shared]) == pytest.approx(1e-3)


def test_a_direction_that_vanishes_moves_nothing_that_is_shared():
    class Nowhere(Signs):
        def combine(self, stats, state):
            return 0 * stats.jacobian[0, :]

    source, network, rows, theta, _ = own_direction(Nowhere(), False)
    _, found = source.gradient(theta, network.views(theta), rows)
    np.testing.assert_array_equal(found[: network.n_shared], 0)
    assert (found[network.n_shared :] != 0).any()


def test_tasks_without_a_head_have_no_part_in_a_direction():
    """Task 1 of four has no labels: its row of what is tracked stays zero."""
    source, network, rows, theta, g = own_direction(Signs(), False, (0, 2, 3), 4)
    source.gradient(theta, network.views(theta), rows)
    tracked = source.weigher.state.own["tracked"]
    np.testing.assert_array_equal(tracked[1], 0)
    np.testing.assert_allclose(tracked[[0, 2, 3]], g[:, : network.n_shared], atol=1e-12)


@every_format
def test_a_direction_leaves_the_weights_at_one_and_its_state_on_the_host(long, data, xp_place):
    X, y = as_long(*data) if long else data
    model = MultiTaskPerceptron(
        balancer=Signs(), batch_size=13, task_column=-1 if long else None, **SMALL
    )
    plain, there = clone(model).fit(X, y), model.fit(xp_place(X), xp_place(y))
    kept = there._past.memory.balancer.state.own["tracked"]
    assert isinstance(kept, np.ndarray)
    plain.partial_fit(X, y)
    there.partial_fit(xp_place(X), xp_place(y))
    assert_close(_backend.to_numpy(there.predict(xp_place(X))), plain.predict(X))
    np.testing.assert_array_equal(plain.task_weights_, np.ones(3))
    np.testing.assert_array_equal(plain.task_weights_path_, np.ones((6, 3)))
    assert (abs(plain._past.memory.balancer.state.own["tracked"]) > abs(kept)).any()


def test_a_direction_cannot_be_kept_for_the_next_steps(data):
    with pytest.raises(ValueError, match=r"update_every must be 1 with balancer=Signs\(\).* got 2"):
        MultiTaskPerceptron(balancer=Signs(), update_every=2).fit(*data)


# what a balancer is told


def two_batches():
    """Rows of which the first lack labels of task 0, network, and an objective on both."""
    rows = make_rows(make_data(False, n=30))
    first, second = rows.take(np.arange(4, 14)), rows.take(np.arange(14, len(rows)))
    V = first.V * np.array([0.0, 1.0, 1.0])
    first = WideRows(first.X, first.labels, V, V.sum(axis=1))
    network = make_network((6,))
    return first, second, network, make_objective(network, rows)


def losses_by_hand(network, objective, theta, rows):
    """Weighted mean of the squared residuals of each task, 0 where it has none."""
    params = network.views(theta)
    A = np.tanh(rows.X @ params.weights[0] + params.biases[0])
    E = (rows.labels - A @ objective.heads(params).T - params.intercepts) ** 2
    total = rows.V.sum(axis=0)
    return (rows.V * E).sum(axis=0) / np.where(total > 0, total, 1)


@pytest.mark.parametrize("update_every", [1, 2])
def test_losses_after_a_step_are_those_of_the_batch_that_was_weighed_last(update_every):
    first, second, network, objective = two_batches()
    balancer = Listener()
    balancing = Balancing(balancer, False, update_every, np.arange(3), 3)
    source = Balanced(objective, balancing, balancer.init(3, None))
    thetas = [theta_of(network, seed) for seed in (1, 2, 3)]
    for theta, rows in zip(thetas, (first, second, second), strict=True):
        source.gradient(theta, network.views(theta), rows)
    assert len(heard) == (3 if update_every == 1 else 2)
    expected = [losses_by_hand(network, objective, thetas[0], first)]
    np.testing.assert_allclose(heard[0].post_losses[1:], expected[0][1:])
    now = thetas[1 if update_every == 1 else 2]
    then = losses_by_hand(network, objective, now, first)
    here = losses_by_hand(network, objective, now, second)
    np.testing.assert_allclose(heard[1].losses, here)
    # task 0 had no label in the first batch
    np.testing.assert_allclose(heard[1].post_losses, [here[0], *then[1:]])
    if update_every == 1:  # the same rows again
        np.testing.assert_array_equal(heard[2].post_losses, heard[2].losses)


def test_losses_after_a_step_are_computed_only_for_who_asks():
    class Deaf(Listener):
        welcomes = frozenset()

    first, _, network, objective = two_batches()
    balancer, theta = Deaf(), theta_of(network)
    balancing = Balancing(balancer, False, 1, np.arange(3), 3)
    Balanced(objective, balancing, balancer.init(3, None)).gradient(
        theta, network.views(theta), first
    )
    assert heard[0].post_losses is None


def test_who_needs_losses_after_a_step_has_them_in_the_first_one(data):
    class Needy(Listener):
        needs = frozenset({"losses", "post_losses"})

    MultiTaskPerceptron(balancer=Needy(), batch_size=9, **SMALL).fit(*data)
    np.testing.assert_array_equal(heard[0].post_losses, heard[0].losses)
    changes = np.array([stats.post_losses - stats.losses for stats in heard[1:]])
    assert (changes != 0).all()


def test_losses_after_a_step_are_forgotten_between_trainings(data):
    model = MultiTaskPerceptron(balancer=Listener(), batch_size=20, **SMALL)
    model.partial_fit(*data).partial_fit(*data)
    again = heard[2]  # the first step of the second call
    np.testing.assert_array_equal(again.post_losses, again.losses)


def test_epochs_are_counted_over_trainings_that_go_on(data):
    table, y = as_long(*data)
    model = MultiTaskPerceptron(balancer=Listener(), task_column=-1, warm_start=True, **SMALL)
    two = table[:, -1] < 2
    model.fit(table[two], y[two]).fit(table[two], y[two]).partial_fit(table[two], y[two])
    assert [stats.epoch for stats in heard] == list(range(11))
    heard.clear()
    model.partial_fit(table, y)  # a new task: the balancer begins anew
    assert [stats.epoch for stats in heard] == [0]


def test_a_balancer_that_goes_on_draws_no_new_seed(data):
    model = MultiTaskPerceptron(balancer=Drawing(), **SMALL).partial_fit(*data)
    before, path = model._past.rng.get_state()[1:], model.task_weights_path_
    model.partial_fit(*data)  # of all rows at once, which are not shuffled
    for old, new in zip(before, model._past.rng.get_state()[1:], strict=True):
        np.testing.assert_array_equal(new, old)
    assert (model.task_weights_path_[-1] != path[-1]).all()


def test_a_task_by_itself_is_trained_as_without_a_balancer(data):
    X, y = data[0], data[1][:, 0]
    alone = MultiTaskPerceptron(**SMALL).fit(X, y)
    for name in SERVED:
        if resolve_balancer(name).owns_direction:  # of tracked gradients, perhaps
            continue
        model = MultiTaskPerceptron(balancer=name, **SMALL).fit(X, y)
        assert_close(model.predict(X), alone.predict(X))


def test_weights_that_sum_to_nothing_are_recorded_by_their_size(data):
    class Opposed(MGDA):
        def weigh(self, stats, p, own):
            return Answer(np.array([1.0, -2.0, 1.0]), own)

    model = MultiTaskPerceptron(balancer=Opposed(), **SMALL).fit(*data)
    np.testing.assert_allclose(model.task_weights_, [0.75, -1.5, 0.75])
