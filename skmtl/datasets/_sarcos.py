"""The SARCOS data: inverse dynamics of a robot arm, a task for each of its 7 joints."""

from functools import partial

import numpy as np

from .._checks import check_option
from ._bunch import as_bunch
from ._fetch import Remote, fetch
from ._mat import read_mat

ORIGINS = ("https://gaussianprocess.org/gpml/data/", "http://www.gaussianprocess.org/gpml/data/")
# the origin publishes no sums: these were published by a user of the files, with sizes that fit
SUMS = {
    "sarcos_inv.mat": "b8a249733253ba6097372fedee7696833fcf30de42037d5b4a7227f21a6d1d97",
    "sarcos_inv_test.mat": "161a59b5c3b4f4b404584323f181607b2acbe620eb134dc720760dc3f38f5cec",
}
REMOTES = {
    name: Remote(name, tuple(origin + name for origin in ORIGINS), SUMS[name]) for name in SUMS
}
SUBSETS = {
    "train": ("sarcos_inv.mat",),
    "test": ("sarcos_inv_test.mat",),
    "all": ("sarcos_inv.mat", "sarcos_inv_test.mat"),
}
JOINTS = range(1, 8)
FEATURES = [f"{what}_{k}" for what in ("position", "velocity", "acceleration") for k in JOINTS]
TARGETS = [f"torque_{k}" for k in JOINTS]

DESCR = """\
SARCOS data
-----------
Which torques make a robot arm move as wanted?

:Tasks: the torques at 7 joints, a column of the target each; nothing is missing.
:Rows: 44484 in the training file and 4449 in the test file, along trajectories.
:Features: 21, the positions, velocities and accelerations of the 7 joints.
:Target: the 7 torques.

Rows that follow one another are alike, and users of the files report that nearly all rows of
the test file also stand in the training file. So neither the test file nor a random split
tells the error on new movements: hold out whole stretches of the training file, for instance
with KFold(shuffle=False).

Provenance. Recorded by Vijayakumar and Schaal [1] and distributed with the book of Rasmussen
and Williams [2], http://gaussianprocess.org/gpml/data/. No licence is stated.

[1] S. Vijayakumar and S. Schaal (2000). LWPR: An O(n) Algorithm for Incremental Real Time
    Learning in High Dimensional Space. ICML 2000.
[2] C. E. Rasmussen and C. K. I. Williams (2006). Gaussian Processes for Machine Learning.
    MIT Press.
"""


def fetch_sarcos(
    *,
    subset="train",
    data_home=None,
    download_if_missing=True,
    n_retries=3,
    delay=1.0,
    checksum=None,
    return_X_y=False,
    as_frame=False,
):
    """Load the SARCOS robot arm data, downloaded once (regression, 7 tasks, wide Y).

    Each joint is a task: predict its torque from the movement of the arm.  The rows are in the
    order of the files, which is that of the movements; see the entry ``DESCR`` before splitting.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The file, or both, the training rows first.
    data_home : path-like, default=None
        Folder of the downloads.  None means the environment variable ``SKMTL_DATA``, else
        ``~/skmtl_data``.
    download_if_missing : bool, default=True
        Whether to download what is not in `data_home`; an OSError if False.
    n_retries : int, default=3
        How often an address that does not answer is asked again, in [0, inf).
    delay : float, default=1.0
        Seconds between two attempts, in [0, inf).
    checksum : dict, default=None
        The SHA-256 that a file must have, 64 hexadecimal digits, by the name of the file
        (``"sarcos_inv.mat"``, ``"sarcos_inv_test.mat"``).  Without one, the known sum; the origin
        publishes none, it was published by a user of the files.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Return pandas objects (needs pandas).

    Returns
    -------
    data : Bunch
        With the entries

        data : ndarray of shape (n_samples, 21), float64
            Positions, velocities and accelerations; n_samples is 44484 for the training file and
            4449 for the test file.  A DataFrame where ``as_frame=True``.
        target : ndarray of shape (n_samples, 7), float64
            The torques.  A DataFrame where ``as_frame=True``.
        feature_names, target_names : list of str
            The names of the columns.
        frame : DataFrame of shape (n_samples, 28) or None
            Features and targets; None unless ``as_frame=True``.
        DESCR : str
            What the data are and where they come from.

    (data, target) : tuple
        The first two entries, where ``return_X_y=True``.

    Raises
    ------
    OSError
        If the file can be neither found nor downloaded, is not the expected one or cannot be
        read, or if `data_home` cannot be written.
    ImportError
        If ``as_frame=True`` and pandas is not installed.

    References
    ----------
    .. [1] S. Vijayakumar and S. Schaal (2000). LWPR: An O(n) Algorithm for Incremental Real Time
       Learning in High Dimensional Space. ICML 2000.
    .. [2] C. E. Rasmussen and C. K. I. Williams (2006). Gaussian Processes for Machine Learning.
       MIT Press.

    Examples
    --------
    >>> from skmtl.datasets import fetch_sarcos
    >>> X, Y = fetch_sarcos(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, Y.shape  # doctest: +SKIP
    ((44484, 21), (44484, 7))
    """
    names = SUBSETS[check_option("subset", subset, list(SUBSETS))]
    sums = _check_sums(checksum)
    tables = [
        fetch(
            REMOTES[name],
            partial(read_sarcos, variable=name.removesuffix(".mat")),
            data_home=data_home,
            download_if_missing=download_if_missing,
            n_retries=n_retries,
            delay=delay,
            checksum=sums.get(name),
        )
        for name in names
    ]
    table = np.concatenate(tables)
    return as_bunch(
        table[:, : len(FEATURES)],
        table[:, len(FEATURES) :],
        feature_names=FEATURES,
        target_names=TARGETS,
        DESCR=DESCR,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def read_sarcos(content, variable):
    """The 28 columns from the bytes of a SARCOS file, of shape (n_samples, 28)."""
    (table,) = read_mat(content, [variable])
    shape, width = np.shape(table), len(FEATURES) + len(TARGETS)
    if len(shape) != 2 or shape[1] != width or shape[0] == 0:
        raise ValueError(f"its {variable!r} should be a matrix of {width} columns")
    if not np.isfinite(table).all():
        raise ValueError(f"its {variable!r} holds NaN or infinity")
    return table


def _check_sums(checksum):
    if checksum is None:
        return {}
    if not isinstance(checksum, dict) or not set(checksum) <= set(REMOTES):
        raise ValueError(
            f"checksum must be a dict with keys among {list(REMOTES)} or None, got {checksum!r}."
        )
    return checksum
