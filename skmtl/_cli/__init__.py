"""`python -m skmtl`: compare on a file or on the embedded data, and info.

Exit status: 0; 2 for a request that cannot be met, and why in one line on stderr; 130 interrupted;
141 where the reader of the report left before its end.
"""

import os
import sys

from .._checks import one_line
from ._options import parser


def main(argv=None):
    """Run the command line and return the exit status."""
    try:
        options = parser().parse_args(argv)
        options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("\nskmtl: interrupted\n")
        return 130
    except BrokenPipeError:
        # whoever read has seen enough; Python would complain when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ImportError, MemoryError, OSError, ValueError) as error:
        sys.stderr.write(f"skmtl: error: {one_line(error)}\n")
        return 2
    return 0
