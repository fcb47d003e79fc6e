"""Requests that contradict themselves, or that cannot be written down, are refused."""

import os

from .._tables import shown

GRUNFELD_ROWS = 6  # training rows of each firm
# beside --target and --task-column
OF_FILES = ("--targets", "--drop", "--classification", "--regression", "--group-column")
OF_FILES += ("--decimal", "--thousands", "--na-values", "--sep", "--encoding", "--sheet")


def check_options(options):
    """Refuse options that contradict each other, and fill in those that depend on others."""
    named = {"--target": options.target, "--task-column": options.task_column}
    given = [name for name, value in named.items() if value is not None]
    if options.file is None:
        given += _named(options, *OF_FILES)
        if given:
            raise ValueError(f"{given[0]} needs a file; the embedded data have their own columns.")
    elif options.targets is None and len(given) < 2:
        raise ValueError(
            f"{shown(options.file)} needs --target and --task-column (a row has one label and "
            "names its task) or --targets (a column for each task)."
        )
    elif options.targets is not None and given:
        raise ValueError(f"give --targets or {given[0]}, not both.")
    if options.reference in options.without:
        raise ValueError(f"--without leaves out the reference, {options.reference!r}.")
    _check_columns(options)
    _check_reading(options)
    _check_sizes(options)


def _named(options, *names):
    """Which of these are given."""
    return [name for name in names if getattr(options, name[2:].replace("-", "_"))]


def _check_reading(options):
    """Labels are continuous or classes, and one mark does not stand for two things."""
    kinds = _named(options, "--classification", "--regression")
    if len(kinds) > 1:
        raise ValueError(f"give {kinds[0]} or {kinds[1]}, not both.")
    if options.decimal is not None and options.decimal == options.thousands:
        raise ValueError(
            f"--decimal and --thousands are both {options.decimal!r}; give two different marks, or "
            "one of them."
        )


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


def check_output(option, path):
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
