"""Names for the types of arrays in annotations."""

from typing import Any, TypeAlias

# An array of any array-API library on any device: the standard has no common class, and its
# libraries share no protocol that mypy could check, so what is said is for the reader.
# Where an array is always NumPy's, annotations say np.ndarray.
Array: TypeAlias = Any
