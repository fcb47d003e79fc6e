"""``python -m benchmarks [NAME ...]``: print the tables, with one BLAS thread and CPU times."""

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy is imported

import argparse
import importlib
import warnings

BENCHMARKS = {  # the options that each takes
    "ridge": ["quick"],
    "perceptron": ["quick"],
    "raw_units": ["quick", "data"],
    "perceptron_real": ["quick", "data"],
    "balancing": ["quick"],
    "bargaining": ["quick"],
    "which_balancer": ["quick", "data"],
    "torchjd": ["quick"],
    "regimes": ["quick"],
    "scaling": ["quick"],
    "real": ["quick", "data"],
    "level": ["quick"],
    "lasso": ["quick"],
    "logistic": ["quick"],
    "classification": ["quick", "data"],
    "clustering": ["quick", "data"],
    "new_task": ["quick", "data"],
    "asymptotics": ["quick"],
    "bayesian": ["quick", "data"],
    "kernels": ["quick"],
}


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", default=list(BENCHMARKS), choices=list(BENCHMARKS), metavar="NAME"
    )
    parser.add_argument(
        "--quick", action="store_true", help="leave out what takes more than seconds"
    )
    parser.add_argument(
        "--data", metavar="DIR", help="folder with the real tables, for `real` and `new_task`"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    for name in options.names:
        chosen = {option: getattr(options, option) for option in BENCHMARKS[name]}
        importlib.import_module(f"benchmarks.{name}").main(**chosen)


if __name__ == "__main__":
    main()
