"""What a fetcher returns: arrays or data frames, as a Bunch or as a tuple."""

import numpy as np
from sklearn.utils import Bunch

from .._checks import check_flag


def as_bunch(
    data,
    target,
    *,
    feature_names,
    target_names,
    DESCR,
    return_X_y,
    as_frame,
    task=None,
    id_name=None,
):
    """Bunch of `data`, `target` and, for long rows, `task`; a tuple of these if `return_X_y`.

    Parameters
    ----------
    data : ndarray of shape (n_samples, n_features)
        The features.
    target : ndarray of shape (n_samples,) or (n_samples, n_targets)
        The labels.
    feature_names, target_names : list of str
        The names of their columns.
    DESCR : str
        What the data are.
    return_X_y, as_frame : bool
        As in the fetchers.
    task : ndarray of shape (n_samples,), default=None
        The task ids of long rows.
    id_name : str, default=None
        The name of the id column in a frame.

    Returns
    -------
    bunch : Bunch or tuple
        See above.
    """
    return_X_y = check_flag("return_X_y", return_X_y)
    frame = None
    if check_flag("as_frame", as_frame):
        frame = _to_frame(data, target, task, feature_names, target_names, id_name)
        data = frame.drop(columns=target_names)
        target = frame[target_names[0] if target.ndim == 1 else target_names]
        task = None if task is None else frame[id_name]
    parts = {"data": data, "target": target}
    if id_name is not None:
        parts["task"] = task
    if return_X_y:
        return tuple(parts.values())
    return Bunch(
        **parts,
        frame=frame,
        feature_names=list(feature_names),
        target_names=list(target_names),
        DESCR=DESCR,
    )


def _to_frame(data, target, task, feature_names, target_names, id_name):
    try:
        import pandas as pd
    except ImportError as error:
        message = "as_frame=True needs pandas: install pandas or use as_frame=False."
        raise ImportError(message) from error
    ids = {} if task is None else {id_name: task}
    labels = np.reshape(target, (len(target), -1))
    return pd.DataFrame(
        ids
        | dict(zip(feature_names, data.T, strict=True))
        | dict(zip(target_names, labels.T, strict=True))
    )
