"""What penalties declare, for solvers to read: a penalty overrides what holds for it."""

import numpy as np
from sklearn.base import BaseEstimator

from .._backend import Array, namespace_of
from .._checks import check_strength


class Penalty(BaseEstimator):
    """A penalty on the coefficients W (n_tasks, n_features): parameters, `value` and capabilities.

    A subclass has `value(W)` and at least one of

    - ``prox(W, step)``, the minimiser over V of step * penalty(V) + ||V - W||^2 / 2, as a new
      array; where `separates_features` a step may be given for each feature;
    - ``precision(n_tasks)``, Omega of a quadratic penalty 1/2 tr(W' Omega W), positive
      semidefinite;

    It may have ``dual_norm(G)``, where it is a number `alpha` times a norm: the least alpha at
    which zero is optimal where the gradient at zero is G, from which solvers know a duality gap;
    and ``of_others(W, labelled, n_tasks)``, coefficients of tasks without labels that are better
    than `shared`.

    Attributes
    ----------
    strengths : tuple of str
        The parameters that scale it.
    is_convex : bool
    rotation_invariant : bool
        Whether its value stays as it is where features are rotated, W Q' in place of W.
    separates_features : bool
        Whether it is a sum over features.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.penalties import Penalty
    >>> class NonNegative(Penalty):
    ...     strengths, separates_features = (), True
    ...
    ...     def value(self, W):
    ...         return 0.0 if (W >= 0).all() else np.inf
    ...
    ...     def prox(self, W, step):
    ...         return np.maximum(W, 0.0)
    >>> NonNegative().prox(np.array([[1.0, -2.0]]), 1.0)
    array([[1., 0.]])
    """

    strengths: tuple[str, ...] = ("alpha",)
    is_convex = True
    rotation_invariant = False
    separates_features = False

    @property
    def has_gap(self) -> bool:
        """Whether it is a positive number `alpha` times a norm whose dual is known."""
        return hasattr(self, "dual_norm") and getattr(self, "alpha", 0.0) > 0

    def check(self) -> None:
        """Refuse strengths outside [0, inf)."""
        for name in self.strengths:
            check_strength(name, getattr(self, name), zero=True, infinite=False)

    def shared(self, W: Array) -> Array:
        """Coefficients of a task of which nothing is known: the mean of the others."""
        return namespace_of(W).mean(W, axis=0)

    def of_labelled(self, labelled: np.ndarray, n_tasks: int) -> "Penalty":
        """The penalty of some of the tasks, where the others have no labels.

        Parameters
        ----------
        labelled : ndarray
            Numbers of the tasks that have labels.
        n_tasks : int
            Number of all tasks.

        Returns
        -------
        Penalty
            Of W of shape (n_labelled, n_features): here the penalty itself, which knows no task
            from another.
        """
        return self
