"""MultiTaskPerceptron: a trunk shared by all tasks, a linear head for each."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.metaestimators import available_if

from .. import _backend
from .._checks import check_flag
from .._data import label_moments
from ._base import PerceptronMixin, is_stochastic
from ._criteria import regression_criterion
from ._pose import Pose, tasks_with_heads
from ._scaling import plain_units, target_units


class MultiTaskPerceptron(PerceptronMixin, RegressorMixin, BaseEstimator):
    """Multi-layer perceptron for related tasks: shared hidden layers, a linear head for each task.

    Heads are a shared part plus a deviation of the task's own. Without hidden layers it is a
    shared-plus-specific linear model.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of ints >= 1, default=(100,)
        Widths of the hidden layers; (): none, the single-layer perceptron.
    activation : {"identity", "logistic", "tanh", "relu"}, default="relu"
        Of the hidden layers.
    solver : {"adam", "sgd", "lbfgs"}, default="adam"
        "adam" and "sgd", with Nesterov momentum 0.9, train in minibatches; "lbfgs" takes all rows
        at once and suits small data.
    loss : {"squared_error", "huber"} or object, default="squared_error"
        Of a label y and a prediction z: (y - z)^2, or with "huber" the same up to a residual of
        1.35, then linear, in units of the standard deviation of the task's labels where
        `scale_targets`. An object has `value(y, z)` and `gradient(y, z)`, which are doubled.
    alpha : float in [0, inf), default=1e-4
        Strength on the weights of the hidden layers.
    alpha_shared : float in (0, inf], default=1.0
        Strength on the shared part of the heads. inf: none is shared.
    alpha_specific : float in (0, inf], default=1.0
        Strength on the deviations of the heads. inf: all tasks have one head, up to intercepts.
    task_weight : None, "balanced" or array-like of shape (n_tasks,), default=None
        Weight of each task in the objective, in the order of `tasks_`, used normalised to mean 1
        over labelled tasks. "balanced" counts every task the same whatever its number of labels.
        Weight 0 means that the task's labels are not used. None with a `balancer`.
    balancer : None, str or Balancer, default=None
        Weighs the tasks anew as training goes on: a name in `skmtl.balancing.BALANCERS`, or
        such an object. None: the objective's own weights.
    gramian : {"features", "exact"}, default="features"
        Which gradients a balancer sees: at the last hidden layer, where their inner products have
        a closed form and cost next to nothing, or in all shared parameters. Tasks on rows of their
        own (long data) have no inner products at the hidden layer: only "exact" sees conflicts
        between them. Balancers that need the gradients themselves always get the exact ones.
    update_every : int >= 1, default=1
        Steps from one weighing of the tasks by a balancer to the next; each call of `partial_fit`
        begins with one. 1 with balancers whose direction is no weighted sum of the gradients.
    perturbation : None or SharpnessAware, default=None
        Where "adam" and "sgd" take the tasks' gradients: at a distance from the parameters, a step
        uphill. None: at the parameters. See Notes for what it costs.
    scale_targets : bool, default=True
        Whether to train on labels in units of their own task, of mean 0 and standard deviation 1.
        Without it step sizes are in units of y.
    standardize : bool, default=True
        Whether to train on features in standard units, of mean 0 and standard deviation 1 over the
        observed labels; held-out rows are among those that are measured. Predictions take X in its
        own units either way.
    batch_size : int >= 1 or "auto", default="auto"
        Rows of a minibatch, at most all of them; "auto" is 200.
    learning_rate_init : float in (0, inf), default=0.001
        Step size of "adam" and "sgd".
    max_iter : int >= 1, default=200
        Most epochs, or iterations of "lbfgs".
    shuffle : bool, default=True
        Whether to draw new minibatches in each epoch. Rows of long data lie sorted by task.
    tol : float in [0, inf), default=1e-4
        Training ends when the objective, or with `early_stopping` the score, has not improved by
        more than `tol` in `n_iter_no_change` epochs; "lbfgs" when no derivative exceeds `tol`.
    early_stopping : bool, default=False
        Whether "adam" and "sgd" hold out rows and stop by the score on them, keeping the best
        parameters. Every task's labels are held out alike.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows to hold out.
    n_iter_no_change : int >= 1 or inf, default=10
        Epochs without improvement after which training ends.
    warm_start : bool, default=False
        Whether `fit` goes on from the parameters of the last fit. Features and targets keep their
        units.
    task_column : str or int, default=None
        Name or position of the column of X that holds the task ids (long data). None: wide y.
    unknown_task : {"error", "shared"}, default="error"
        What predict does with an id that fit did not see: refuse it, or use the shared head.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where NumPy input is computed; arrays of other array-API libraries are computed where they
        lie. "auto" takes a GPU through cupy if there is one and the work is worth the transfer.
    random_state : int, RandomState instance or None, default=None
        Draws initial weights, minibatches and held-out rows, in the order of rows and columns. An
        int gives the same model each time.
    verbose : bool or int, default=False
        Whether `fit` writes a line after each iteration.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of each hidden layer; the first reads features in standard units with
        ``standardize=True``.
    intercepts_ : list of ndarray of shape (n_out,)
        Its biases.
    heads_ : ndarray of shape (n_tasks, width)
        Coefficients of the last hidden layer's activations, or of the features where there is none
        (in standard units with ``standardize=True``), in the units of y.
    intercept_ : ndarray of shape (n_tasks,)
    shared_head_ : ndarray of shape (width,)
        Head of a task of which nothing is known.
    shared_intercept_ : ndarray of shape ()
    loss_curve_ : ndarray of shape (n_iter, n_tasks)
        Each task's mean loss in each iteration, in the units of training, NaN where it had no
        labels.
    validation_scores_ : ndarray of shape (n_iter,) or None
        R2 on the held-out labels of all tasks together, about each task's mean, after each epoch,
        with `early_stopping`.
    task_weights_ : ndarray of shape (n_tasks,)
        Weights used last, mean 1 over labelled tasks and 0 for the others; negative ones, of the
        balancers that give any, count by their size in that mean. Ones where a balancer's direction
        is no weighted sum of the gradients.
    task_weights_path_ : ndarray of shape (n_iter, n_tasks)
        Weights in each iteration, their mean over its steps where there is a balancer, NaN where a
        task had no labels.
    tasks_ : list
        Task ids, sorted, or column names of y.
    n_tasks_ : int
    n_iter_ : int
        Epochs or iterations, those of earlier trainings that this one went on from included; 1
        where there was nothing to learn.
    n_features_in_ : int
        Columns of X, the task column included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Where X has column names.
    mean_, scale_ : ndarray of shape (n_features,)
        Means and standard deviations of the features, with ``standardize=True``: those of all
        batches of `partial_fit`, and of the first fit of a warm start.

    See Also
    --------
    skmtl.linear_model.MultiTaskRidge : The model without hidden layers, by an exact solver.

    Notes
    -----
    With the representation phi(x), the activations of the last hidden layer, the objective is

    .. math::
        \\sum_t \\omega_t \\sum_i s_{ti} \\, (y_{ti} - \\phi(x_i)^T (h_0 + u_t) - b_t)^2
        + \\alpha \\sum_l \\|W_l\\|^2
        + \\alpha_{shared} \\|h_0\\|^2 + \\alpha_{specific} \\sum_t \\|u_t\\|^2

    with sample weights s (0 where a label is missing) and task weights omega. These are plain sums:
    with ``hidden_layer_sizes=()``, ``scale_targets=False`` and ``solver="lbfgs"`` this is
    :class:`~skmtl.linear_model.MultiTaskRidge` with the same alphas and `standardize`, and for one
    task `alpha` means what it means to :class:`sklearn.neural_network.MLPRegressor` on a full
    batch, behind a StandardScaler with ``standardize=True``. The solvers see the objective divided
    by the sum of all weights; in a minibatch the penalties count by its share of that sum, so that
    their strength does not depend on `batch_size`.

    Under a balancer every task's loss is its mean over the observed labels of the batch, and the
    shared parameters (hidden layers and h_0) follow the gradients as the balancer weighs them,
    scaled to the length of the mean gradient, by no more than ten times a convex combination;
    `heads` follow their own task's gradient, weighted if the balancer's `scale_heads` says so.
    Penalties are no task: their gradients are added afterwards. Tasks without labels in a batch
    are passed over and keep their state. A balancer whose direction is no weighted sum of the
    gradients is followed in its direction, at the length of the mean gradient. One that asks how
    its last weights did is told the losses under the parameters now of the batch that it weighed
    last, at the price of a forward pass, and of the batch at hand for tasks without labels there.

    A `perturbation` takes task t's gradient where the shared parameters, and its own head, are
    moved by `rho`; losses are those where they are. With "f_mtl" balancers see gradients and flat
    parts in turn, and keep a state for each; flat parts are always compared in all shared
    parameters. In a step "f_mtl" makes 1 + T forward and 2 T backward passes for T tasks, and
    "samo" T + 3 and T + 1, where 1 of each would do; in long data those of a task run over its own
    rows alone, so that all T together cost as much as one. Without hidden layers the squared error
    is equally sharp everywhere: there it only shrinks the coefficients, as penalties do for less.

    With ``standardize=True`` x are features in standard units, weighted as the observed labels are:
    a weight of 2 is a row twice. So the units in which features come change predictions by rounding
    alone, which grows without bound only where "lbfgs" is stopped far from convergence. A sparse X
    is centred without being filled, and its training is that of the dense X. What a balancer
    remembers of gradients stays in the units of earlier batches.

    `fit` warns where it ends unconverged, or at a mean loss a tenth above that of constant
    predictions.

    Weights are frequencies: with a full batch, weight 2 equals a row twice. Minibatches hold rows,
    whatever their weights. "adam" and "sgd" compute in X's type, "lbfgs" in float64.

    All heads begin alike, so the order of the tasks matters to balancers that draw at random alone;
    the hidden layers begin as MLPRegressor's do [1]_.

    References
    ----------
    .. [1] Glorot, X. and Bengio, Y. (2010). Understanding the difficulty of training deep
       feedforward neural networks. AISTATS.
    .. [2] Kingma, D. and Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.
    .. [3] Caruana, R. (1997). Multitask learning. Machine Learning 28.
    .. [4] Sener, O. and Koltun, V. (2018). Multi-task learning as multi-objective optimization.
       NeurIPS, section 3.3, for gradients at the representation.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl import MultiTaskPerceptron
    >>> X = np.linspace(-3, 3, 60)[:, None]
    >>> Y = np.column_stack([np.sin(X[:, 0]), 10 * np.sin(X[:, 0]) + 2])
    >>> Y[::2, 1] = np.nan
    >>> model = MultiTaskPerceptron(
    ...     (10,), "tanh", solver="lbfgs", alpha_shared=0.1, tol=1e-3, random_state=0
    ... ).fit(X, Y)
    >>> model.score(X, Y) > 0.95
    True
    >>> model.hidden_representation(X).shape
    (60, 10)
    """

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        loss="squared_error",
        alpha=1e-4,
        alpha_shared=1.0,
        alpha_specific=1.0,
        task_weight=None,
        balancer=None,
        gramian="features",
        update_every=1,
        perturbation=None,
        scale_targets=True,
        standardize=True,
        batch_size="auto",
        learning_rate_init=1e-3,
        max_iter=200,
        shuffle=True,
        tol=1e-4,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        warm_start=False,
        task_column=None,
        unknown_task="error",
        device="auto",
        random_state=None,
        verbose=False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.loss = loss
        self.alpha = alpha
        self.alpha_shared = alpha_shared
        self.alpha_specific = alpha_specific
        self.task_weight = task_weight
        self.balancer = balancer
        self.gramian = gramian
        self.update_every = update_every
        self.perturbation = perturbation
        self.scale_targets = scale_targets
        self.standardize = standardize
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.task_column = task_column
        self.unknown_task = unknown_task
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None):
        """Train on X and y.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column if `task_column` is set.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            NaN in a 2-D y marks a label that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies: weight 2 is the row (or label) twice, weight 0 leaves it out.

        Returns
        -------
        self : MultiTaskPerceptron

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape, or the
            training diverges.
        TypeError
            If a parameter is of the wrong type.
        """
        return self._fit_whole(X, y, sample_weight)

    @available_if(is_stochastic)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on X and y, going on from where the last training ended.

        It is an epoch of `fit` on this batch: penalties count against its labels. A task's units
        are those of the first batch with a label of it. Means and deviations of the features are
        those of all rows so far; where a batch changes them, the first layer and the solver's state
        change so that the network stays the function it was. A feature that was constant so far
        is taken in the unit that it turns out to have. Not for ``solver="lbfgs"``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column if `task_column` is set; new task ids may appear.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            NaN in a 2-D y marks a label that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies.

        Returns
        -------
        self : MultiTaskPerceptron

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape, or they
            differ in their columns from earlier batches.
        TypeError
            If a parameter is of the wrong type.
        """
        return self._fit_batch(X, y, sample_weight)

    def predict(self, X):
        """Predict the labels of every task, or of each row's own task.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column where the model was fitted with one.

        Returns
        -------
        array of shape (n_samples,) or (n_samples, n_tasks)
            As y was in `fit`; one label a row for long data.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If a task id was not seen in `fit` and ``unknown_task="error"``.
        """
        X, codes = self._validate_predict(X)
        A = self._represent(X, "predict")
        own, shared = (self.heads_, self.intercept_), (self.shared_head_, self.shared_intercept_)
        return self._linear_predictions(A, codes, own, shared)

    def _check_params(self):
        check_flag("scale_targets", self.scale_targets)
        regression_criterion(self.loss)
        return super()._check_params()

    def _pose(self, fit_input, past):
        """The labels in the units of training, and a head for each task that has or had some."""
        data = fit_input.data
        tasks, number, old = tasks_with_heads(fit_input, past)
        if not self.scale_targets:
            units = plain_units(data.n_tasks)
        else:
            units = target_units(data, None if past is None else past.reading.pooled_scale)
        if past is not None:
            units = past.reading.joined(units, old, number, len(tasks))
        scaled = units.select(number).scaled(data)
        constant, disagreement = np.zeros((2, len(tasks)))
        constant[number], std = label_moments(scaled)[:2]
        disagreement[number] = std**2
        knows = self.balancer is not None and self.loss == "squared_error"
        one_head_each = np.arange(len(tasks))
        return Pose(
            data=scaled,
            omega=fit_input.omega,
            tasks=tasks,
            number=number,
            units=[fit_input.tasks[t] for t in tasks],
            channels=np.zeros_like(one_head_each),
            unit_tasks=one_head_each,
            n_channels=1,
            criterion=regression_criterion(self.loss),
            score=_pooled_r2,
            reading=units,
            constant=constant,
            disagreement=disagreement if knows else None,
        )

    def _record_heads(self, X, fit_input, pose, blocks, center):
        """Set heads and intercepts in the units of y; tasks without labels get the shared ones."""
        units, to_input = pose.reading, fit_input.to_input_namespace
        h0, H = blocks.shared[0, :], blocks.specific + blocks.shared
        b0 = (blocks.intercepts + H @ center).mean() - h0 @ center
        scale = np.append(units.scale, units.pooled_scale)
        mean = np.append(units.mean, units.pooled_mean)
        H = scale[:, None] * np.vstack([H, h0])
        b = scale * np.append(blocks.intercepts, b0) + mean
        source = np.full(len(fit_input.tasks), -1)
        source[pose.tasks] = np.arange(len(pose.tasks))
        self._record_input(X, fit_input)
        self.heads_, self.intercept_ = to_input(H[source]), to_input(b[source])
        self.shared_head_, self.shared_intercept_ = to_input(H[-1]), to_input(b[-1])


def _pooled_r2(rows, Z):
    """R2 of the labels of all tasks together, about each task's mean; NaN if one is not finite.

    The mean of the tasks' own R2 would be that of the smallest tasks, whose few labels vary little.
    """
    y, V = rows.to_host()
    totals = rows.by_task(V)
    means = rows.by_task(V * y) / np.where(totals > 0, totals, 1)
    around = y - rows.weighted(np.ones_like(y), means)
    several = rows.counts() > 1
    left, all_ = (
        float(rows.by_task(V * e * e)[several].sum()) for e in (y - _backend.to_numpy(Z), around)
    )
    if not np.isfinite(left):
        return np.nan
    return 1 - left / all_ if all_ > 0 else -left
