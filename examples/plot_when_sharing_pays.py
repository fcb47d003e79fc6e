"""
Sharing pays from six rows a firm on, not with three or four
============================================================

How much did each of eleven firms invest? With three or four years of each, the shared-plus-specific
model does as well as common slopes and a level for each firm ("pooled + dummies"), the best of the
simple models there. From six years on it is ahead of every simple model, and most so at six: with
more years independent models come closer. Each gain is measured against the simple model that is
best at that size, on the same splits.
"""

import matplotlib.pyplot as plt

from skmtl.datasets import load_grunfeld
from skmtl.model_selection import compare_by_rows

X, y, firm = load_grunfeld(return_X_y=True)
curve = compare_by_rows(X, y, firm, rows_per_task=(3, 4, 6, 8, 12, 16))
print(curve)

curve.plot()
plt.show()
