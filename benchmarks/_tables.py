"""Real tables, read from a folder beside the project: most carry no licence to redistribute them.

Each is an `.npz` of arrays, as `numpy.savez` writes it; nothing is unpickled.
"""

from pathlib import Path

import numpy as np

from skmtl.datasets import load_grunfeld


def grunfeld(_):
    """X (220, 2), y, firm: embedded in the package, so no folder is needed."""
    return load_grunfeld(return_X_y=True)


def school(folder):
    """X (15362, 28), y, school: exam scores of the pupils of 139 schools."""
    table = _read(folder, "school")
    return table["X"].astype(float), table["y"], table["task"]


def arabidopsis(folder):
    """X (158, 117) with 0.4 % missing, Y (158, 24): metabolites of the lines that have any."""
    table = _read(folder, "arabidopsis")
    measured = ~np.isnan(table["Y"]).all(axis=1)
    return table["X"][measured], table["Y"][measured], None


def jura(folder):
    """X (359, 15), Y (359, 3): heavy metals in soil."""
    return _wide(_read(folder, "jura"))


def enb(folder):
    """X (768, 8), Y (768, 2): heating and cooling loads of buildings."""
    return _wide(_read(folder, "enb"))


def wheat(folder):
    """X (599, 1279), Y (599, 4): markers of wheat lines and their yield in four environments."""
    return _wide(_read(folder, "wheat"))


def landmine(folder):
    """X (14820, 9), y in {0, 1}, minefield: radar images of 29 minefields."""
    table = _read(folder, "landmine")
    return table["X"].astype(float), table["y"].astype(int), table["task"]


def tox21(folder):
    """X (8006, 1024) of bits, Y (8006, 12) with gaps, molecule: toxicity assays.

    The number of the molecule is that of its fingerprint: some molecules stand there twice.
    """
    table = _read(folder, "tox21")
    packed = table["Xpacked"]
    molecule = np.unique(packed, axis=0, return_inverse=True)[1].reshape(-1)
    return np.unpackbits(packed, axis=1).astype(float), table["Y"].astype(float), molecule


def _wide(table):
    return table["X"].astype(float), table["Y"].astype(float), None


def _read(folder, name):
    if folder is None:
        raise FileNotFoundError(f"{name}.npz: no folder given with --data")
    with np.load(Path(folder) / f"{name}.npz", allow_pickle=False) as archive:
        return dict(archive)
