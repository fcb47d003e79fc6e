"""`python -m skmtl`: compare on a CSV file or on the embedded data, and info.

Exit status: 0; 2 for a request that cannot be met, and why in one line on stderr; 130 interrupted.
"""

import argparse
import csv
import json
import os
import platform
import re
import sys
import warnings
from importlib import metadata

import numpy as np

from . import __version__
from ._backend import cuda_is_available, resolve_device
from ._checks import printable
from ._csv import Table, counted, label_text, read_table
from ._progress import progress
from ._workload import check_work
from .datasets import load_grunfeld
from .model_selection import MultiTaskShuffleSplit, compare, compare_by_rows

PACKAGES = ("numpy", "scipy", "scikit-learn", "joblib", "pandas", "matplotlib")
GRUNFELD_ROWS = 6  # training rows of each firm
EXAMPLES = """examples:
  python -m skmtl compare
  python -m skmtl compare school.csv --target score --task-column school
  python -m skmtl compare plants.csv --targets height,weight,yield --plot gain.png
  python -m skmtl compare wards.csv --target grade --task-column ward --classification
  python -m skmtl compare --rows-per-task 3,6,12
"""


def main(argv=None):
    """Run the command line and return the exit status."""
    try:
        options = _parser().parse_args(argv)
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
        sys.stderr.write(f"skmtl: error: {_one_line(error)}\n")
        return 2
    return 0


def _one_line(message):
    """A message on one line of characters that can be printed, whatever names it repeats."""
    return printable(" ".join(str(message).split()))


class _Parser(argparse.ArgumentParser):
    """An error is one line, without the usage."""

    def error(self, message):
        self.exit(2, f"skmtl: error: {_one_line(message)}\n")


