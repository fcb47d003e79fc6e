"""What every registered balancer promises, and what `balance` refuses."""

import copy
import pickle

import numpy as np
import pytest
from _jacobians import INDEPENDENT_ROWS, JACOBIANS, STATIONARY, unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone

import skmtl.balancing
from skmtl._backend import place_of, to_numpy
from skmtl.balancing import (
    BALANCERS,
    DBMTL,
    DWA,
    FAMO,
    IMTLL,
    LDC,
    STCH,
    AlignedMTL,
    CAGrad,
    DiBS,
    Equal,
    ExcessRisk,
    FairGrad,
    GradNorm,
    GradVac,
    GroupDRO,
    MoCo,
    Nash,
    NashBargaining,
    TaskStats,
    TaskTension,
    Uncertainty,
    balance,
    resolve_balancer,
)

VARIANTS = {  # parameters that take other routes through the code than the defaults
    "aligned_mtl-mean": AlignedMTL("mean"),
    "aligned_mtl-median": AlignedMTL("median"),
    "cagrad-wide": CAGrad(2.0, rescale=0),
    "cagrad-narrow": CAGrad(1e-3, rescale=2),
    "fairgrad-fairer": FairGrad(4.0),
    "fairgrad-greedier": FairGrad(0.3),
    "dibs-direction": DiBS("direction"),
    "dibs-multi-step": DiBS("multi_step", radius=2.0, step_size=0.1),
    "dibs-exact": DiBS("exact"),
    "excess_risk-diag": ExcessRisk("diag"),
    "excess_risk-exact": ExcessRisk("exact", relative=False),
    "excess_risk-official": ExcessRisk(compat="official"),
    "db_mtl-falling": DBMTL(0.5, sigma=1.0),
    "gradvac-quick": GradVac(0.9),
    "moco-regular": MoCo(1.0, gamma=1.0, sigma=0.0, rho=0.5),
    "stch-optima": STCH(0.3, reference="optima"),
    "task_tension-at-once": TaskTension(window=1),
    "uncertainty-learnt": Uncertainty(0.5),
    "nash-smooth": Nash(smoothing=0.5),
    "imtl_l-learnt": IMTLL(0.5),
    "gradnorm-at-once": GradNorm(0.5, step_size=None),
    "ldc-bold": LDC(0.5, step_size=10.0),
}
INSTANCES = {name: make() for name, make in BALANCERS.items()} | VARIANTS
STATISTICS = {
    "losses", "gramian", "jacobian", "excess", "distances", "disagreement", "post_losses", "epoch",
}  # fmt: skip
PROMISES = {
    "equivariant", "nonnegative", "nonconflicting", "scale_invariant", "linear_under_scaling",
}  # fmt: skip
ROUNDING = 1e-9  # of sums of unit vectors with weights whose NNLS and Newton steps reach 1e-11

every_balancer = pytest.mark.parametrize("balancer", INSTANCES.values(), ids=INSTANCES.keys())
every_jacobian = pytest.mark.parametrize("kind", JACOBIANS)


def promising(promise):
    kept = {name: b for name, b in INSTANCES.items() if promise in b.promises}
    return pytest.mark.parametrize("balancer", kept.values(), ids=kept.keys())


def jacobian(kind, seed=0):
    return JACOBIANS[kind](np.random.default_rng(seed))


def statistics(n_tasks, seed=1):
    """Everything beside the Jacobian that `balance` takes, for one step."""
    rng = np.random.default_rng(seed)
    losses = rng.uniform(0.5, 1.5, size=n_tasks)
    return {
        "losses": losses,
        "excess": losses - rng.uniform(0.1, 0.4, size=n_tasks),
        "distances": rng.uniform(0.5, 2.0, size=n_tasks),
        "disagreement": losses + rng.uniform(0.1, 1.0, size=n_tasks),
        "post_losses": losses * rng.uniform(0.5, 1.0, size=n_tasks),
    }


def two_steps(J, balancer, given=None):
    """The result of a second step, at other losses, so that states have done their work."""
    given = [statistics(len(J), seed) for seed in (1, 2)] if given is None else given
    first = balance(J, balancer=balancer, random_state=0, **given[0])
    return balance(J, balancer=balancer, state=first.state, **given[1])


