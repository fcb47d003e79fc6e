"""Numbers of clusters: from components of fused tasks to labels, and whether they say anything."""

import numpy as np

OUTLIER = -1


def in_clusters(component, outlier):
    """Cluster of each task, by decreasing size and then by first member; OUTLIER for outliers."""
    labels = np.full(len(component), OUTLIER)
    _, first, own, size = np.unique(
        component[~outlier], return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(size), dtype=np.intp)
    rank[np.lexsort((first, -size))] = np.arange(len(size))
    labels[~outlier] = rank[own]
    return labels
