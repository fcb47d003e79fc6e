"""OpenBLAS kernels that this machine can run, each asked for in the environment of a process.

Sums are taken in another order by each, so that rounding differs as it does between processors.
"""

import json
import os
import subprocess
import sys

VARIABLE = "OPENBLAS_CORETYPE"
KERNELS = {  # name asked for: names that it may be reported under
    "Prescott": {"Prescott", "Katmai"},  # SSE3
    "Haswell": {"Haswell", "Zen"},  # AVX2
    "SkylakeX": {"SkylakeX", "Cooperlake", "SapphireRapids"},  # AVX-512
}
PROBE = """
import json, numpy, scipy.linalg, threadpoolctl
info = [i for i in threadpoolctl.threadpool_info() if i["user_api"] == "blas"]
print(json.dumps([[i["internal_api"], i.get("architecture")] for i in info]))
"""


def usable():
    """(kernels, reasons): names that can be compared here, and why each of the others is skipped.

    Where the environment has chosen a kernel that choice stands, and no name is usable.
    """
    if os.environ.get(VARIABLE):
        chosen = f"{VARIABLE}={os.environ[VARIABLE]} was set for this processor"
        return [], dict.fromkeys(KERNELS, chosen)
    kernels, reasons = [], {}
    for name, reported in KERNELS.items():
        libraries = _probe(name)
        others = [api for api, _ in libraries if api != "openblas"]
        found = sorted({architecture for _, architecture in libraries if architecture})
        if others or not libraries:
            reasons[name] = f"the BLAS is {', '.join(others) or 'unknown'}, not OpenBLAS"
        elif not set(found) <= reported:
            reasons[name] = f"the processor lacks its instructions: OpenBLAS took {found}"
        else:
            kernels.append(name)
    return kernels, reasons


def environment(kernel=None, threads=1):
    """Environment of a process under a kernel (None: as it is) with so many BLAS threads."""
    chosen = {} if kernel is None else {VARIABLE: kernel}
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    return os.environ | dict.fromkeys(names, str(threads)) | chosen


def _probe(kernel):
    """[name, architecture] of each BLAS that NumPy and SciPy load."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        env=environment(kernel),
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)