def weights_of(result):
    """Weights of the step: what a method of another direction weighs is its own affair."""
    return result.state.weights


def reads_gradients(balancer, n_tasks=2):
    """Whether a step reads gradients when everything is at hand."""
    stats = TaskStats(np.eye(n_tasks), **statistics(n_tasks))
    return bool(balancer.reads(stats) & {"gramian", "jacobian"})


def pull(J, weights):
    """Direction relative to the longest gradient in it, which may cancel against others."""
    longest = (np.abs(weights) * unit_rows(J)[0]).max()
    return (weights / (longest or 1.0)) @ J


# what is registered


def test_every_strategy_is_exported_and_holds_its_parameters_only():
    for name, make in BALANCERS.items():
        assert make.__name__ in skmtl.balancing.__all__, name
        assert getattr(skmtl.balancing, make.__name__) is make
        assert vars(make()) == make().get_params()


@every_balancer
def test_declarations_use_the_known_words(balancer):
    assert balancer.needs <= STATISTICS
    assert balancer.welcomes <= STATISTICS
    assert balancer.promises <= PROMISES


@every_balancer
def test_balancers_are_cloned_and_pickled_and_show_their_parameters(balancer):
    J = jacobian("normal")
    for other in (clone(balancer), pickle.loads(pickle.dumps(balancer))):
        assert other.get_params() == balancer.get_params()
        assert repr(other) == repr(balancer)
        np.testing.assert_array_equal(
            weights_of(two_steps(J, other)), weights_of(two_steps(J, balancer))
        )
    assert repr(balancer.set_params(smoothing=balancer.smoothing)).startswith(
        type(balancer).__name__
    )


@every_balancer
def test_states_are_pickled(balancer):
    J, given = jacobian("normal"), statistics(4)
    first = balance(J, balancer=balancer, random_state=0, **given)
    thawed = pickle.loads(pickle.dumps(first.state))
    np.testing.assert_array_equal(
        weights_of(balance(J, balancer=balancer, state=thawed, **given)),
        weights_of(balance(J, balancer=balancer, state=first.state, **given)),
    )


# every balancer on every Jacobian


@every_balancer
@every_jacobian
def test_weights_and_directions_are_finite_and_fit_each_other(balancer, kind):
    J = jacobian(kind)
    result = two_steps(J, balancer)
    assert weights_of(result).shape == (len(J),)
    assert (result.weights is None) == balancer.owns_direction
    assert result.direction.shape == (J.shape[1],)
    assert np.isfinite(weights_of(result)).all() and np.isfinite(result.direction).all()
    assert result.status in ("ok", "approximate", "stationary", "disagreement")
    if not balancer.owns_direction:
        np.testing.assert_array_equal(result.direction, result.weights @ J)


@every_balancer
@every_jacobian
def test_neither_arguments_nor_states_are_changed(balancer, kind):
    J = jacobian(kind)
    J.flags.writeable = False
    given = statistics(len(J))
    for values in given.values():
        values.flags.writeable = False
    state = two_steps(J, balancer).state
    kept = copy.deepcopy(state)
    first = balance(J, balancer=balancer, state=state, **given)
    again = balance(J, balancer=balancer, state=state, **given)
    np.testing.assert_equal(state, kept)
    np.testing.assert_array_equal(weights_of(first), weights_of(again))


@every_balancer
def test_the_same_seed_gives_the_same_weights(balancer):
    J, given = jacobian("normal"), statistics(4)
    first = balance(J, balancer=balancer, random_state=3, **given)
    again = balance(J, balancer=balancer, random_state=np.random.RandomState(3), **given)
    np.testing.assert_array_equal(weights_of(first), weights_of(again))


@promising("nonnegative")
@every_jacobian
def test_weights_are_not_negative(balancer, kind):
    assert (weights_of(two_steps(jacobian(kind), balancer)) >= 0).all()


