"""The London school data: exam scores of 15362 students, a task for each of 139 schools."""

import numpy as np

from ._bunch import as_bunch
from ._fetch import Remote, fetch
from ._mat import read_tasks

N_SCHOOLS = 139
REPOSITORY = "https://raw.githubusercontent.com/jiayuzhou/MALSAR"
REMOTE = Remote(
    "school.mat",
    (
        f"{REPOSITORY}/ca3d55b878cc4113f0d9603e8ac46538aeb1ecd9/data/school.mat",
        f"{REPOSITORY}/master/data/school.mat",
    ),
)
ETHNIC_GROUPS = (
    "eswi african arab bangladeshi caribbean greek indian pakistani se_asian turkish other"
).split()
# one-hot groups in the order of the codes 1, 2, 3, ... of the original survey
FEATURES = [
    *(f"year_{year}" for year in (1985, 1986, 1987)),
    "school_percent_free_meals",
    "school_percent_vr1",
    *("male", "female"),
    *("vr3", "vr1", "vr2"),
    *(f"ethnic_{group}" for group in ETHNIC_GROUPS),
    *("school_mixed", "school_boys", "school_girls"),
    *("school_maintained", "school_church_of_england", "school_roman_catholic"),
    "constant",
]
TARGET = "exam_score"

DESCR = """\
London school data
------------------
How well does a student do in the exam, given the year, the student and the school?

:Tasks: 139 secondary schools of the Inner London Education Authority (ILEA).
:Rows: 15362 students of the years 1985, 1986 and 1987, 22 to 251 a school.
:Features: 28. The year (3 columns of 0 and 1), of the school the percentage of students
    with free meals and of those in verbal reasoning band 1, of the student the gender (2),
    the verbal reasoning band (3) and the ethnic group (11; eswi is England, Scotland, Wales
    or Ireland), of the school the gender (3) and the denomination (3), and a constant 1.
    Drop the constant for a model with an intercept.
:Target: the exam score.

Provenance. A sample of the ILEA's exam records [1], which the authors of MALSAR [2]
distribute with their package; most papers on multi-task learning use this version. The file
names no columns: the names here follow the codes of the survey. No licence is stated for the
data.

[1] D. Nuttall, H. Goldstein, R. Prosser and J. Rasbash (1989). Differential school
    effectiveness. International Journal of Educational Research 13(7), 769-776.
[2] J. Zhou, J. Chen and J. Ye (2011). MALSAR: Multi-tAsk Learning via StructurAl
    Regularization. Arizona State University. https://github.com/jiayuzhou/MALSAR
"""


def fetch_school(
    *,
    data_home=None,
    download_if_missing=True,
    n_retries=3,
    delay=1.0,
    checksum=None,
    return_X_y=False,
    as_frame=False,
):
    """Load the London school data, downloaded once (regression, 139 tasks, long rows).

    Each school is a task: predict a student's exam score.  The rows are sorted by school.

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
        Return pandas objects (needs pandas).  `data` then starts with the column ``"school"``, so
        that it can be given to an estimator with ``task_column="school"`` as it is.

    Returns
    -------
    data : Bunch
        With the entries

        data : ndarray of shape (15362, 28), float64
            The last column is the constant 1.  A DataFrame that starts with the column
            ``school`` where ``as_frame=True``.
        target : ndarray of shape (15362,), float64
            The exam score.  A Series where ``as_frame=True``.
        task : ndarray of shape (15362,), int64
            The school, 0 to 138.  A Series where ``as_frame=True``.
        feature_names, target_names : list of str
            The names of the columns.
        frame : DataFrame or None
            ``school``, the features and the target; None unless ``as_frame=True``.
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
    .. [1] D. Nuttall, H. Goldstein, R. Prosser and J. Rasbash (1989). Differential school
       effectiveness. International Journal of Educational Research 13(7), 769-776.
    .. [2] J. Zhou, J. Chen and J. Ye (2011). MALSAR: Multi-tAsk Learning via StructurAl
       Regularization. Arizona State University.

    Examples
    --------
    >>> from skmtl.datasets import fetch_school
    >>> X, y, school = fetch_school(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, len(set(school))  # doctest: +SKIP
    ((15362, 28), 139)
    """
    data, target, task = fetch(
        REMOTE,
        read_school,
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
        id_name="school",
        DESCR=DESCR,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def read_school(content):
    """Features, scores and schools from the bytes of school.mat."""
    data, target, task = read_tasks(content, "X", "Y", n_tasks=N_SCHOOLS, n_features=len(FEATURES))
    if not np.all(data[:, -1] == 1):
        raise ValueError("the last of its 28 columns is not the constant 1")
    return data, target, task
