"""Perceptrons with hidden layers shared by all tasks and heads of each task's own."""

from ._perceptron import MultiTaskPerceptron
from ._perceptron_classifier import MultiTaskPerceptronClassifier

__all__ = ["MultiTaskPerceptron", "MultiTaskPerceptronClassifier"]