@promising("equivariant")
@every_jacobian
def test_the_order_of_the_tasks_does_not_matter(balancer, kind):
    J = jacobian(kind)
    order = np.random.default_rng(5).permutation(len(J))
    given = [statistics(len(J), seed) for seed in (1, 2)]
    there = [{k: v[order] for k, v in values.items()} for values in given]
    weights = weights_of(two_steps(J, balancer, given))
    permuted = weights_of(two_steps(J[order], balancer, there))
    if kind in INDEPENDENT_ROWS:  # else weights may differ and their direction may not
        np.testing.assert_allclose(permuted, weights[order], rtol=1e-8)
    scale = max((w * unit_rows(K)[0]).max() for w, K in ((weights, J), (permuted, J[order]))) or 1.0
    np.testing.assert_allclose((permuted / scale) @ J[order], (weights / scale) @ J, atol=ROUNDING)


@promising("nonconflicting")
@every_jacobian
def test_no_task_gets_worse(balancer, kind):
    J = jacobian(kind)
    assert (unit_rows(J)[1] @ pull(J, weights_of(two_steps(J, balancer)))).min() >= -ROUNDING


@promising("scale_invariant")
@pytest.mark.parametrize(
    "kind", [kind for kind in JACOBIANS if kind not in (*STATIONARY, "one_task")]
)
def test_scaling_a_loss_does_not_change_the_direction(balancer, kind):
    J = jacobian(kind)
    c = 10.0 ** np.random.default_rng(6).uniform(-6, 6, size=len(J))
    plain, scaled = two_steps(J, balancer).direction, two_steps(c[:, None] * J, balancer).direction
    np.testing.assert_allclose(scaled, plain, rtol=0, atol=1e-8 * np.abs(plain).max())


TURNED = {"equal", "dwa", "rlw", "group_dro", "stch", "mgda", "upgrad", "dualproj", "cagrad"}
TURNED |= {"aligned_mtl", "pcgrad", "gradvac", "graddrop", "moco", "task_tension"}
LONGER = {"imtl_g", "config", "gls", "famo", "gradnorm"}


@pytest.mark.parametrize("name", sorted(BALANCERS.keys() - {"excess_risk"}))  # learns with theta
def test_units_of_losses_turn_the_direction_lengthen_it_or_do_nothing(name):
    J, losses = jacobian("normal"), np.array([0.5, 2.0, 1.0, 3.0])
    balancer = TaskTension(window=1) if name == "task_tension" else name  # pulls from the first
    steps = 400 if name == "gradnorm" else 2  # which learns the units
    found = []
    for c in (np.ones(4), np.array([20.0, 0.5, 1.0, 3.0])):
        state = None
        for step in range(steps):
            now = c * losses * (1 - 0.1 * min(step, 1) * np.arange(4))
            result = balance(c[:, None] * J, now, balancer, state, random_state=0)
            state = result.state
        found.append(result.direction)
    lengths = [np.linalg.norm(d) for d in found]
    cosine = found[0] @ found[1] / np.prod(lengths)
    assert (cosine < 0.999) == (name in TURNED)
    if name not in TURNED:
        assert cosine == pytest.approx(1.0, abs=1e-9)
        assert (abs(lengths[1] / lengths[0] - 1) > 1e-3) == (name in LONGER)


@promising("linear_under_scaling")
@pytest.mark.parametrize("kind", [kind for kind in JACOBIANS if kind != "apart"])
def test_the_direction_is_linear_in_the_scales_of_the_losses(balancer, kind):
    J, rng = jacobian(kind), np.random.default_rng(7)
    a, b = rng.uniform(0.1, 10, size=(2, len(J), 1))
    parts = two_steps(a * J, balancer).direction + two_steps(b * J, balancer).direction
    whole = two_steps((a + b) * J, balancer).direction
    scale = np.abs(a * J).max() + np.abs(b * J).max()
    np.testing.assert_allclose(parts, whole, rtol=0, atol=ROUNDING * scale)


# degenerate steps


@every_balancer
def test_the_weight_of_one_task_is_one(balancer):
    for J in ([[3.0, 4.0]], [[0.0, 0.0]], [[1e150]], [[1e-150]], np.zeros((1, 0))):
        np.testing.assert_array_equal(weights_of(two_steps(np.array(J), balancer)), [1.0])


