"""
Ahead on average from six rows a firm on, and 220 rows are too few to show it
==============================================================================

How much did each of eleven firms invest? With three or four years of each, the shared-plus-specific
model does as well as common slopes and a level for each firm ("pooled + dummies"), the best of the
simple models there. From six years on its mean score is ahead of every simple model, and most so at
six: with more years independent models come closer. But at each size the 95 % interval of the gain
holds zero: other years of these firms might as well have shown none.
"""

import matplotlib.pyplot as plt

from skmtl.datasets import load_grunfeld
from skmtl.model_selection import compare_by_rows

X, y, firm = load_grunfeld(return_X_y=True)
curve = compare_by_rows(X, y, firm, rows_per_task=(3, 4, 6, 8, 12, 16))
print(curve)

curve.plot()
plt.show()
