"""The landmine data: radar features of objects in 29 minefields, a task for each field."""

import numpy as np

from ._bunch import as_bunch
from ._fetch import Remote, fetch
from ._mat import read_tasks

N_FIELDS = 29
REMOTE = Remote(
    "LandmineData.mat",
    (
        "https://www.cs.columbia.edu/~jebara/code/multisparse/LandmineData.mat",
        "https://raw.githubusercontent.com/daizhongxiang/Federated_Bayesian_Optimization/"
        "9f46a1dfbbcfd5823e026ad9418a4cb881676ae9/LandmineData.mat",
    ),
)
FEATURES = [
    *(f"moment_{k}" for k in range(1, 5)),
    *(f"correlation_{k}" for k in range(1, 4)),
    "energy_ratio",
    "spatial_variance",
]
TARGET = "landmine"

DESCR = """\
Landmine data
-------------
Is what the radar sees a landmine, or clutter?

:Tasks: 29 fields. Fields 0 to 14 are in foliated regions, fields 15 to 28 on bare earth or
    desert [1].
:Rows: 14820 objects, 445 to 690 a field.
:Features: 9, computed from synthetic-aperture radar images: four moments, three
    correlations, an energy ratio and a spatial variance.
:Target: 1 for a landmine, 0 for clutter. About 6 % are landmines: compare by the area under
    the ROC curve, not by accuracy.

Provenance. Used by Xue and others [1] and published by their group as
http://www.ee.duke.edu/~lcarin/LandmineData.zip; the file within is widely mirrored. It is
fetched from the code of Jebara [2], or else from a copy on GitHub. It names no columns: the
names follow the order in which [1] lists the features. No licence is known.

[1] Y. Xue et al. (2007). Multi-Task Learning for Classification with Dirichlet Process
    Priors. JMLR 8, 35-63.
[2] T. Jebara (2011). Multitask Sparsity via Maximum Entropy Discrimination. JMLR 12, 75-110.
"""


def fetch_landmine(
    *,
    data_home=None,
    download_if_missing=True,
    n_retries=3,
    delay=1.0,
    checksum=None,
    return_X_y=False,
    as_frame=False,
):
    """Load the landmine data, downloaded once (binary classification, 29 tasks, long rows).

    Each minefield is a task: tell landmines from clutter.  The rows are sorted by field.

    Parameters
    ----------
    data_home : path-like, default=None
        Folder of the downloads.  None means the environment variable ``SKMTL_DATA``, else
        ``~/skmtl_data``.
    download_if_missing : bool, default=True
        Whether to download what is not in `data_home`; an OSError if False.
    n_retries : int, default=3
        How often an address that does not answer is asked again, in [0, inf).
    delay : float, default=1.0
        Seconds between two attempts, in [0, inf).
    checksum : str, default=None
        The SHA-256 that the file must have, 64 hexadecimal digits.  **No sum is published**, so
        with None the first file is not verified: its sum is noted beside it, and later reads are
        checked against that.
    return_X_y : bool, default=False
        Return ``(data, target, task)`` instead of a Bunch.
    as_frame : bool, default=False
        Return pandas objects (needs pandas).  `data` then starts with the column ``"field"``, so
        that it can be given to an estimator with ``task_column="field"`` as it is.

    Returns
    -------
    data : Bunch
        With the entries

        data : ndarray of shape (14820, 9), float64
            Features of radar images.  A DataFrame that starts with the column
            ``field`` where ``as_frame=True``.
        target : ndarray of shape (14820,), int64
            1 for a landmine, 0 for clutter.  A Series where ``as_frame=True``.
        task : ndarray of shape (14820,), int64
            The field, 0 to 28.  A Series where ``as_frame=True``.
        feature_names, target_names : list of str
            The names of the columns.
        frame : DataFrame or None
            ``field``, the features and the target; None unless ``as_frame=True``.
        DESCR : str
            What the data are and where they come from.

    (data, target, task) : tuple
        The first three entries, where ``return_X_y=True``.

    Raises
    ------
    OSError
        If the file can be neither found nor downloaded, is not the expected one or cannot be
        read, or if `data_home` cannot be written.
    ImportError
        If ``as_frame=True`` and pandas is not installed.

    References
    ----------
    .. [1] Y. Xue et al. (2007). Multi-Task Learning for Classification with Dirichlet Process
       Priors. JMLR 8, 35-63.

    Examples
    --------
    >>> from skmtl.datasets import fetch_landmine
    >>> X, y, field = fetch_landmine(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, len(set(field))  # doctest: +SKIP
    ((14820, 9), 29)
    """
    data, target, task = fetch(
        REMOTE,
        read_landmine,
        data_home=data_home,
        download_if_missing=download_if_missing,
        n_retries=n_retries,
        delay=delay,
        checksum=checksum,
    )
    return as_bunch(
        data,
        target,
        task=task,
        feature_names=FEATURES,
        target_names=[TARGET],
        id_name="field",
        DESCR=DESCR,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def read_landmine(content):
    """Features, labels and fields from the bytes of LandmineData.mat."""
    data, target, task = read_tasks(
        content, "feature", "label", n_tasks=N_FIELDS, n_features=len(FEATURES)
    )
    if not np.isin(target, (0, 1)).all():
        raise ValueError("its labels are not all 0 or 1")
    return data, target.astype(np.int64), task