@every_balancer
def test_without_gradients_the_weights_are_equal_and_nothing_moves(balancer):
    for J in (np.zeros((3, 4)), np.zeros((3, 0))):
        result = two_steps(J, balancer)
        assert weights_of(result)[0] > 0 and np.ptp(weights_of(result)) == 0
        assert not result.direction.any() and result.status == "stationary"


@every_balancer
def test_a_task_at_its_optimum_does_not_hold_up_the_others(balancer):
    J, given = jacobian("zero_row"), [statistics(4, seed) for seed in (1, 2)]
    moving = J.any(axis=1)
    rest = [{k: v[moving] for k, v in values.items()} for values in given]
    weights = weights_of(two_steps(J, balancer, given))
    if reads_gradients(balancer):
        assert weights[~moving] == 0
        alone = weights_of(two_steps(J[moving], balancer, rest))
        np.testing.assert_allclose(weights[moving], alone, rtol=1e-12)
    else:
        filled = np.where(J == 0, 1.0, J)
        np.testing.assert_array_equal(weights, weights_of(two_steps(filled, balancer, given)))


@promising("equivariant")
def test_equal_tasks_get_equal_weights(balancer):
    J = jacobian("identical")
    given = [
        {k: v[[0, 1, 2, 0]] for k, v in statistics(4, seed).items()} for seed in (1, 2)
    ]  # first and last task are the same in all respects
    weights = weights_of(two_steps(J, balancer, given))
    assert weights[0] == pytest.approx(weights[3], rel=1e-12)
    everywhere = two_steps(
        J[[0, 0, 0]], balancer, [{k: v[[0] * 3] for k, v in g.items()} for g in given]
    )
    np.testing.assert_allclose(weights_of(everywhere), weights_of(everywhere)[0], rtol=1e-12)


@every_balancer
@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_gradients_of_any_scale_neither_overflow_nor_vanish(balancer, scale):
    J = scale * jacobian("normal")
    result = two_steps(J, balancer)
    assert np.isfinite(weights_of(result)).all() and np.isfinite(result.direction).all()
    assert result.direction.any()


@every_balancer
def test_losses_of_any_scale_do_not_overflow(balancer):
    J = jacobian("normal")
    for scale in (1e-150, 1e150, np.array([1e-150, 1.0, 1e10, 1e150])):
        given = [{k: scale * v for k, v in statistics(4, seed).items()} for seed in (1, 2)]
        assert np.isfinite(weights_of(two_steps(J, balancer, given))).all()


@every_balancer
def test_losses_may_be_zero_or_negative(balancer):
    J = jacobian("normal")
    for losses in (np.zeros(4), -np.ones(4), np.array([-1.0, 0.0, 1.0, 2.0])):
        given = [dict.fromkeys(("losses", "disagreement", "excess"), losses + k) for k in (0, 0.5)]
        given = [values | {"distances": np.zeros(4)} for values in given]
        result = two_steps(J, balancer, given)
        assert np.isfinite(weights_of(result)).all()


FLOATS = st.floats(-1e150, 1e150, allow_subnormal=True)


@every_balancer
@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_finite_input_never_raises_nor_gives_nan(balancer, data):
    T, d = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 4))
    values = st.sampled_from([0.0, 1.0, -1.0, 2.0, 1e-150]) | FLOATS
    J = data.draw(arrays(float, (T, d), elements=values))
    names = ("losses", "excess", "disagreement")
    given_ = [{k: data.draw(arrays(float, T, elements=FLOATS)) for k in names} for _ in range(2)]
    given_ = [values | {"distances": np.abs(values["losses"])} for values in given_]
    result = two_steps(J, balancer, given_)
    assert np.isfinite(weights_of(result)).all()
    assert not np.isnan(result.direction).any()


# where the statistics come from


