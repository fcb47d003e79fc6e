"""Data that a fitted model is trained on after other data: its tasks join those that are known."""

from .._input import FeatureUnits


def read_more(model, X, y, sample_weight, units, *, adapt):
    """FitInput whose tasks are those of the fitted model and the new ids of long data.

    `units` are those of the features so far; `adapt`: whether these rows change them.
    """
    raw = model._read_input(X, y, sample_weight, continued=True)
    if not adapt:
        return model._fit_input(raw, units)
    fit_input = model._fit_input(raw, FeatureUnits())
    units = units.joined(fit_input.data)
    return fit_input._replace(data=units.of_data(fit_input.data), units=units)
