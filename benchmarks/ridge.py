"""MultiTaskRidge and its CV against Ridge, RidgeCV and GridSearchCV on the same problems."""

import json
import os
import subprocess
import sys
import time

import numpy as np
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV

from skmtl import MultiTaskRidge, MultiTaskRidgeCV

from ._data import common_rows, own_rows
from ._peers import AugmentedRidge, independent_ridges
from ._timing import RATIO_COLUMNS, interleaved, print_table, ratio_row

INDEPENDENT = [(50, 100, 20, 5.0)] + [
    (T, n, p, 1.0) for T in (10, 50, 200) for n in (20, 100, 1000) for p in (20, 200)
]
GRID = np.logspace(-2, 3, 10)


def main(quick=False):
    """Print every table; `quick` leaves out what takes more than seconds."""
    print_table(
        "One fit, own rows per task", RATIO_COLUMNS, [*augmented(), *independent(quick), tiny()]
    )
    print_table(
        "Grid of 10 x 10 with exact leave-one-out", RATIO_COLUMNS, [*grids(quick), *common_grids()]
    )
    print_table(
        "Two BLAS threads, wall time",
        ["case", "1 thread ms", "2 threads ms", "ratio", "at most", ""],
        threads(),
    )


def augmented():
    X, y, task = own_rows(50, 100, 20)
    Z = np.column_stack([X, task])
    model = MultiTaskRidge(1.0, 2.0, task_column=20)
    peer = AugmentedRidge(1.0, 2.0, n_tasks=50)
    assert np.abs(model.fit(Z, y).coef_ - peer.fit(Z, y).coef_).max() < 1e-8
    ours, theirs = interleaved(lambda: model.fit(Z, y), lambda: peer.fit(Z, y), repeats=5)
    yield ratio_row("(50,100,20) vs Ridge on the augmented design", ours, theirs, 40)


def independent(quick):
    for T, n, p, bar in INDEPENDENT[: 4 if quick else None]:
        X, y, task = own_rows(T, n, p)
        Z = np.column_stack([X, task])
        model = MultiTaskRidge(1.0, 2.0, task_column=p)
        ours, theirs = interleaved(
            lambda: model.fit(Z, y), lambda: independent_ridges(X, y, task), repeats=5
        )
        yield ratio_row(f"({T},{n},{p}) vs {T} independent Ridge fits", ours, theirs, bar)


def tiny():
    X, Y = common_rows(5, 50, 10)
    model, peer = MultiTaskRidge(), Ridge()
    ours, theirs = interleaved(lambda: model.fit(X, Y), lambda: peer.fit(X, Y), repeats=15)
    return ratio_row("50 x 10, 5 tasks vs Ridge().fit", ours, theirs, 1)


def grids(quick):
    for T, n, p, bar in ((10, 100, 20, 200), (50, 20, 20, 200), (50, 100, 100, 1000))[
        : 1 if quick else None
    ]:
        X, y, task = own_rows(T, n, p)
        Z = np.column_stack([X, task])
        model = MultiTaskRidgeCV(GRID, GRID, alphas_intercept=[0.0], task_column=p)
        grid = {"alpha_shared": GRID, "alpha_specific": GRID}
        ours = interleaved(lambda: model.fit(Z, y), repeats=5)[0]
        if T * p <= 1000:
            search = GridSearchCV(AugmentedRidge(n_tasks=T), grid, cv=5)
            start = time.process_time()
            search.fit(Z[np.random.default_rng(0).permutation(len(Z))], y)
            theirs, note = time.process_time() - start, ""
        else:
            rows = np.random.default_rng(0).random(len(Z)) < 0.8
            start = time.process_time()
            AugmentedRidge(n_tasks=T).fit(Z[rows], y[rows])
            theirs, note = 500 * (time.process_time() - start), "peer: 500 times one measured fit"
        yield ratio_row(
            f"({T},{n},{p}) vs GridSearchCV(5), augmented Ridge", ours, theirs, bar, note
        )


def common_grids():
    for T, n, p in ((10, 100, 20), (50, 500, 50), (200, 1000, 200), (50, 100, 500)):
        X, Y = common_rows(T, n, p)
        model = MultiTaskRidgeCV(GRID, GRID, alphas_intercept=[0.0])
        peer = RidgeCV(np.logspace(-2, 3, 100))
        ours, theirs = interleaved(lambda: model.fit(X, Y), lambda: peer.fit(X, Y), repeats=5)
        yield ratio_row(f"common design ({T},{n},{p}) vs RidgeCV, 100 alphas", ours, theirs, 4)


THREADED = """
import json, time, warnings
import numpy as np
from benchmarks._data import common_rows, own_rows
from benchmarks._timing import interleaved
from skmtl import MultiTaskRidge, MultiTaskRidgeCV
warnings.simplefilter("ignore")
out = {}
for T, n, p in ((10, 100, 20), (50, 100, 200), (10, 1000, 200)):
    X, y, task = own_rows(T, n, p)
    Z = np.column_stack([X, task])
    out[f"fit, own rows ({T},{n},{p})"] = interleaved(
        lambda: MultiTaskRidge(task_column=p).fit(Z, y), repeats=9, clock=time.perf_counter)[0]
for T, n, p in ((5, 50, 10), (50, 500, 50), (20, 1000, 600)):
    X, Y = common_rows(T, n, p)
    out[f"fit, common design ({T},{n},{p})"] = interleaved(
        lambda: MultiTaskRidge().fit(X, Y), repeats=9, clock=time.perf_counter)[0]
X, y, task = own_rows(10, 100, 50)
Z = np.column_stack([X, task])
out["default grid, own rows (10,100,50)"] = interleaved(
    lambda: MultiTaskRidgeCV(task_column=50).fit(Z, y), repeats=3, clock=time.perf_counter)[0]
X, Y = common_rows(20, 300, 60)
out["default grid, common design (20,300,60)"] = interleaved(
    lambda: MultiTaskRidgeCV().fit(X, Y), repeats=5, clock=time.perf_counter)[0]
print(json.dumps(out))
"""


def threads():
    """Each case in a process of its own with one and with two BLAS threads."""
    one, two = (_threaded(count) for count in ("1", "2"))
    for case, single in one.items():
        ratio = two[case] / single
        yield [
            case,
            f"{1e3 * single:.2f}",
            f"{1e3 * two[case]:.2f}",
            f"{ratio:.2f}",
            "1.3",
            "ok" if ratio <= 1.3 else "OVER",
        ]


def _threaded(count):
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, count)
    run = subprocess.run(
        [sys.executable, "-c", THREADED],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)