@every_balancer
@pytest.mark.parametrize("kind", ["normal", "zero_row", "apart", "one_task", "nothing"])
def test_arrays_of_other_libraries_give_the_same_and_answer_in_kind(balancer, kind, xp_place):
    J = jacobian(kind)
    there = two_steps(xp_place(J), balancer, [
        {k: xp_place(v) for k, v in statistics(len(J), seed).items()} for seed in (1, 2)
    ])  # fmt: skip
    here = two_steps(J, balancer)
    assert place_of(there.direction) == xp_place.place
    assert there.direction.dtype == xp_place(J).dtype
    np.testing.assert_allclose(weights_of(there), weights_of(here), rtol=1e-9)
    scale = max(np.abs(here.direction).max(), 1e-300)
    np.testing.assert_allclose(to_numpy(there.direction) / scale, here.direction / scale, atol=1e-9)


class Recorded:
    """Stands for an array that automatic differentiation follows: it must be detached first."""

    def __init__(self, value):
        self.value = value

    def detach(self):
        return self.value

    def __array__(self, *args, **kwargs):
        raise RuntimeError("call detach first")


def test_arrays_that_record_their_gradients_are_detached():
    J, losses = jacobian("normal"), np.array([1.0, 2.0, 3.0, 4.0])
    expected = balance(J, losses, "group_dro").direction
    for followed in (Recorded(losses), [Recorded(value) for value in losses]):
        result = balance(Recorded(J), followed, "group_dro")
        np.testing.assert_array_equal(result.direction, expected)


@every_balancer
def test_single_precision_is_weighed_in_double_and_answered_in_single(balancer):
    J = jacobian("normal").astype(np.float32)
    result = two_steps(J, balancer)
    assert result.direction.dtype == np.float32
    np.testing.assert_array_equal(
        weights_of(result), weights_of(two_steps(J.astype(float), balancer))
    )


@pytest.mark.parametrize(
    "balancer", [b for b in INSTANCES.values() if "jacobian" not in b.needs or b.welcomes], ids=repr
)
@every_jacobian
def test_norms_and_cosines_are_enough_where_the_gramian_is(balancer, kind):
    J, given = jacobian(kind), statistics(len(jacobian(kind)))
    norms, U = unit_rows(J)
    for stats in (TaskStats(J, **given), TaskStats(norms=norms, unit_gramian=U @ U.T, **given)):
        weights, state = balancer.step(stats, balancer.init(len(J), np.random.RandomState(0)))
        expected = weights_of(balance(J, balancer=balancer, random_state=0, **given))
        scale = (expected * norms).max() or 1.0
        atol = 1e-5 if state.status == "approximate" else ROUNDING  # what the status stands for
        np.testing.assert_allclose(weights / scale @ J, expected / scale @ J, atol=atol)


@every_balancer
def test_an_absent_task_is_passed_over_and_keeps_its_state(balancer):
    J, given = jacobian("normal"), statistics(4)
    here = np.array([True, False, True, True])
    rng = np.random.RandomState(0)
    _, state = balancer.step(TaskStats(J, **given), balancer.init(4, rng))
    gone = {k: np.where(here, v, np.nan) for k, v in given.items()}
    weights, after = balancer.step(TaskStats(J, present=here, **gone), state)
    assert weights[1] == 0 and np.isfinite(weights).all()
    assert after.average[1] == state.average[1]
    assert after.own.keys() == state.own.keys()
    of_tasks = {name: value for name, value in after.own.items() if np.ndim(value)}
    for name, value in of_tasks.items():
        np.testing.assert_array_equal(value[1], state.own[name][1])
    part = state._replace(
        own=state.own
        | {
            k: state.own[k][here][:, here] if k in balancer.pairs else state.own[k][here]
            for k in of_tasks
        },
        average=state.average[here],
        weights=state.weights[here],
    )
    rest = TaskStats(J[here], **{k: v[here] for k, v in given.items()})
    np.testing.assert_allclose(weights[here], balancer.step(rest, part)[0], rtol=1e-12)


@every_balancer
def test_a_task_may_be_missing_from_the_first_step(balancer):
    J, given = jacobian("normal"), statistics(4)
    here = np.array([True, False, True, True])
    state = balancer.init(4, np.random.RandomState(0))
    _, state = balancer.step(TaskStats(J, present=here, **given), state)
    weights, _ = balancer.step(TaskStats(J, **given), state)
    assert np.isfinite(weights).all()


