"""SharedSpecificDisplay: the coefficient that tasks share, feature by feature, and each task's."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._backend import to_numpy
from .._checks import check_count
from ._axes import lighten, new_axes

FEW = 10  # tasks with colours of their own
SPREAD = 0.32  # the tasks' dots lie this far above and below the middle of a row
BAR, DOT = "#d0d0d0", "#2f6db3"


class SharedSpecificDisplay:
    """Figure of shared and specific coefficients: a row for each feature, a dot for each task.

    The bar is the shared coefficient, the dots are the coefficients of the tasks: shared plus
    specific. Dots at the end of the bar say that the tasks agree on a feature. In every row the
    first task is the topmost dot and the last the lowest; up to ten tasks have colours of their
    own.

    Parameters
    ----------
    shared_coef : array-like of shape (n_features,)
        Shared coefficients.
    coef : array-like of shape (n_tasks, n_features)
        Coefficients of the tasks.
    feature_names : list of str of length n_features
        Names of the features.
    tasks : list of length n_tasks
        Ids of the tasks.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : matplotlib BarContainer
        The shared coefficients, from top to bottom.
    dots_ : list of matplotlib Line2D
        One for each task, with its coefficients from top to bottom.
    order_ : ndarray of int of shape (n_shown,)
        Numbers of the features shown, from top to bottom.

    Examples
    --------
    >>> from skmtl import MultiTaskRidge
    >>> from skmtl.datasets import make_multitask_regression
    >>> from skmtl.inspection import SharedSpecificDisplay
    >>> X, Y = make_multitask_regression(60, 5, 4, similarity=0.9, random_state=0)
    >>> display = SharedSpecificDisplay.from_estimator(MultiTaskRidge().fit(X, Y), max_features=3)
    >>> len(display.dots_), len(display.order_)
    (4, 3)
    """

    def __init__(self, *, shared_coef, coef, feature_names, tasks):
        self.shared_coef = shared_coef
        self.coef = coef
        self.feature_names = feature_names
        self.tasks = tasks

    @classmethod
    def from_estimator(cls, estimator, *, feature_names=None, max_features=20, ax=None):
        """Draw the coefficients of a fitted model.

        Coefficients compare across features only where these have one scale: standardise them, for
        example in a pipeline.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted, with `shared_coef_` and `coef_`, as MultiTaskRidge and MultiTaskRidgeCV have
            them; the last step of a pipeline.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features, without the task column. None: those that the model was fitted
            with, or that the steps of the pipeline before it give, or x0, x1, ...
        max_features : int, default=20
            Features shown at most, those of the largest coefficients.
        ax : matplotlib Axes, default=None
            None: a new figure.

        Returns
        -------
        SharedSpecificDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no shared coefficients.
        ValueError
            If `feature_names` is of the wrong length.
        """
        model = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
        check_is_fitted(model)
        if not (hasattr(model, "shared_coef_") and hasattr(model, "coef_")):
            raise TypeError(
                "estimator must have shared_coef_ and coef_, as MultiTaskRidge has them, got "
                f"{type(model).__name__}."
            )
        coef = to_numpy(model.coef_)
        if feature_names is None:
            feature_names = _features_of(model, estimator)
        if len(feature_names) != coef.shape[1]:
            raise ValueError(
                f"feature_names must hold {coef.shape[1]} names, one for each feature (the task "
                f"column is none), got {len(feature_names)}."
            )
        display = cls(
            shared_coef=to_numpy(model.shared_coef_),
            coef=coef,
            feature_names=[str(name) for name in feature_names],
            tasks=list(model.tasks_),
        )
        return display.plot(max_features=max_features, ax=ax)

    def plot(self, ax=None, *, max_features=20):
        """Draw the figure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: a new figure.
        max_features : int, default=20
            Features shown at most, those with the largest root mean square of the coefficients of
            all tasks, which stand at the top.

        Returns
        -------
        self : SharedSpecificDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        check_count("max_features", max_features)
        shared, coef = np.asarray(self.shared_coef), np.asarray(self.coef)
        size = np.sqrt((coef**2).mean(axis=0))
        self.order_ = np.argsort(-size, kind="stable")[:max_features]
        ax = new_axes(7.0, self._height(len(self.order_))) if ax is None else ax
        rows = np.arange(len(self.order_))
        ax.axvline(0, color="black", linewidth=1)
        shared = shared[self.order_]
        self.bars_ = ax.barh(rows, shared, 0.8, color=BAR, label="shared")
        self.dots_ = self._draw_dots(ax, rows, coef[:, self.order_])
        # the end of the bar, above the dots of many tasks
        ax.vlines(shared, rows - 0.4, rows + 0.4, color="black", linewidth=1.5, zorder=3)
        ax.set_yticks(rows, [self.feature_names[j] for j in self.order_])
        ax.set_ylim(len(rows) - 0.4, -0.6)  # the largest at the top
        hidden = f" ({len(rows)} largest of {len(size)} features)" if len(rows) < len(size) else ""
        ax.set_xlabel(f"coefficient{hidden}")
        lighten(ax, rows=True)
        handles = [self.bars_, *self.dots_[: len(self.tasks) if self._few else 1]]
        # beside the axes: rows may be few and full
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @property
    def _few(self):
        """Whether a reader can tell the tasks apart by colour."""
        return len(self.tasks) <= FEW

    def _height(self, n_rows):
        """Inches for the rows and for the legend beside them."""
        legend = 0.23 * (1 + (len(self.tasks) if self._few else 1))
        return 0.9 + max((0.42 if self._few else 0.6) * n_rows, legend)

    def _draw_dots(self, ax, rows, coef):
        n_tasks = len(coef)
        offsets = np.linspace(-SPREAD, SPREAD, n_tasks) if n_tasks > 1 else [0.0]
        look = {"markersize": 5} if self._few else {"markersize": 3, "alpha": 0.6, "color": DOT}
        dots = []
        for t, task in enumerate(self.tasks):
            style = {"label": str(task), "color": f"C{t}"} | look
            if not self._few:
                style["label"] = f"each of {n_tasks} tasks"
            dots += ax.plot(coef[t], rows + offsets[t], "o", **style)
        return dots


def _features_of(model, estimator):
    """Names of the features without the task column."""
    names = list(_input_names(model, estimator))
    column = getattr(model, "task_column", None)
    if column is not None:
        del names[names.index(column) if column in names else column]
    return names


def _input_names(model, estimator):
    """Names of the columns that the model was fitted with."""
    if hasattr(model, "feature_names_in_"):
        return model.feature_names_in_
    if model is not estimator and len(estimator.steps) > 1:
        try:
            return estimator[:-1].get_feature_names_out()
        except (AttributeError, ValueError):  # a step does not say
            pass
    return [f"x{j}" for j in range(model.n_features_in_)]
