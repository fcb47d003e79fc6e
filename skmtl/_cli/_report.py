"""`compare`: the data, the splits, what the comparison says, and files of it."""

import json
import sys
import warnings

import numpy as np

from .._checks import one_line, printable
from .._progress import progress
from .._tables import Table, counted, label_text, read_table, shown
from .._workload import check_work
from ..datasets import load_grunfeld
from ..model_selection import MultiTaskShuffleSplit, compare, compare_by_rows
from ._checks import check_options, check_output
from ._info import versions


def run_compare(options):
    """Print the report and write the files asked for."""
    check_options(options)
    check_output("--json", options.json)
    check_output("--plot", options.plot)
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
    how |= {"estimators": dict.fromkeys(options.without), "reference": options.reference}
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("ignore", ".* read alike")  # a note on the file says so
        if options.rows_per_task is None:
            result = compare(table.X, table.y, table.task, cv=_splitter(options), **how)
        else:
            how |= {"rows_per_task": options.rows_per_task, "n_splits": options.repeats}
            result = compare_by_rows(table.X, table.y, table.task, random_state=options.seed, **how)
    for message in dict.fromkeys(one_line(warning.message) for warning in caught):
        sys.stderr.write(f"skmtl: warning: {message}\n")
    return result


def _splitter(options):
    return MultiTaskShuffleSplit(
        options.repeats,
        test_size=options.test_size,
        n_per_task=options.n_per_task,
        random_state=options.seed,
    )


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
        classification=True if options.classification else False if options.regression else None,
        decimal=options.decimal,
        thousands=options.thousands,
        na_values=options.na_values,
        sep=options.sep,
        encoding=options.encoding,
        sheet=options.sheet,
    )
    if table.task is not None and len(set(table.task)) < 2:
        raise ValueError(
            f"{shown(options.file)}: task column {options.task_column!r} names one task only, "
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
    name = embedded if options.file is None else printable(shown(options.file))
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
        "notes": table.notes,
        "versions": versions(),
    }
    if table.classes is not None:
        result["classes"] = [label_text(label) for label in table.classes]
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2, allow_nan=False)
        file.write("\n")