def test_statistics_are_read_from_the_jacobian_without_overflow():
    stats = TaskStats(np.array([[3e200, 4e200], [0.0, 1e-200], [0.0, 0.0]]))
    np.testing.assert_allclose(stats.norms, [5e200, 1e-200, 0.0], rtol=1e-15)
    np.testing.assert_allclose(stats.unit_gramian[:2, :2], [[1, 0.8], [0.8, 1]], rtol=1e-15)
    assert not stats.vanishes
    assert stats.active(moving=True).tolist() == [0, 1]


def test_statistics_without_any_are_refused():
    with pytest.raises(ValueError, match="TaskStats needs a jacobian"):
        TaskStats()


# common parameters


@every_balancer
def test_equal_preferences_are_none(balancer):
    J = jacobian("normal")
    alike = clone(balancer).set_params(preference=[3.0] * 4)
    np.testing.assert_array_equal(
        weights_of(two_steps(J, alike)), weights_of(two_steps(J, balancer))
    )


@promising("equivariant")
def test_preferences_go_with_their_tasks(balancer):
    J, p = jacobian("normal"), np.array([1.0, 2.0, 5.0, 0.1])
    order = np.array([2, 0, 3, 1])
    given = [statistics(4, seed) for seed in (1, 2)]
    there = [{k: v[order] for k, v in values.items()} for values in given]
    one, other = (clone(balancer).set_params(preference=q) for q in (p, p[order]))
    weights = weights_of(two_steps(J, one, given))
    assert not np.allclose(weights, weights_of(two_steps(J, balancer, given)))
    np.testing.assert_allclose(
        weights_of(two_steps(J[order], other, there)), weights[order], rtol=1e-8
    )


@every_balancer
def test_smoothing_is_a_running_mean_of_the_weights(balancer):
    given = [statistics(4, seed) for seed in (1, 2, 3)]
    Js = [jacobian("normal", seed) for seed in (1, 2, 3)]
    smooth, state, plain = clone(balancer).set_params(smoothing=0.75), None, None
    mean, own = None, clone(balancer).set_params(smoothing=0.0)
    for J, values in zip(Js, given, strict=True):
        state = balance(J, balancer=smooth, state=state, random_state=0, **values).state
        plain = balance(J, balancer=own, state=plain, random_state=0, **values).state
        mean = plain.weights if mean is None else 0.75 * mean + 0.25 * plain.weights
        np.testing.assert_allclose(state.weights, mean, rtol=1e-12)


@every_balancer
@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-200])
def test_no_direction_is_longer_than_max_norm(balancer, scale):
    J = scale * jacobian("normal")
    free = two_steps(J, balancer)
    largest = np.abs(free.direction).max()
    length = largest * np.linalg.norm(free.direction / largest)
    for limit in (0.5 * length, 2 * length):
        short = two_steps(J, clone(balancer).set_params(max_norm=limit))
        expected = free.direction * min(1, limit / length)
        np.testing.assert_allclose(short.direction, expected, rtol=1e-12)
        np.testing.assert_array_equal(weights_of(short), weights_of(free))


# what is refused


@pytest.mark.parametrize(
    "params, error, message",
    [
        ({"preference": [1.0, 2.0]}, ValueError, "preference .* each of 3 tasks, got shape"),
        ({"preference": [1.0, 0.0, 1.0]}, ValueError, r"preference must lie in \(0, inf\)"),
        ({"preference": [1.0, np.nan, 1.0]}, ValueError, "preference .* finite number"),
        ({"preference": "high"}, ValueError, "preference .* finite number"),
        ({"smoothing": 1.0}, ValueError, r"smoothing must be in \[0, 1\), got 1.0"),
        ({"smoothing": "some"}, TypeError, "smoothing must be a number"),
        ({"max_norm": 0.0}, ValueError, r"max_norm must be in \(0, inf\)"),
        ({"scale_heads": 1}, TypeError, "scale_heads must be True or False"),
    ],
)
@every_balancer
def test_common_parameters_are_checked(balancer, params, error, message):
    with pytest.raises(error, match=message):
        balance(np.eye(3), balancer=clone(balancer).set_params(**params), **statistics(3))


