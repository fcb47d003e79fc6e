"""The Parkinsons telemonitoring data: voice and symptoms, a task for each of 42 patients."""

import numpy as np

from .._checks import check_option
from ._bunch import as_bunch
from ._fetch import Remote, fetch

REMOTE = Remote(
    "parkinsons_updrs.data",
    (
        "https://archive.ics.uci.edu/ml/machine-learning-databases/parkinsons/telemonitoring/"
        "parkinsons_updrs.data",
    ),
    # UCI publishes no sum: several users of the file published this one
    "f2c7d5025dec4e92e7feae367a5f7ccf58789a10ac6b54bdf15976c599f9dd39",
)
TASK, TARGETS = "subject#", ["motor_UPDRS", "total_UPDRS"]
FEATURES = [
    *("age", "sex", "test_time"),
    *("Jitter(%)", "Jitter(Abs)", "Jitter:RAP", "Jitter:PPQ5", "Jitter:DDP"),
    *("Shimmer", "Shimmer(dB)", "Shimmer:APQ3", "Shimmer:APQ5", "Shimmer:APQ11", "Shimmer:DDA"),
    *("NHR", "HNR", "RPDE", "DFA", "PPE"),
]
COLUMNS = [TASK, *FEATURES[:3], *TARGETS, *FEATURES[3:]]

DESCR = """\
Parkinsons telemonitoring data
------------------------------
How strong are the symptoms of a patient, judged by the voice?

:Tasks: 42 people with early-stage Parkinson's disease.
:Rows: 5875 voice recordings, made at home over six months.
:Features: 19. Age, sex (0 male, 1 female), days since recruitment, and 16 measures of the
    voice.
:Targets: motor_UPDRS and total_UPDRS, the clinician's scores on the Unified Parkinson's
    Disease Rating Scale.

The scores were taken at three visits and are **interpolated in time** for the recordings in
between: neighbouring rows of a patient share their label almost exactly. Never split the rows
at random: hold out whole patients (GroupKFold), or the last part of each patient's time.

Provenance. Tsanas and Little [1, 2], UCI Machine Learning Repository, data set 189, under the
Creative Commons Attribution 4.0 licence.

[1] A. Tsanas, M. A. Little, P. E. McSharry and L. O. Ramig (2010). Accurate telemonitoring of
    Parkinson's disease progression by noninvasive speech tests. IEEE Transactions on
    Biomedical Engineering 57(4), 884-893.
[2] A. Tsanas and M. Little (2009). Parkinsons Telemonitoring. UCI Machine Learning
    Repository. https://doi.org/10.24432/C5ZS3N
"""


def fetch_parkinsons(
    *,
    target="motor_UPDRS",
    data_home=None,
    download_if_missing=True,
    n_retries=3,
    delay=1.0,
    checksum=None,
    return_X_y=False,
    as_frame=False,
):
    """Load the Parkinsons telemonitoring data, downloaded once (regression, 42 tasks, long rows).

    Each patient is a task: predict the score of the symptoms from the voice.  The scores are
    interpolated in time, so that rows must not be split at random: hold out patients, or the end
    of each patient's time.  The rows are in the order of the file.

    Parameters
    ----------
    target : {"motor_UPDRS", "total_UPDRS"}, default="motor_UPDRS"
        The score to predict.
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
        The SHA-256 that the file must have, 64 hexadecimal digits.  None means the known sum;
        the origin publishes none, it was published by users of the file.
    return_X_y : bool, default=False
        Return ``(data, target, task)`` instead of a Bunch.
    as_frame : bool, default=False
        Return pandas objects (needs pandas).  `data` then starts with the column ``"subject"``, so
        that it can be given to an estimator with ``task_column="subject"`` as it is.

    Returns
    -------
    data : Bunch
        With the entries

        data : ndarray of shape (5875, 19), float64
            Age, sex, time and measures of the voice.  A DataFrame that starts with the column
            ``subject`` where ``as_frame=True``.
        target : ndarray of shape (5875,), float64
            The score.  A Series where ``as_frame=True``.
        task : ndarray of shape (5875,), int64
            The patient, 1 to 42.  A Series where ``as_frame=True``.
        feature_names, target_names : list of str
            The names of the columns.
        frame : DataFrame or None
            ``subject``, the features and the target; None unless ``as_frame=True``.
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
    .. [1] A. Tsanas, M. A. Little, P. E. McSharry and L. O. Ramig (2010). Accurate telemonitoring
       of Parkinson's disease progression by noninvasive speech tests. IEEE Transactions on
       Biomedical Engineering 57(4), 884-893.

    Examples
    --------
    >>> from skmtl.datasets import fetch_parkinsons
    >>> X, y, subject = fetch_parkinsons(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, len(set(subject))  # doctest: +SKIP
    ((5875, 19), 42)
    """
    check_option("target", target, TARGETS)
    columns = fetch(
        REMOTE,
        read_parkinsons,
        data_home=data_home,
        download_if_missing=download_if_missing,
        n_retries=n_retries,
        delay=delay,
        checksum=checksum,
    )
    return as_bunch(
        np.column_stack([columns[name] for name in FEATURES]),
        columns[target],
        task=columns[TASK].astype(np.int64),
        feature_names=FEATURES,
        target_names=[target],
        id_name="subject",
        DESCR=DESCR,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def read_parkinsons(content):
    """The columns by name from the bytes of parkinsons_updrs.data."""
    if content.lstrip()[:1] == b"<":
        raise ValueError("it is a web page, not a table")
    lines = content.decode("utf-8", "replace").splitlines() or [""]
    header, *rows = (line.split(",") for line in lines)
    if header != COLUMNS:
        raise ValueError(f"its header should be {','.join(COLUMNS)}")
    if not rows or any(len(row) != len(COLUMNS) for row in rows):
        raise ValueError(f"each of its rows should have {len(COLUMNS)} numbers")
    try:
        table = np.array(rows, dtype=np.float64)
    except ValueError as error:
        raise ValueError(f"it holds something other than numbers ({error})") from None
    if not np.isfinite(table).all():
        raise ValueError("it holds NaN or infinity")
    if np.any(table[:, 0] % 1):
        raise ValueError(f"its {TASK} should be an integer")
    return dict(zip(COLUMNS, table.T, strict=True))
