"""The learning problem in the proportional limit: tasks, teacher, loss and penalty as numbers.

min_W  sum_t rho_t/n_t sum_i loss(y_ti, x_ti'w_t) + 1/2 tr(W' Omega W),   n_t/p -> alpha_t
"""

from dataclasses import KW_ONLY, dataclass, replace

import numpy as np
from sklearn.utils import check_random_state

from .._checks import check_count, check_option
from ._channel import channel
from ._checks import check_fraction, check_per_task, check_psd, check_spectrum
from ._losses import LOSS_NAMES, MARGIN_LOSSES, RESIDUAL_LOSSES
from ._teachers import TEACHERS


@dataclass(frozen=True, eq=False)
class AsymptoticProblem:
    """Shared-plus-specific learning of several tasks in the limit of many rows and features.

    The rows of the tasks are independent, their features Gaussian with mean zero, and the model has
    no intercept. Every task has a teacher, a linear function of the features and possibly of others
    that the learner does not see.

    Parameters
    ----------
    sample_ratio : float in (0, inf) or array-like of shape (n_tasks,)
        Rows of each task over features, n_t / p. Scalars stand for all tasks, here and below.
    gram : array-like of shape (n_tasks, n_tasks)
        Inner products of the true coefficients of the seen features, symmetric and positive
        semi-definite; see :func:`task_gram`.
    teacher : {"linear", "sign", "logistic"}, default="linear"
        Label given the teacher's value s: s plus Gaussian noise, the sign of s, or 1 with
        probability 1/(1 + exp(-s)) and else -1.
    loss : str, default="squared_error"
        With the linear teacher "squared_error" (halved), "huber" (quadratic up to 1.35) or
        "absolute_error"; with the others "squared_error" on -1 and 1, "log_loss", "hinge" or
        "squared_hinge" (not halved).
    hidden_energy : float in [0, inf) or array-like of shape (n_tasks,), default=0.0
        Variance of the part of s that comes from features the learner does not see.
    noise_var : float in [0, inf) or array-like of shape (n_tasks,), default=0.0
        Variance of the noise of the linear teacher.
    flip_proba : float in [0, 0.5] or array-like of shape (n_tasks,), default=0.0
        Probability that a label of the other teachers is flipped.
    penalty_matrix : array-like of shape (n_tasks, n_tasks)
        Omega, symmetric and positive semi-definite; see :func:`penalty_matrix`.
    loss_weight : float in (0, inf) or array-like of shape (n_tasks,), default=1.0
        Factor rho_t of each task's mean loss.
    spectrum : None or (eigenvalues, weights), default=None
        Eigenvalues of the features' covariance, in (0, inf), and the fractions of features that
        have them, which sum to 1. The true coefficients spread evenly over eigenvectors. None:
        uncorrelated features of variance 1.

    Attributes
    ----------
    n_tasks : int

    Raises
    ------
    ValueError
        If a value is out of its range, a matrix not positive semi-definite, or the loss does not go
        with the teacher.
    TypeError
        If a value is no number.

    See Also
    --------
    predict_risk : Training and generalisation error.
    ridgeless_risk : The limit of a vanishing penalty.

    Notes
    -----
    The learner minimises

    .. math::
        \\sum_t \\frac{\\rho_t}{n_t} \\sum_i loss(y_{ti}, x_{ti}^T w_t)
        + \\tfrac12 tr(W^T \\Omega W)

    and the number of features p grows with the n_t at fixed ratios and a fixed number of tasks.

    Examples
    --------
    >>> from skmtl.asymptotics import AsymptoticProblem, penalty_matrix, predict_risk, task_gram
    >>> problem = AsymptoticProblem(
    ...     sample_ratio=0.5,
    ...     gram=task_gram(5, similarity=0.8),
    ...     noise_var=0.1,
    ...     penalty_matrix=penalty_matrix(5, alpha_shared=0.1, alpha_specific=1.0),
    ... )
    >>> predict_risk(problem).generalization_error.round(3)
    array([0.35, 0.35, 0.35, 0.35, 0.35])
    """

    sample_ratio: np.ndarray
    gram: np.ndarray
    _: KW_ONLY
    teacher: str = "linear"
    loss: str = "squared_error"
    hidden_energy: np.ndarray = 0.0
    noise_var: np.ndarray = 0.0
    flip_proba: np.ndarray = 0.0
    penalty_matrix: np.ndarray
    loss_weight: np.ndarray = 1.0
    spectrum: tuple | None = None

    def __post_init__(self):
        gram = check_psd("gram", self.gram)
        T = len(gram)
        check_option("teacher", self.teacher, TEACHERS)
        check_option("loss", self.loss, LOSS_NAMES)
        checked = {
            "gram": gram,
            "penalty_matrix": check_psd("penalty_matrix", self.penalty_matrix, T),
            "sample_ratio": check_per_task("sample_ratio", self.sample_ratio, T),
            "loss_weight": check_per_task("loss_weight", self.loss_weight, T),
            "hidden_energy": check_per_task("hidden_energy", self.hidden_energy, T, least=0.0),
            "noise_var": check_per_task("noise_var", self.noise_var, T, least=0.0),
            "flip_proba": check_per_task("flip_proba", self.flip_proba, T, least=0.0, most=0.5),
            "spectrum": check_spectrum(self.spectrum),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        self._check_teacher()

    def _check_teacher(self):
        losses = RESIDUAL_LOSSES if self.teacher == "linear" else MARGIN_LOSSES
        if self.loss not in losses:
            raise ValueError(
                f"loss must be one of {sorted(losses)} with teacher={self.teacher!r}, got "
                f"{self.loss!r}."
            )
        foreign = "flip_proba" if self.teacher == "linear" else "noise_var"
        if getattr(self, foreign).any():
            instead = "noise_var" if self.teacher == "linear" else "flip_proba or hidden_energy"
            raise ValueError(
                f"{foreign} must be 0 with teacher={self.teacher!r}, got "
                f"{getattr(self, foreign).max():g}; use {instead}."
            )
        label_var = self.teacher_var + self.noise_var
        if not label_var.all():
            raise ValueError(
                f"gram, hidden_energy or noise_var must be positive for task "
                f"{int(np.argmin(label_var))}: its teacher is zero and its labels tell nothing."
            )

    @property
    def n_tasks(self):
        """Number of tasks."""
        return len(self.gram)

    @property
    def eigenvalues(self):
        """Eigenvalues of the features' covariance, of shape (n_eigenvalues,)."""
        return np.ones(1) if self.spectrum is None else self.spectrum[0]

    @property
    def eigenvalue_weights(self):
        """Fractions of the features that have them, of shape (n_eigenvalues,)."""
        return np.ones(1) if self.spectrum is None else self.spectrum[1]

    @property
    def seen_var(self):
        """Variance of the part of each teacher that the learner sees, of shape (n_tasks,)."""
        return self.eigenvalue_weights @ self.eigenvalues * np.diag(self.gram)

    @property
    def teacher_var(self):
        """Variance of each teacher's value, of shape (n_tasks,)."""
        return self.seen_var + self.hidden_energy

    def n_rows(self, n_features):
        """Rows of each task beside that many features.

        Parameters
        ----------
        n_features : int
            At least 1, and such that the rows are whole numbers.

        Returns
        -------
        ndarray of int of shape (n_tasks,)
        """
        rows = self.sample_ratio * check_count("n_features", n_features)
        whole = np.rint(rows).astype(int)
        off = (np.abs(rows - whole) > 1e-6) | (whole == 0)
        if off.any():
            t = int(np.argmax(off))
            raise ValueError(
                f"sample_ratio * n_features must be a whole number of rows, got {rows[t]:.6g} for "
                f"task {t}; choose another n_features."
            )
        return whole

    def error_of(self, overlap, norm2):
        """Generalisation error of any coefficients w_t, trained or not.

        Parameters
        ----------
        overlap, norm2 : array-like of shape (n_tasks,)
            w_t' Sigma beta_t and w_t' Sigma w_t.

        Returns
        -------
        ndarray of shape (n_tasks,)
            As in :class:`RiskPrediction`.
        """
        return channel(self).test_error(np.asarray(overlap), np.asarray(norm2))

    def sample_labels(self, values, task, random_state=None):
        """Draw labels of rows whose teachers' seen parts are given.

        Parameters
        ----------
        values : ndarray of shape (n_samples,)
            x' beta_t of each row.
        task : ndarray of int of shape (n_samples,)
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        rng = check_random_state(random_state)
        s = values + np.sqrt(self.hidden_energy[task]) * rng.standard_normal(len(values))
        if self.teacher == "linear":
            return s + np.sqrt(self.noise_var[task]) * rng.standard_normal(len(values))
        flipped = self.flip_proba[task]
        positive = flipped + (1 - 2 * flipped) * TEACHERS[self.teacher].probability(s)
        return np.where(rng.random_sample(len(values)) < positive, 1.0, -1.0)

    def with_tasks(self, tasks):
        """The problem of some of the tasks, or of all in another order.

        Parameters
        ----------
        tasks : array-like of int of shape (n_kept,)
            Numbers of the tasks.

        Returns
        -------
        AsymptoticProblem
        """
        per_task = "sample_ratio", "loss_weight", "hidden_energy", "noise_var", "flip_proba"
        matrices = "gram", "penalty_matrix"
        return replace(
            self,
            **{name: getattr(self, name)[tasks] for name in per_task},
            **{name: getattr(self, name)[np.ix_(tasks, tasks)] for name in matrices},
        )

    def with_features(self, fraction):
        """The same rows seen through a random part of the features.

        Parameters
        ----------
        fraction : float in (0, 1]
            Part of the features that stay. What the others told of the teacher becomes
            `hidden_energy`.

        Returns
        -------
        AsymptoticProblem
        """
        fraction = check_fraction("fraction", fraction, least=0.0, open_below=True)
        return replace(
            self,
            sample_ratio=self.sample_ratio / fraction,
            gram=fraction * self.gram,
            hidden_energy=self.hidden_energy + (1 - fraction) * self.seen_var,
        )