@pytest.mark.parametrize(
    "balancer, error, message",
    [
        (AlignedMTL("largest"), ValueError, "scale must be one of"),
        (AlignedMTL(None), ValueError, "scale must be one of"),
        (CAGrad(-0.1), ValueError, "c must be in"),
        (CAGrad(np.inf), ValueError, "c must be in"),
        (CAGrad(rescale=3), ValueError, "rescale must be 0, 1 or 2, got 3"),
        (CAGrad(rescale="no"), TypeError, "rescale"),
        (FairGrad(0.0), ValueError, "alpha must be in"),
        (FairGrad(np.inf), ValueError, "alpha must be in"),
        (FairGrad("fair"), TypeError, "alpha"),
        (DiBS("both"), ValueError, "mode must be one of"),
        (DiBS(radius=0), ValueError, "radius"),
        (DiBS(step_size=-1), ValueError, "step_size"),
        (DiBS(n_inner=0), ValueError, "n_inner"),
        (ExcessRisk("hessian"), ValueError, "excess must be one of"),
        (ExcessRisk(step_size=np.inf), ValueError, "step_size"),
        (ExcessRisk(relative="yes"), TypeError, "relative"),
        (ExcessRisk(compat="paper"), ValueError, "compat"),
        (ExcessRisk("exact", compat="official"), ValueError, "published update"),
        (ExcessRisk(relative=False, compat="official"), ValueError, "published update"),
        (DBMTL(1.0), ValueError, r"beta must be in \[0, 1\)"),
        (DBMTL(sigma=-1), ValueError, "sigma"),
        (GradVac(1.0), ValueError, r"beta must be in \[0, 1\)"),
        (GroupDRO("large"), TypeError, "step_size"),
        (MoCo(1.5), ValueError, r"beta must be in \(0, 1\]"),
        (MoCo(gamma=0), ValueError, "gamma"),
        (MoCo(sigma=-1), ValueError, "sigma"),
        (MoCo(rho=np.inf), ValueError, "rho"),
        (NashBargaining([1.0]), ValueError, "disagreement .* got shape"),
        (NashBargaining("mean"), ValueError, 'disagreement must be "intercept" or'),
        (STCH(0.0), ValueError, "mu"),
        (STCH(reference=[1.0]), ValueError, "reference .* got shape"),
        (STCH(reference="best"), ValueError, "reference must be None"),
        (TaskTension(1.0), ValueError, "alpha"),
        (TaskTension(window=0), ValueError, "window"),
        (Uncertainty(step_size=0), ValueError, "step_size"),
        (DWA(temperature=0.0), ValueError, "temperature"),
        (FAMO(step_size=0.0), ValueError, "step_size"),
        (FAMO(gamma=-1.0), ValueError, "gamma"),
        (GradNorm(alpha=-0.1), ValueError, "alpha"),
        (GradNorm(step_size=0), ValueError, "step_size"),
        (IMTLL(step_size="small"), TypeError, "step_size"),
        (LDC(penalty=0.6), ValueError, r"penalty must be in \[0, 0.5\], got 0.6"),
        (LDC(penalty=-0.1), ValueError, "penalty"),
        (LDC(step_size=np.inf), ValueError, "step_size"),
    ],
    ids=repr,
)
def test_parameters_of_a_strategy_are_checked_in_every_call(balancer, error, message):
    with pytest.raises(error, match=message):
        balance(np.eye(3), balancer=balancer, **statistics(3))
    with pytest.raises(error, match=message):
        balancer.init(3, np.random.RandomState(0))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"jacobian": [1.0, 2.0]}, r"jacobian must have shape \(n_tasks, n_params\)"),
        ({"jacobian": np.zeros((0, 3))}, "with a row a task"),
        ({"jacobian": [[1.0, np.nan], [0.0, 1.0]]}, "jacobian holds NaN or infinity"),
        ({"jacobian": [[1.0, np.inf], [0.0, 1.0]]}, "jacobian holds NaN or infinity"),
        ({"jacobian": [["a", "b"], ["c", "d"]]}, "jacobian must hold real numbers"),
        ({"jacobian": np.eye(2) * 1j}, "jacobian must hold real numbers"),
        ({"jacobian": None}, "jacobian must hold real numbers"),
        ({"losses": [1.0]}, r"losses must have shape \(2,\), one a task, got \(1,\)"),
        ({"losses": 1.0}, r"losses must have shape \(2,\)"),
        ({"losses": [1.0, np.nan]}, "losses must be finite, got .* at task 1"),
        ({"losses": ["a", "b"]}, "losses must hold real numbers"),
        ({"excess": [np.inf, 1.0]}, "excess must be finite, got .* at task 0"),
        ({"distances": [1.0, -1.0]}, "distances must be at least 0, got -1.0 at task 1"),
        ({"disagreement": [1.0, 2.0, 3.0]}, "disagreement must have shape"),
        ({"post_losses": [np.nan, 1.0]}, "post_losses must be finite"),
        ({"epoch": -1}, "epoch must be at least 0"),
        ({"balancer": "nosh"}, r"balancer must be one of \[.*'nash'.*\], got 'nosh'"),
    ],
)
@pytest.mark.parametrize("balancer", ["nash", "equal", "group_dro"])
def test_bad_input_is_refused_whether_or_not_the_method_reads_it(balancer, change, message):
    given = {"jacobian": np.eye(2), "losses": [1.0, 2.0], "balancer": balancer} | change
    with pytest.raises(ValueError, match=message):
        balance(**given)


