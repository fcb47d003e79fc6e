"""What models that choose their penalties from a grid share: the grid, refits, and the record."""

import warnings

import numpy as np

from .._checks import check_flag, check_strengths
from ._folds import FoldsMixin
from ._selection import NAMES, first_least, grid_name, grid_point


class GridMixin(FoldsMixin):
    """Parameters `alphas_shared`, `alphas_specific`, `alphas_intercept`, `cv` and `scoring`."""

    def _check_grid_params(self):
        """Check the parameters that every search over a grid has."""
        for name in ("per_task", "store_cv_results", "fit_intercept"):
            check_flag(name, getattr(self, name))
        self._check_folds()

    def _grid(self):
        """Own values of the penalties in the order of NAMES, from large to small, or None."""
        grid = []
        for name in NAMES:
            values = getattr(self, grid_name(name))
            if values is not None:
                values = check_strengths(grid_name(name), values, zero=name == "alpha_intercept")
                values = np.unique(values)[::-1]
            grid.append(values)
        if not self.fit_intercept:
            grid[1] = np.zeros(1)
        return grid

    def _unit_of(self, variance):
        """Unit of the default grids: 1 in standard units, however many features are constant."""
        return (lambda: 1.0) if self.standardize else variance

    def _cross_validate(self, model, X, y, sample_weight, alphas):
        """(chosen, best score, results) of a model refitted to the folds at each point."""
        points = [grid_point(alphas, index) for index in np.ndindex(*map(len, alphas))]
        params = [dict(zip(NAMES, point, strict=True)) for point in points]
        data = self._fold_data(X, y, sample_weight)
        means, stds = self._mean_scores(self._refit_scores(model, data, params))
        results = self._tabulate(alphas, mean_test_score=means, std_test_score=stds)
        best = first_least(-means)
        return points[best], float(means[best]), results

    def _tabulate(self, alphas, **scores):
        """Flat columns of the grid's parameters and scores, where they are to be kept."""
        if not self.store_cv_results:
            return None
        grids = np.meshgrid(*alphas, indexing="ij")
        columns = {f"param_{name}": g.reshape(-1) for name, g in zip(NAMES, grids, strict=True)}
        return columns | {name: score.reshape(-1) for name, score in scores.items()}

    def _warn_at_edge(self, chosen, alphas):
        for name, value, values in zip(NAMES, chosen, alphas, strict=True):
            own = getattr(self, grid_name(name)) is not None
            if own and len(values) > 1 and 0 < value < np.inf and value in (values[0], values[-1]):
                warnings.warn(
                    f"the chosen {name}={value:.3g} is at the edge of its grid; widen it.",
                    UserWarning,
                    stacklevel=3,
                )

    def _record_choice(self, chosen, best_score, results):
        self.alpha_specific_, self.alpha_intercept_, self.alpha_shared_ = chosen
        self.best_score_ = best_score
        vars(self).pop("cv_results_", None)  # of an earlier fit
        if self.store_cv_results:
            self.cv_results_ = results
