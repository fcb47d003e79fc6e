"""Data to learn on: generators with a known truth, an embedded data set, and downloads."""

from ._classification import make_multitask_classification
from ._clusters import make_clustered_tasks
from ._generators import make_multitask_regression
from ._grunfeld import load_grunfeld
from ._landmine import fetch_landmine
from ._parkinsons import fetch_parkinsons
from ._sarcos import fetch_sarcos
from ._school import fetch_school

__all__ = [
    "fetch_landmine",
    "fetch_parkinsons",
    "fetch_sarcos",
    "fetch_school",
    "load_grunfeld",
    "make_clustered_tasks",
    "make_multitask_classification",
    "make_multitask_regression",
]
