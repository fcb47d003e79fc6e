"""Parameters of a perceptron, checked: every one of them, used or not."""

from numbers import Real

import numpy as np
from sklearn.utils import check_random_state

from .._checks import check_count, check_flag, check_option, check_strength
from .._input import naming
from ..balancing import resolve_balancer
from ._activations import ACTIVATIONS
from ._balanced import GIVEN
from ._optimizers import STOCHASTIC
from ._training import Settings

SOLVERS = (*STOCHASTIC, "lbfgs")


def check_parameters(estimator):
    """Settings of a training, from parameters that both perceptrons have."""
    check_layers(estimator.hidden_layer_sizes)
    check_option("activation", estimator.activation, tuple(ACTIVATIONS))
    check_option("solver", estimator.solver, SOLVERS)
    check_strength("alpha", estimator.alpha, zero=True, infinite=False)
    check_strength("alpha_shared", estimator.alpha_shared)
    check_strength("alpha_specific", estimator.alpha_specific)
    _check_balancer(estimator)
    _check_perturbation(estimator)
    check_flag("standardize", estimator.standardize)
    check_flag("warm_start", estimator.warm_start)
    _check_verbose(estimator.verbose)
    with naming("random_state"):
        check_random_state(estimator.random_state)
    fraction = _check_fraction(estimator.validation_fraction)
    stops = check_flag("early_stopping", estimator.early_stopping)
    return Settings(
        solver=estimator.solver,
        batch_size=_check_batch_size(estimator.batch_size),
        learning_rate=check_strength(
            "learning_rate_init", estimator.learning_rate_init, infinite=False
        ),
        max_iter=check_count("max_iter", estimator.max_iter),
        shuffle=check_flag("shuffle", estimator.shuffle),
        tol=check_strength("tol", estimator.tol, zero=True, infinite=False),
        validation_fraction=fraction if stops and estimator.solver in STOCHASTIC else None,
        n_iter_no_change=_check_patience(estimator.n_iter_no_change),
    )


def _check_balancer(estimator):
    check_option("gramian", estimator.gramian, ("features", "exact"))
    check_count("update_every", estimator.update_every)
    if estimator.balancer is None:
        return
    balancer = resolve_balancer(estimator.balancer)
    missing = balancer.needs - GIVEN
    if missing:
        raise ValueError(
            f"balancer={balancer!r} needs {sorted(missing)[0]}, which the training of a perceptron "
            f"does not know; it knows {', '.join(sorted(GIVEN))}."
        )
    if estimator.solver not in STOCHASTIC:
        raise ValueError(
            f"balancer needs solver='adam' or 'sgd', got solver={estimator.solver!r}: the weighted "
            "gradients are not those of one objective."
        )
    if balancer.owns_direction and estimator.update_every > 1:
        raise ValueError(
            f"update_every must be 1 with balancer={balancer!r}, whose direction holds for one "
            f"step and cannot be kept, got {estimator.update_every!r}."
        )
    if estimator.task_weight is not None:
        raise ValueError(
            "task_weight must be None where a balancer weighs the tasks, got "
            f"{estimator.task_weight!r}; use the balancer's preference."
        )


def _check_perturbation(estimator):
    perturbation = estimator.perturbation
    if perturbation is None:
        return
    if isinstance(perturbation, type) or not hasattr(perturbation, "rho"):
        raise TypeError(f"perturbation must be None or a SharpnessAware, got {perturbation!r}.")
    with naming("perturbation"):
        perturbation.check()
    if estimator.solver not in STOCHASTIC:
        raise ValueError(
            f"perturbation needs solver='adam' or 'sgd', got solver={estimator.solver!r}: the "
            "perturbed gradients are not those of one objective."
        )


def check_layers(hidden_layer_sizes):
    """hidden_layer_sizes as a tuple of positive ints."""
    sizes = hidden_layer_sizes
    if np.iterable(sizes) and not isinstance(sizes, (str, bytes, dict)):
        return tuple(check_count("hidden_layer_sizes", size) for size in sizes)
    return (check_count("hidden_layer_sizes", sizes),)


def _check_batch_size(value):
    if isinstance(value, str):
        check_option("batch_size", value, ("auto",))
        return None
    return check_count("batch_size", value)


def _check_fraction(value):
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)):
        raise TypeError(f"validation_fraction must be a number in (0, 1), got {value!r}.")
    if not 0 < value < 1:
        raise ValueError(f"validation_fraction must be in (0, 1), got {value!r}.")
    return float(value)


def _check_patience(value):
    if isinstance(value, float) and np.isinf(value) and value > 0:
        return value
    return check_count("n_iter_no_change", value)


def _check_verbose(value):
    if not isinstance(value, (bool, np.bool_)):
        check_count("verbose", value, least=0)