def _parser():
    parser = _Parser(
        prog="skmtl",
        description="Multi-task learning for small tabular data.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"skmtl {__version__}")
    parser.set_defaults(run=lambda options: parser.print_help())
    commands = parser.add_subparsers(title="commands", metavar="{compare,info}")
    _add_compare(commands)
    info = commands.add_parser("info", help="versions, backend and device")
    info.set_defaults(run=_info)
    return parser


def _add_compare(commands):
    parser = commands.add_parser(
        "compare",
        help="does learning the tasks together pay, on these data?",
        description="Fit MultiTaskRidgeCV, MultiTaskBayesianRidge and the simple models on the "
        "same random splits of the data, and say how the first differs from the best simple one. "
        "For classes these are logistic regressions.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_compare)
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE.csv", help="table with a header; default: embedded data")
    add("--target", metavar="COLUMN", help="long data: the column to predict")
    add("--task-column", metavar="COLUMN", help="long data: the column that names the task")
    add("--targets", metavar="A,B,C", type=_columns, help="wide data: a column for each task")
    add(
        "--classification",
        action="store_true",
        help="labels are classes, as text, truth values and two whole numbers always are",
    )
    add(
        "--group-column",
        metavar="COLUMN",
        help="rows with one value there, as a time, a person or a place, are not split apart",
    )
    add("--drop", metavar="A,B", type=_columns, default=[], help="columns that are no features")
    add(
        "--without",
        metavar="MODEL",
        action="append",
        default=[],
        help="leave out a model, by its name in the report; may be given more than once",
    )
    add("--repeats", type=_count(2), default=40, help="random splits, default 40")
    add("--test-size", type=_fraction, help="share of each task for testing, default 0.25")
    add("--n-per-task", type=_count(1), help="training rows of each task, instead of --test-size")
    add(
        "--rows-per-task",
        metavar="3,6,12",
        type=_counts,
        help="learning curves: the comparison at several numbers of training rows of each task",
    )
    add("--seed", type=_count(0), default=0, help="of the splits, default 0")
    add("--per-task", action="store_true", help="print the R2, or AUC, of each task too")
    add("--json", metavar="OUT.json", help="write all results there")
    add("--plot", metavar="OUT.png", help="draw the differences, or the learning curves, there")


def _count(least):
    def parse(text):
        if not text.isdecimal() or int(text) < least or int(text) >= 2**32:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least}, got {text!r}.")
        return int(text)

    return parse


def _counts(text):
    return sorted({_count(1)(part.strip()) for part in text.split(",")})


def _fraction(text):
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must be a number between 0 and 1, got {text!r}.")
    return value


def _columns(text):
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not all(names) or not names:
        raise argparse.ArgumentTypeError(f"must be column names with commas between, got {text!r}.")
    return names


def _compare(options):
    _check_options(options)
    _check_output("--json", options.json)
    _check_output("--plot", options.plot)
    table = _load_grunfeld(options) if options.file is None else _load_file(options)
    described = _describe(options, table)
    note = _check_work(options, table)
    lines = [described, *table.notes, _describe_splits(options, table)]
    sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.flush()
    if note is not None:
        sys.stderr.write(f"skmtl: {note}\n")
    comparison = _run(options, table)
    parts = {"per_task": True} if options.per_task else {}
    sys.stdout.write(comparison.to_text(**parts) + "\n")
    if options.json is not None:
        _write_json(options, table, comparison, described)
    if options.plot is not None:
        comparison.plot().figure_.savefig(options.plot, dpi=150)


def _check_work(options, table):
    """Refuse what would not fit into memory; a sentence on what takes long, or None."""
    n_splits = options.repeats * len(options.rows_per_task or [None])
    shape = {"wide": table.task is None, "without": options.without}
    return check_work(*np.shape(table.X), _task_sizes(table), n_splits=n_splits, **shape)


def _run(options, table):
    """The Comparison, or the ComparisonCurve; warnings come once each, in one line."""
    how = {"transformer": table.transformer, "callback": progress(sys.stderr)}
    how |= {"classification": table.classes is not None, "groups": table.group}
    how |= {"estimators": dict.fromkeys(options.without)}
    with warnings.catch_warnings(record=True) as caught:
        if options.rows_per_task is None:
            result = compare(table.X, table.y, table.task, cv=_splitter(options), **how)
        else:
            how |= {"rows_per_task": options.rows_per_task, "n_splits": options.repeats}
            result = compare_by_rows(table.X, table.y, table.task, random_state=options.seed, **how)
    for message in dict.fromkeys(_one_line(warning.message) for warning in caught):
        sys.stderr.write(f"skmtl: warning: {message}\n")
    return result


def _splitter(options):
    return MultiTaskShuffleSplit(
        options.repeats,
        test_size=options.test_size,
        n_per_task=options.n_per_task,
        random_state=options.seed,
    )


def _check_options(options):
    """Refuse options that contradict each other, and fill in those that depend on others."""
    named = {"--target": options.target, "--task-column": options.task_column}
    given = [name for name, value in named.items() if value is not None]
    if options.file is None:
        given += ["--targets"] * (options.targets is not None) + ["--drop"] * bool(options.drop)
        given += ["--classification"] * options.classification
        given += ["--group-column"] * (options.group_column is not None)
        if given:
            raise ValueError(f"{given[0]} needs a file; the embedded data have their own columns.")
    elif options.targets is None and len(given) < 2:
        raise ValueError(
            f"{options.file} needs --target and --task-column (a row has one label and names its "
            "task) or --targets (a column for each task)."
        )
    elif options.targets is not None and given:
        raise ValueError(f"give --targets or {given[0]}, not both.")
    _check_columns(options)
    _check_sizes(options)


def _check_sizes(options):
    """At most one option says how many rows are for training; without any there is a default."""
    names = ("--rows-per-task", "--test-size", "--n-per-task")
    values = (options.rows_per_task, options.test_size, options.n_per_task)
    given = [name for name, value in zip(names, values, strict=True) if value is not None]
    if len(given) > 1:
        raise ValueError(f"give {given[0]} or {given[1]}, not both.")
    if options.rows_per_task is not None and options.per_task:
        raise ValueError("give --rows-per-task or --per-task, not both.")
    if not given and options.file is None:
        options.n_per_task = GRUNFELD_ROWS
    elif not given:
        options.test_size = 0.25


def _check_columns(options):
    if options.target is not None and options.target == options.task_column:
        raise ValueError(f"--target and --task-column are the same column, {options.target!r}.")
    targets = options.targets or [options.target, options.task_column]
    if options.targets is not None and len(set(targets)) < max(len(targets), 2):
        raise ValueError(
            f"--targets must be two or more different columns, got {targets}; for one target use "
            "--target and --task-column."
        )
    if options.group_column in targets and options.group_column != options.task_column:
        raise ValueError(f"--group-column names {options.group_column!r}, which is a target.")
    both = [name for name in options.drop if name in targets]
    if both:
        raise ValueError(f"--drop names {both[0]!r}, which is a target or the task column.")


def _check_output(option, path):
    """Refuse a path that cannot be written before anything is computed."""
    if path is None:
        return
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        raise ValueError(f"{option}: {path} is a folder, not a file to write.")
    if not os.path.isdir(folder):
        raise ValueError(f"{option}: cannot write {path}; there is no folder {folder}.")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise ValueError(f"{option}: cannot write {path}; permission denied.")
    if option == "--plot":
        _check_figure(path)


def _check_figure(path):
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError as error:
        message = '--plot needs matplotlib; install it with `pip install "skmtl[cli]"`.'
        raise ImportError(message) from error
    kinds = sorted(FigureCanvasBase.get_supported_filetypes())
    if os.path.splitext(path)[1].lstrip(".").lower() not in kinds:
        raise ValueError(f"--plot: the name {path} must end in one of {', '.join(kinds)}.")


def _load_grunfeld(options):
    X, y, firm = load_grunfeld(return_X_y=True)
    return Table(X, y, firm, None, [])


def _load_file(options):
    table = read_table(
        options.file,
        target=options.target,
        task_column=options.task_column,
        targets=options.targets or (),
        group=options.group_column,
        drop=options.drop,
        classification=options.classification or None,
    )
    if table.task is not None and len(set(table.task)) < 2:
        raise ValueError(
            f"{options.file}: task column {options.task_column!r} names one task only, "
            f"{str(table.task[0])!r}; there is nothing to compare."
        )
    return table


def _describe(options, table):
    """What the data are: a line."""
    n, p = np.shape(table.X)
    sizes = _task_sizes(table)
    tasks, label = ("target", "label") if table.task is None else ("task", "row")
    spread = counted(sizes.max(), label)
    if sizes.min() < sizes.max():
        spread = f"{sizes.min()} to {spread}"
    embedded = 'Grunfeld data (embedded: "invest" of 11 firms in 20 years)'
    name = embedded if options.file is None else printable(options.file)
    return (
        f"{name}: {counted(n, 'row')}, {counted(p, 'feature')}, {counted(len(sizes), tasks)}, "
        f"{spread} a {tasks}."
    )


def _task_sizes(table):
    """Number of labels of each task."""
    if table.task is None:
        return np.asarray(table.y.notna().sum())
    return np.unique(table.task, return_counts=True)[1]


def _describe_splits(options, table):
    """How they are split: a line."""
    what, one = ("target", "label") if table.task is None else ("task", "row")
    if options.rows_per_task is not None:
        sizes = ", ".join(map(str, options.rows_per_task))
        size = f"training {one}s of each {what}: {sizes}; the others for testing"
    elif options.n_per_task is None:
        size = f"{100 * options.test_size:g} % of each {what} for testing"
    else:
        size = f"{counted(options.n_per_task, f'training {one}')} of each {what}"
        size += ", the others for testing"
        if options.n_per_task >= _task_sizes(table).min():
            size += f" (of a smaller {what} all but one)"
    if options.group_column is not None:
        groups = counted(len(set(table.group.tolist())), "group")
        size += f"; rows of one {options.group_column!r} together ({groups})"
    return f"{options.repeats} random splits (seed {options.seed}): {size}."


def _write_json(options, table, comparison, described):
    result = comparison.to_dict() | {
        "data": described,
        "seed": options.seed,
        "repeats": options.repeats,
        "test_size": options.test_size,
        "n_per_task": options.n_per_task,
        "group_column": options.group_column,
        "versions": _versions(),
    }
    if table.classes is not None:
        result["classes"] = [label_text(label) for label in table.classes]
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2, allow_nan=False)
        file.write("\n")


def _info(options):
    place = resolve_device("cuda" if cuda_is_available() else "cpu", np.empty((1, 1)))
    rows = _versions() | {
        "backend": place.xp.__name__.rpartition(".")[2],
        "device": str(place.device),
    }
    sys.stdout.write("".join(f"{name:<{max(map(len, rows))}}  {rows[name]}\n" for name in rows))


def _versions():
    """Versions of Python, of this package and of those that it uses; None where not installed."""
    found = {"skmtl": __version__, "python": platform.python_version()}
    found |= {name: _version(name) for name in PACKAGES}
    return found | {name: _version(name) for name in _gpu_packages() if _version(name)}


def _gpu_packages():
    """What the extras for GPUs install."""
    try:
        requirements = metadata.requires("skmtl") or []
    except metadata.PackageNotFoundError:
        return []
    return [re.match(r"[\w.-]+", line)[0] for line in requirements if 'extra == "cuda' in line]


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
