"""Progress of a training, told on the screen and to scikit-learn's callbacks where it has them."""

import copy
import sys

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:
        """Stands in for scikit-learn's mixin."""

    def with_callbacks(fit):
        """The method as it is."""
        return fit


class Progress:
    """Called after each iteration; returns whether a callback wants no more of them.

    Parameters
    ----------
    estimator : object
    fit_arguments : tuple
        X, y and sample_weight, as callbacks are given them.
    max_iter : int
    """

    def __init__(self, estimator, fit_arguments, max_iter):
        self.estimator, self.max_iter, self.verbose = estimator, max_iter, estimator.verbose
        X, y, weight = fit_arguments
        metadata = {} if weight is None else {"sample_weight": weight}
        self.told = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self.iteration = None
        self.context = None
        if hasattr(estimator, "_skl_callbacks"):
            self.context = estimator._init_callback_context(max_subtasks=max_iter)
            self.context.call_on_fit_task_begin(**self.told)
            self._begin_iteration()

    def __call__(self, number, objective, score, attributes):
        """Tell of iteration `number`; `attributes` makes those of a model as it is now."""
        if self.verbose:
            scored = "" if score is None else f", validation score {score:.6f}"
            sys.stdout.write(f"Iteration {number}, objective {objective:.8f}{scored}\n")
        if self.context is None:
            return False
        iteration, self.iteration = self.iteration, None
        stop = iteration.call_on_fit_task_end(**self.told, reconstruction_attributes=attributes)
        if not stop and number < self.max_iter:
            self._begin_iteration()
        return stop

    def close(self):
        """The training is over."""
        if self.context is None:
            return
        if self.iteration is not None:  # begun, and then the training had converged
            self.iteration.call_on_fit_task_end(estimator=self.estimator)
        self.context.call_on_fit_task_end(**self.told, reconstruction_attributes={})

    def _begin_iteration(self):
        self.iteration = self.context.subcontext(task_name="iteration")
        self.iteration.call_on_fit_task_begin(**self.told)


def attributes_after(estimator, record):
    """Attributes of a copy of the estimator after `record`, a function that sets some."""
    fitted = copy.copy(estimator)
    record(fitted)
    return vars(fitted)
