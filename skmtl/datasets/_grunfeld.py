"""The Grunfeld panel, embedded: investment of 11 US firms over 20 years, a task for each firm."""

import csv
from importlib import resources

import numpy as np
from sklearn.utils import Bunch

FEATURES = ["value", "capital"]
TARGET = "invest"

DESCR = """\
Grunfeld investment data
------------------------
How much did a firm invest, given what it was worth and what it already owned?

:Tasks: 11 large US manufacturing firms.
:Rows: 220, one for each firm and year, 1935 to 1954; nothing is missing.
:Features: value (market value of the firm at the end of the year) and
    capital (stock of plant and equipment).
:Target: invest (gross investment).
:Units: millions of US dollars at 1947 prices.

Provenance. Yehuda Grunfeld collected the series for his doctoral thesis [1]. Many
copies circulate: some hold five or ten firms only, some carry typing errors. Kleiber
and Zeileis [2] traced the copies back and rebuilt the eleven firms of the thesis.
Their version is the one that statsmodels distributes, with the statement "This is
public domain", and the values here equal those of statsmodels.

[1] Y. Grunfeld (1958). The Determinants of Corporate Investment. PhD thesis,
    University of Chicago.
[2] C. Kleiber and A. Zeileis (2010). The Grunfeld Data at 50. German Economic
    Review 11(4), 404-417.
"""


def load_grunfeld(*, return_X_y=False, as_frame=False):
    """Load the Grunfeld investment data (regression, 11 tasks, long rows).

    Each firm is a task: predict its yearly investment from its market value and its stock of
    capital.  The rows are sorted by firm, then by year.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target, task)`` instead of a Bunch.
    as_frame : bool, default=False
        Return pandas objects (needs pandas).  `data` then starts with the column ``"firm"``, so
        that it can be given to an estimator with ``task_column="firm"`` as it is.

    Returns
    -------
    data : Bunch
        With the entries

        data : ndarray of shape (220, 2), float64
            Columns ``value`` and ``capital``.  A DataFrame of shape (220, 3) with columns
            ``firm``, ``value`` and ``capital`` where ``as_frame=True``.
        target : ndarray of shape (220,), float64
            ``invest``.  A Series where ``as_frame=True``.
        task : ndarray of shape (220,), str
            The name of the firm.  A Series where ``as_frame=True``.
        feature_names, target_names : list of str
            ``["value", "capital"]`` and ``["invest"]``.
        frame : DataFrame of shape (220, 5) or None
            Columns ``firm``, ``year``, ``value``, ``capital`` and ``invest``; None unless
            ``as_frame=True``.
        DESCR : str
            What the data are and where they come from.

    (data, target, task) : tuple
        The first three entries, where ``return_X_y=True``.

    Raises
    ------
    ImportError
        If ``as_frame=True`` and pandas is not installed.

    References
    ----------
    .. [1] Y. Grunfeld (1958). The Determinants of Corporate Investment. PhD thesis, University of
       Chicago.
    .. [2] C. Kleiber and A. Zeileis (2010). The Grunfeld Data at 50. German Economic Review 11(4),
       404-417.

    Examples
    --------
    >>> from skmtl.datasets import load_grunfeld
    >>> grunfeld = load_grunfeld()
    >>> grunfeld.data.shape, grunfeld.feature_names
    ((220, 2), ['value', 'capital'])
    >>> print(grunfeld.task[0], grunfeld.data[0].tolist(), grunfeld.target[0])
    General Motors [3078.5, 2.8] 317.6
    """
    columns = _read_columns()
    frame = _to_frame(columns) if as_frame else None
    if as_frame:
        data, target, task = frame[["firm", *FEATURES]], frame[TARGET], frame["firm"]
    else:
        data = np.column_stack([columns[name] for name in FEATURES])
        target, task = columns[TARGET], columns["firm"]
    if return_X_y:
        return data, target, task
    return Bunch(
        data=data,
        target=target,
        task=task,
        frame=frame,
        feature_names=list(FEATURES),
        target_names=[TARGET],
        DESCR=DESCR,
    )


def _read_columns():
    """The embedded table as a dict of columns, in the order of the file."""
    source = resources.files("skmtl.datasets").joinpath("data/grunfeld.csv")
    with source.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    dtypes = {"firm": str, "year": np.int64}
    return {
        name: np.asarray(values).astype(dtypes.get(name, np.float64))
        for name, values in zip(header, zip(*rows, strict=True), strict=True)
    }


def _to_frame(columns):
    try:
        import pandas as pd
    except ImportError as error:
        message = "load_grunfeld(as_frame=True) needs pandas: install pandas or use as_frame=False."
        raise ImportError(message) from error
    return pd.DataFrame(columns)
