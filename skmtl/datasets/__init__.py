"""Data to learn on: generators whose truth is known exactly, and one embedded real data set."""

from ._generators import make_multitask_regression
from ._grunfeld import load_grunfeld

__all__ = ["load_grunfeld", "make_multitask_regression"]
