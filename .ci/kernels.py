"""Numerical tests under each OpenBLAS kernel that this machine can run, and with two BLAS threads.

Sums in another order round otherwise: a test that reads rounding passes on some processors only.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._kernels import environment, usable  # noqa: E402, beside the sources only

FILES = """
    balanced_linear balancing_cone balancing_gramian_rules balancing_gradients bargaining
    bayesian_ridge clustering_solver evidence feature_units fixed_point_weights invariances
    least_maximum linear_regressor logistic perceptron perceptron_units ridge ridge_cv solvers
    standardize stream
""".split()
THREADED = (
    "balanced_linear bargaining bayesian_ridge invariances ridge ridge_cv standardize".split()
)


def main():
    kernels, reasons = usable()
    for name, reason in reasons.items():
        print(f"-- {name} is skipped: {reason}.")
    failed = [name for name in kernels if not passes(name, FILES, environment(name))]
    if not passes("two threads", THREADED, environment(threads=2)):
        failed.append("two threads")
    if failed:
        sys.exit(f"Tests fail under {', '.join(failed)}.")


def passes(name, files, env):
    """Whether the tests pass; what they say is printed."""
    start = time.monotonic()
    print(f"-- {name}", flush=True)
    paths = [f"tests/test_{file}.py" for file in files]
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", *paths], cwd=ROOT, env=env)
    print(f"-- {name}: {time.monotonic() - start:.0f} s", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    main()
