"""Sharpness-aware training: each task's gradient is taken a step uphill from the parameters.

To first order in the step this adds the slope of the gradient's length to the gradient.
"""

from dataclasses import KW_ONLY

from sklearn.base import BaseEstimator

from .._checks import check_option, check_strength
from ._parameters import parameter_holder

MODES = ("f_mtl", "samo")


@parameter_holder
class SharpnessAware(BaseEstimator):
    """Perturbation of the parameters before the tasks' gradients are weighed.

    With g_t the gradient of task t's mean loss L_t at the parameters theta, and eps_t of length
    `rho`, h_t is its gradient at theta + eps_t. This holds parameters only;
    :class:`~skmtl.neural_network.MultiTaskPerceptron` takes it as its `perturbation`.

    Parameters
    ----------
    rho : float in (0, inf), default=0.05
        Length of the perturbations, in units of the parameters: of those that tasks share, and
        again of those of a task's own head.
    mode : {"f_mtl", "samo"}, default="f_mtl"
        "f_mtl": eps_t = rho g_t / ||g_t||, and g_t and the flat part h_t - g_t are balanced
        separately and added. "samo": eps_t mixes the gradient of the mean loss and an estimate of
        the task's own, and the h_t are balanced.
    beta : float in [0, 1], default=0.1
        Share of the task's own part in the perturbations of "samo"; 0: all tasks are perturbed
        alike. "f_mtl" does not read it.

    Notes
    -----
    In "samo" eps_t = rho e_t / ||e_t||, and on each layer's weights or biases, and on the shared
    part of the heads,

    .. math::
        e_t = (1 - \\beta) \\, \\bar g + \\beta \\, \\lVert \\bar g \\rVert \\,
        \\hat z_t / \\lVert \\hat z_t \\rVert, \\qquad
        \\hat z_t = \\frac{L_t(\\theta + c u) - L_t(\\theta - c u)}{2 c} \\, u

    with the gradient g of the mean of all L_t, c = 0.01 and u standard normal, drawn in each step
    and the same for all tasks: so the order of the tasks does not matter, and two passes serve all
    of them, where the published program draws for each. Heads are perturbed along their own
    gradient in both modes.

    To first order h_t = g_t + H_t eps_t with the Hessian H_t of L_t. In "f_mtl" that is the
    gradient of L_t plus `rho` times the length of its gradient, in the shared parameters and again
    in the head: steep places are avoided, which need not lead to flat minima. On a quadratic loss
    the curvature is the same everywhere, and there is no flatter minimum to be found.

    References
    ----------
    .. [1] Foret, P., Kleiner, A., Mobahi, H. and Neyshabur, B. (2021). Sharpness-aware minimization
       for efficiently improving generalization. ICLR.
    .. [2] Phan, H., Tran, L. et al. (2022). Improving multi-task learning via seeking task-based
       flat regions. arXiv:2211.13723; for "f_mtl".
    .. [3] Ban, H., Subramani, G. R. and Ji, K. (2025). SAMO: a lightweight sharpness-aware approach
       for multi-task optimization with joint global-local perturbation. ICCV, arXiv:2507.07883;
       for "samo".

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl import MultiTaskPerceptron
    >>> from skmtl.balancing import SharpnessAware
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> model = MultiTaskPerceptron(
    ...     (8,), perturbation=SharpnessAware(0.1), tol=1.0, random_state=0
    ... )
    >>> model.fit(X, np.hstack([X, X**2])).predict(X).shape
    (40, 2)
    """

    rho: float = 0.05
    mode: str = "f_mtl"
    _: KW_ONLY
    beta: float = 0.1

    def check(self) -> None:
        """Raise TypeError or ValueError unless every parameter is in its range."""
        check_strength("rho", self.rho, infinite=False)
        check_option("mode", self.mode, MODES)
        if check_strength("beta", self.beta, zero=True, infinite=False) > 1:
            raise ValueError(f"beta must be in [0, 1], got {self.beta!r}.")
