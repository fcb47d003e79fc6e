"""MultiTaskPerceptronClassifier: a trunk shared by all tasks, linear heads for their classes."""

import numpy as np
from scipy.stats import entropy
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if

from .. import _backend
from .._checks import check_option
from .._classifier import DecisionMixin, MultiTaskClassifierMixin, ProbabilityMixin
from .._input import check_class_weight, weigh_classes
from ._base import PerceptronMixin, is_stochastic
from ._class_coding import named_classes, place, spread, targets
from ._criteria import CLASSIFICATION, classification_criterion
from ._optimizers import STOCHASTIC
from ._pose import Pose, tasks_with_heads


def _has_probabilities(estimator):
    if estimator.loss == "log_loss":
        return True
    raise AttributeError(f"probabilities need loss='log_loss', got loss={estimator.loss!r}.")


class MultiTaskPerceptronClassifier(
    DecisionMixin, ProbabilityMixin, MultiTaskClassifierMixin, PerceptronMixin, BaseEstimator
):
    """Multi-layer perceptron that classifies for related tasks: shared layers, heads of their own.

    Tasks are binary or multiclass, side by side, with class sets of their own. Heads are a shared
    part plus a deviation of the task's own. Without hidden layers it is a shared-plus-specific
    linear model.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of ints >= 1, default=(100,)
        Widths of the hidden layers; (): none, the single-layer perceptron.
    activation : {"identity", "logistic", "tanh", "relu"}, default="relu"
        Of the hidden layers.
    solver : {"adam", "sgd", "lbfgs"}, default="adam"
        "adam" and "sgd", with Nesterov momentum 0.9, train in minibatches; "lbfgs" takes all rows
        at once and suits small data.
    loss : {"log_loss", "hinge", "squared_hinge"}, default="log_loss"
        Only "log_loss" has probabilities. "hinge" has kinks, and so no "lbfgs"; "squared_hinge" is
        not halved. With more than two classes both are sums over the classes, each against the
        others.
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
    class_weight : None, "balanced", dict or list of length n_tasks, default=None
        Factors in (0, inf) of the sample weights by class, 1 for a class that is not named.
        "balanced": within each task, the sum of its weights over the number of its classes and
        the sum of the weights of the class. A list has an entry for each task.
    missing_label : object, default=nan
        The label of a 2-D y that means that none was observed. NaN and None always do, but
        scikit-learn's tools refuse them where their `cv` is an integer or None: give those
        ``cv=MultiTaskKFold()``, or integer labels with ``missing_label=-1``.
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
        parameters. Every task's labels are held out alike, and those of each class.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows to hold out.
    n_iter_no_change : int >= 1 or inf, default=10
        Epochs without improvement after which training ends.
    warm_start : bool, default=False
        Whether `fit` goes on from the parameters of the last fit, with its classes. Features keep
        their units.
    task_column : str or int, default=None
        Name or position of the column of X that holds the task ids (long data). None: wide y.
    unknown_task : {"error", "shared"}, default="error"
        What predict does with an id that fit did not see: refuse it, or use the shared heads.
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
    classes_ : ndarray of shape (n_classes,) or list of n_tasks such arrays
        A list where y is 2-D. Long data: the classes of all tasks.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of each hidden layer; the first reads features in standard units with
        ``standardize=True``.
    intercepts_ : list of ndarray of shape (n_out,)
        Its biases.
    heads_ : ndarray of shape (n_tasks, width), or list
        Coefficients of the last hidden layer's activations, or of the features where there is none
        (in standard units with ``standardize=True``), for the score of each task's second class.
        Where a task has more than two classes: a list of arrays of shape (n_classes of the task,
        width).
    intercept_ : ndarray of shape (n_tasks,), or list of arrays of shape (n_classes of the task,)
    shared_head_ : ndarray of shape (width,) or (n_classes, width)
        Head of a task of which nothing is known. Where a task has more than two classes: one row
        for each class of any task, sorted.
    shared_intercept_ : ndarray of shape () or (n_classes,)
    loss_curve_ : ndarray of shape (n_iter, n_tasks)
        Each task's mean loss in each iteration, NaN where it took no part.
    validation_scores_ : ndarray of shape (n_iter,) or None
        Accuracy on the held-out labels of all tasks together after each epoch, with
        `early_stopping`.
    task_weights_ : ndarray of shape (n_tasks,)
        Weights used last, mean 1 over labelled tasks, under a balancer over those that take part,
        and 0 for the others; negative ones, of the balancers that give any, count by their size in
        that mean. Ones where a balancer's direction is no weighted sum of the gradients.
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
    MultiTaskPerceptron : The regressor; its Notes say more about training under a balancer, and
        with a perturbation.
    skmtl.linear_model.MultiTaskLogisticRegression : The log loss without hidden layers, by Newton's
        method.

    Notes
    -----
    With the representation phi(x), the activations of the last hidden layer, the objective for
    binary tasks, whose second class in sorted order is y = 1, is

    .. math::
        \\sum_t \\omega_t \\sum_i s_{ti} \\, \\ell(y_{ti}, \\phi(x_i)^T (h_0 + u_t) + b_t)
        + \\tfrac12 \\alpha \\sum_l \\|W_l\\|^2
        + \\tfrac12 \\alpha_{shared} \\|h_0\\|^2
        + \\tfrac12 \\alpha_{specific} \\sum_t \\|u_t\\|^2

    with sample weights s (0 where a label is missing) and task weights omega. Where some task has
    more than two classes, every task has a head h_0c + u_tc for each of its classes, the log loss
    is that of their softmax, and the penalties are summed over classes. These are plain sums: with
    ``hidden_layer_sizes=()``, ``loss="log_loss"`` and ``solver="lbfgs"`` this is
    :class:`~skmtl.linear_model.MultiTaskLogisticRegression` with the same alphas and `standardize`,
    and for one task `alpha` means what it means to :class:`sklearn.neural_network.MLPClassifier` on
    a full batch, behind a StandardScaler with ``standardize=True``.
    The hinge of a binary label is max(0, 1 - (2 y - 1) z) at the score z, and "squared_hinge" its
    square: without hidden layers and with one alpha inf, for one task, the other is 1 / C of
    scikit-learn's SVC and, but for the intercept, LinearSVC.
    The solvers see the objective divided by the sum of all weights; in a minibatch the penalties
    count by its share of that sum.

    A task that has labels of one class only predicts that class, and a warning says so; it takes
    no part in the training. Tasks without labels, and unseen ones with ``unknown_task="shared"``,
    have the most frequent set of classes of the others.

    References
    ----------
    .. [1] Caruana, R. (1997). Multitask learning. Machine Learning 28.
    .. [2] Kingma, D. and Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl import MultiTaskPerceptronClassifier
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> Y = np.column_stack([X[:, 0] > 0, abs(X[:, 0]) > 0.5]).astype(float)
    >>> Y[::2, 0] = np.nan
    >>> model = MultiTaskPerceptronClassifier((10,), "tanh", solver="lbfgs", random_state=0)
    >>> model.fit(X, Y).predict([[-0.8], [0.2], [0.9]])
    array([[0., 1.],
           [1., 0.],
           [1., 1.]])
    """

    _penalty_scale = 0.5

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        loss="log_loss",
        alpha=1e-4,
        alpha_shared=1.0,
        alpha_specific=1.0,
        task_weight=None,
        class_weight=None,
        missing_label=np.nan,
        balancer=None,
        gramian="features",
        update_every=1,
        perturbation=None,
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
        self.class_weight = class_weight
        self.missing_label = missing_label
        self.balancer = balancer
        self.gramian = gramian
        self.update_every = update_every
        self.perturbation = perturbation
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
            Class labels; `missing_label`, NaN or None in a 2-D y marks one that was not observed.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies: weight 2 is the row (or label) twice, weight 0 leaves it out.

        Returns
        -------
        self : MultiTaskPerceptronClassifier

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
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on X and y, going on from where the last training ended.

        It is an epoch of `fit` on this batch: penalties count against its labels. Means and
        deviations of the features are those of all rows so far; where a batch changes them, the
        first layer and the solver's state change so that the network stays the function it was.
        Not for ``solver="lbfgs"``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column if `task_column` is set; new task ids may appear.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Class labels; `missing_label`, NaN or None in a 2-D y marks one that was not observed.
        classes : array-like of shape (n_classes,), or list of n_tasks such arrays, optional
            All classes that tasks will have, read in the first call only; None: those in the first
            batch. A task of which that batch has one class takes part from the batch that has
            another of them; new task ids get the most frequent set of classes.
        sample_weight : array-like of shape (n_samples,) or (n_samples, n_tasks), optional
            Frequencies.

        Returns
        -------
        self : MultiTaskPerceptronClassifier

        Raises
        ------
        ValueError
            If a parameter, X, y or sample_weight is out of range or of the wrong shape, or they
            differ in their columns from earlier batches, or a label is none of its task's classes.
        TypeError
            If a parameter is of the wrong type.
        """
        return self._fit_batch(X, y, sample_weight, classes)

    @available_if(_has_probabilities)
    def predict_proba(self, X):
        """Probability of each class, of every task or of each row's own task.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            With the task column where the model was fitted with one.

        Returns
        -------
        array of shape (n_samples, n_classes), or list of n_tasks such arrays
            A list where y was 2-D in `fit`; columns in the order of `classes_`. Long data: the
            classes of all tasks, zero where a row's task lacks one.

        Raises
        ------
        AttributeError
            If the loss is not "log_loss".
        NotFittedError
            If `fit` was not called.
        ValueError
            If a task id was not seen in `fit` and ``unknown_task="error"``.
        """
        return super().predict_proba(X)

    @available_if(_has_probabilities)
    def predict_log_proba(self, X):
        """Logarithm of `predict_proba`, -inf where a task lacks a class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        array of shape (n_samples, n_classes), or list of n_tasks such arrays

        Raises
        ------
        AttributeError
            If the loss is not "log_loss".
        """
        return super().predict_log_proba(X)

    def _check_params(self):
        check_option("loss", self.loss, tuple(CLASSIFICATION))
        check_class_weight(self.class_weight)
        settings = super()._check_params()
        if self.loss == "hinge" and self.solver not in STOCHASTIC:
            raise ValueError(
                f"loss='hinge' needs solver='adam' or 'sgd', got solver={self.solver!r}: it has "
                "kinks, at which line searches end; 'squared_hinge' has none."
            )
        return settings

    def _pose(self, fit_input, past, named=None):
        """Targets for the classes, and heads for those of each task that takes part."""
        classes, fitted = self._coded(fit_input, past, named)
        tasks, number, _ = tasks_with_heads(fitted, past)
        layout = classes.units(tasks)
        sizes = np.array([len(channels) for channels in layout.channels], dtype=np.intp)
        data, disagreement = fitted.data, None
        if data is not None:
            data = weigh_classes(
                data, fitted.labelled, fitted.tasks, classes.values, self.class_weight
            )
            data = targets(data, fitted.labelled, classes)
        criterion = classification_criterion(self.loss, None if classes.is_binary else sizes)
        if data is not None and self.balancer is not None and self.loss == "log_loss":
            disagreement = np.zeros(len(tasks))
            disagreement[number] = entropies(data)
        return Pose(
            data=data,
            omega=fitted.omega,
            tasks=tasks,
            number=number,
            units=[
                (fitted.tasks[t], int(k))
                for t, own in zip(tasks, layout.positive, strict=True)
                for k in own
            ],
            channels=np.concatenate([*layout.channels, np.zeros(0, dtype=np.intp)]).astype(np.intp),
            unit_tasks=np.repeat(np.arange(len(tasks)), sizes),
            n_channels=layout.n_channels,
            criterion=criterion,
            score=_accuracy(criterion),
            reading=classes,
            constant=np.zeros(int(sizes.sum())),
            disagreement=disagreement,
        )

    def _coded(self, fit_input, past, named):
        """(TaskClasses, FitInput of the tasks that take part)."""
        tasks = fit_input.tasks
        if past is not None:
            return place(fit_input, spread(past.reading, self.tasks_, tasks))
        if named is not None:
            return place(fit_input, named_classes(named, tasks, self.missing_label))
        return self._separate(fit_input, models_only=False)

    def _record_heads(self, X, fit_input, pose, blocks, center):
        """Set heads and intercepts of each task's classes; without training, the shared ones."""
        classes, to_input = pose.reading, fit_input.to_input_namespace
        shared, b = blocks.shared, blocks.intercepts
        H = blocks.specific + shared[pose.channels]
        if self.loss == "log_loss" and not classes.is_binary:
            # softmax does not see a constant that all classes of a task have: levels of mean zero
            b = b - _mean_over(pose.unit_tasks, b + H @ center, len(pose.tasks))[pose.unit_tasks]
        b0 = _mean_over(pose.channels, b + H @ center, pose.n_channels) - shared @ center
        heads, intercepts = [], []
        own = dict(zip(pose.tasks.tolist(), range(len(pose.tasks)), strict=True))
        for t in range(len(fit_input.tasks)):
            if t in own:
                units = pose.unit_tasks == own[t]
                heads.append(H[units])
                intercepts.append(b[units])
            else:
                heads.append(shared[classes.channels_of(t)])
                intercepts.append(b0[classes.channels_of(t)])
        self._record_classes(X, fit_input, classes)
        if classes.is_binary:
            self.heads_ = to_input(np.concatenate(heads))
            self.intercept_ = to_input(np.concatenate(intercepts))
            self.shared_head_, self.shared_intercept_ = to_input(shared[0]), to_input(b0[0])
        else:
            self.heads_ = list(map(to_input, heads))
            self.intercept_ = list(map(to_input, intercepts))
            self.shared_head_, self.shared_intercept_ = to_input(shared), to_input(b0)

    def _validate_query(self, X, method):
        """The representation, which scores are read from, in place of the features."""
        X, codes = super()._validate_query(X, method)
        return self._represent(X, method), codes

    def _task_scores(self, A, t):
        if t >= 0 and isinstance(self.heads_, list):
            H, b = self.heads_[t], self.intercept_[t]
        elif t >= 0:
            H, b = self.heads_[t : t + 1, :], self.intercept_[t : t + 1]
        elif self._task_classes.is_binary:
            H, b = self.shared_head_[None, :], self.shared_intercept_
        else:
            channels = self._task_classes.channels_of(-1)
            H = _backend.take(self.shared_head_, channels)
            b = _backend.take(self.shared_intercept_, channels)
        return _backend.to_numpy(A @ H.T + b)

    def _scores_by_task(self, A):
        if isinstance(self.heads_, list):
            return super()._scores_by_task(A)
        Z = _backend.to_numpy(A @ self.heads_.T + self.intercept_)
        return [Z[:, t : t + 1] for t in range(self.n_tasks_)]


def _mean_over(groups, values, n_groups):
    """Mean of the values of each group, by its number, 0 where a group has none."""
    counts = np.bincount(groups, minlength=n_groups)
    return np.bincount(groups, values, n_groups) / np.maximum(counts, 1)


def entropies(data):
    """Log loss of each task's labels under their own frequencies."""
    labels, y = data.labels, data.labels.y.astype(np.intp)
    size = int(y.max()) + 1
    sums = np.bincount(labels.task * size + y, labels.s, data.n_tasks * size)
    return entropy(sums.reshape(-1, size), axis=1)


def _accuracy(criterion):
    """Score of a Problem: the share of all labels that is hit, NaN if a score is not finite."""

    def score(rows, Z):
        if not np.isfinite(_backend.to_numpy(Z)).all():
            return np.nan
        xp = _backend.namespace_of(Z)
        return float(xp.sum(rows.V * criterion.hits(rows, Z))) / rows.total

    return score
