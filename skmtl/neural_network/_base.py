"""What both perceptrons share: trainings, from validated data to fitted attributes."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from .. import _backend
from .._input import float_name, stack_level
from ..balancing import resolve_balancer
from ..base import MultiTaskMixin, at_once
from ._activations import ACTIVATIONS
from ._balanced import Balancing
from ._callbacks import CallbackSupportMixin, Progress, attributes_after, with_callbacks
from ._history import history
from ._more import read_more
from ._network import Network
from ._optimizers import STOCHASTIC
from ._parameters import check_layers, check_parameters
from ._pose import Past
from ._problem import Memory, Problem, nothing_learnt, train
from ._training import refuse_divergence
from ._units import PlainUnits, spread_of, units_of

WORSE = 1.1  # than constant predictions: more than penalties and the last steps explain


def is_stochastic(estimator):
    """Whether the solver trains in minibatches; otherwise an error that says so."""
    if estimator.solver in STOCHASTIC:
        return True
    raise AttributeError(
        f"partial_fit needs solver='adam' or 'sgd', got solver={estimator.solver!r}."
    )


class PerceptronMixin(CallbackSupportMixin, MultiTaskMixin):
    """Trains a network on labels that the subclass reads.

    The subclass has `_pose(fit_input, past)`, which returns a Pose and may take what else
    `partial_fit` was told, and `_record_heads(X, fit_input, pose, blocks, center)`, which sets what
    predictions need.
    """

    _accept_sparse = "csr"
    _penalty_scale = 1.0  # 0.5: penalties with the half

    def hidden_representation(self, X):
        """Activations of the last hidden layer, which all tasks share.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column where the model was fitted with one.

        Returns
        -------
        array of shape (n_samples, width)
            The features, with ``standardize=True`` in standard units, where there is no hidden
            layer.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If a task id was not seen in `fit` and ``unknown_task="error"``.
        """
        A = self._represent(self._validate_predict(X)[0], "hidden_representation")
        return A.toarray() if _backend.is_sparse(A) else A

    def _represent(self, X, method):
        self._check_same_place(X, self.shared_head_, method)
        X = _backend.to_place(self._units.of_rows(X), _backend.place_of(X), float_name(X))
        apply = ACTIVATIONS[self.activation].apply
        for W, c in zip(self.coefs_, self.intercepts_, strict=True):
            X = apply(X @ W + c)
        return X

    def _check_params(self):
        """Check every parameter; returns the Settings."""
        return check_parameters(self)

    def _units_of(self, data):
        return units_of(spread_of(data)) if self.standardize else PlainUnits()

    def _fit_whole(self, X, y, sample_weight):
        """Train as `fit` does."""
        settings, fit_input, past = self._read(X, y, sample_weight)
        pose = self._pose(fit_input, past)
        outcome = self._train((X, y, sample_weight), fit_input, pose, settings, past)
        warn_unless_trained(outcome, "" if self.standardize else ", or standardise X")
        return self

    def _fit_batch(self, X, y, sample_weight, *told):
        """Train for one epoch, as `partial_fit` does."""
        settings, fit_input, past = self._read(X, y, sample_weight, batch=True)
        if settings.validation_fraction is not None:
            raise ValueError("early_stopping must be False in partial_fit, got True.")
        pose = self._pose(fit_input, past, *told)
        rng = check_random_state(self.random_state) if past is None else past.rng
        self._learn(X, fit_input, pose, settings._replace(max_iter=1), rng, past)
        return self

    def _read(self, X, y, sample_weight, batch=False):
        """(Settings, FitInput, Past or None where a training starts anew), all checked.

        `batch`: whether they are of `partial_fit`.
        """
        settings = self._check_params()
        if not (batch or self.warm_start) or not hasattr(self, "tasks_"):
            return settings, self._validate_fit(X, y, sample_weight), None
        past = self._past
        if self.standardize != past.features.are_standard:
            raise ValueError(
                f"standardize must be that of the training that goes on, {not self.standardize}, "
                f"got {self.standardize}."
            )
        return settings, read_more(self, X, y, sample_weight, past.features, adapt=batch), past

    @with_callbacks
    def _train(self, data, fit_input, pose, settings, past):
        """Train, telling of each iteration; `data` is X, y and sample_weight as they came."""
        progress = Progress(self, data, settings.max_iter)
        rng = check_random_state(self.random_state)
        outcome = self._learn(data[0], fit_input, pose, settings, rng, past, progress)
        progress.close()
        return outcome

    def _learn(self, X, fit_input, pose, settings, rng, past, progress=None):
        """Train and set the fitted attributes; returns the Outcome."""
        network = self._network(pose, fit_input.data.X.shape[1])
        memory = _begin(network, pose.units, rng, past)
        if past is not None:
            memory = memory.after(fit_input.units.change(past.features))
        if pose.data is None:
            outcome = nothing_learnt(memory)
        else:
            outcome = self._solve(X, fit_input, pose, network, memory, settings, rng, progress)
        refuse_divergence(outcome.memory.theta.sum(), len(outcome.monitor.losses))
        theta, center = outcome.memory.theta, outcome.center
        with at_once(self) as model:
            model._record_parameters(X, fit_input, pose, network, theta, center)
            model._record_history(fit_input, pose, outcome, rng, past)
        return outcome

    def _solve(self, X, fit_input, pose, network, memory, settings, rng, progress):
        problem = Problem(
            pose.data,
            pose.omega if self.balancer is None else _equal(pose.data),
            pose.number,
            network,
            self._penalty_scale
            * network.strengths(self.alpha, self.alpha_shared, self.alpha_specific),
            pose.criterion,
            pose.score,
            pose.constant,
        )

        def report(number, objective, score, theta):
            def record(model):
                model._record_parameters(X, fit_input, pose, network, _backend.to_numpy(theta))

            return progress(number, objective, score, lambda: attributes_after(self, record))

        return train(
            problem,
            memory,
            settings,
            rng,
            dtype=fit_input.dtype,
            balancing=self._balancing(pose, len(fit_input.tasks)),
            perturbation=self.perturbation,
            report=None if progress is None else report,
        )

    def _network(self, pose, n_features):
        return Network(
            (n_features, *check_layers(self.hidden_layer_sizes)),
            self.activation,
            pose.channels,
            pose.n_channels,
            pose.unit_tasks,
            len(pose.tasks),
            bool(np.isfinite(self.alpha_shared)),
            bool(np.isfinite(self.alpha_specific)),
        )

    def _balancing(self, pose, n_tasks):
        """How tasks are balanced, None if they are not."""
        if self.balancer is None:
            return None
        return Balancing(
            resolve_balancer(self.balancer),
            self.gramian == "exact",
            self.update_every,
            pose.tasks,
            n_tasks,
            pose.disagreement,
        )

    def _record_parameters(self, X, fit_input, pose, network, theta, center=None):
        """Set what predictions need; center None: zero, which only unlabelled tasks notice."""
        blocks, to_input = network.views(theta), fit_input.to_input_namespace
        center = np.zeros(network.sizes[-1]) if center is None else center
        self._record_heads(X, fit_input, pose, blocks, center)
        self.coefs_ = [to_input(W) for W in blocks.weights]
        self.intercepts_ = [to_input(c) for c in blocks.biases]

    def _record_history(self, fit_input, pose, outcome, rng, past):
        """Set what tells of the training, and what a later one goes on from."""
        tasks, to_input, monitor = fit_input.tasks, fit_input.to_input_namespace, outcome.monitor
        omega = np.full(len(tasks), np.nan)
        omega[fit_input.labelled] = fit_input.omega
        record = history(tasks, pose.tasks, monitor, omega)
        if past is not None:
            record = past.history.continued(record)
        self.loss_curve_ = to_input(record.losses)
        self.task_weights_path_ = to_input(record.weights)
        self.validation_scores_ = None if record.scores is None else to_input(record.scores)
        used = record.weights[-1] if len(record.weights) else omega
        self.task_weights_ = to_input(np.nan_to_num(used))
        self.n_iter_ = max(1, len(record.losses))
        known = [tasks[t] for t in pose.tasks]
        self._past = Past(
            outcome.memory, pose.units, pose.reading, known, record, rng, fit_input.units
        )


def warn_unless_trained(outcome, way_out):
    """One ConvergenceWarning, said of the line that called `fit`; `way_out`: what else may help."""
    number, (loss, constant) = len(outcome.monitor.losses), outcome.losses
    if not outcome.converged:
        reason = f" ({outcome.message})" if outcome.message else ""
        message = (
            f"training stopped after {number} iterations without convergence{reason}; raise "
            f"max_iter or tol{way_out}."
        )
    elif loss > WORSE * constant > 0 and not outcome.monitor.stopped:
        message = (
            f"training stopped after {number} iterations without improvement at a mean loss of "
            f"{loss:.3g}, above that of constant predictions, {constant:.3g}; change "
            f"learning_rate_init or tol, or raise n_iter_no_change{way_out}."
        )
    else:
        return
    warnings.warn(message, ConvergenceWarning, stacklevel=stack_level())


def _equal(data):
    """Task weights, of mean 1, under which every task counts the same."""
    omega = 1 / data.weight_sums
    return omega / omega.mean()


def _begin(network, units, rng, past):
    """Memory from which a training starts."""
    if past is None:
        return Memory(network, network.initial(rng))
    sizes = past.memory.network.sizes
    if sizes != network.sizes:
        raise ValueError(
            f"hidden_layer_sizes must be those of the training that goes on, {sizes[1:]}, got "
            f"{network.sizes[1:]}."
        )
    number = {unit: k for k, unit in enumerate(units)}
    old = np.array([number[unit] for unit in past.units], dtype=np.intp)  # of none, no floats
    return past.memory.laid_out_for(network, old)