@pytest.mark.parametrize(
    "balancer, what",
    [
        ("group_dro", "GroupDRO needs losses"),
        ("uncertainty", "Uncertainty needs losses"),
        ("gls", "GLS needs losses"),
        ("gradnorm", "GradNorm needs losses"),
        ("stch", "STCH needs losses"),
        (STCH(reference="optima"), "STCH needs excess"),
        ("nash_bargaining", "NashBargaining needs losses"),
        (ExcessRisk("exact"), "ExcessRisk needs excess"),
        (DiBS("exact"), "DiBS needs distances"),
    ],
)
def test_a_statistic_that_is_missing_is_named(balancer, what):
    with pytest.raises(ValueError, match=rf"{what} and got none; pass .* of shape \(n_tasks,\)"):
        balance(np.eye(2), balancer=balancer)
    with pytest.raises(ValueError, match="Nash needs gramian and got none; pass a jacobian"):
        Nash().step(TaskStats(losses=[1.0, 2.0]), Nash().init(2, np.random.RandomState(0)))


def test_only_what_can_balance_is_taken_for_a_balancer():
    for wrong in (None, 3, {"step_size": 1.0}):
        with pytest.raises(TypeError, match="balancer must be a name or a Balancer"):
            balance(np.eye(2), balancer=wrong)
    assert repr(resolve_balancer(Equal)) == "Equal()"


def test_a_state_of_something_else_is_refused():
    state = balance(np.eye(2), balancer="nash").state
    with pytest.raises(ValueError, match="Nash on 2 tasks, not to Nash on 3; pass state=None"):
        balance(np.eye(3), balancer="nash", state=state)
    with pytest.raises(ValueError, match="Nash on 2 tasks, not to MGDA on 2"):
        balance(np.eye(2), balancer="mgda", state=state)
    with pytest.raises(TypeError, match="state must be what an earlier call returned"):
        balance(np.eye(2), state={})


@pytest.mark.parametrize("name", ["db_mtl", "moco", "excess_risk"])
def test_a_state_of_longer_gradients_is_refused(name):
    state = balance(np.eye(2), [1.0, 2.0], name).state
    for n_params in (1, 3):  # one column would be repeated silently
        with pytest.raises(ValueError, match=f"gradients of 2 parameters, not of {n_params}; pass"):
            balance(np.ones((2, n_params)), [1.0, 2.0], name, state)
