"""What can be asked on the command line."""

import argparse
import csv
from unicodedata import normalize

import numpy as np

from .. import __version__
from .._checks import one_line
from ._info import run_info
from ._report import run_compare

EXAMPLES = """examples:
  python -m skmtl compare
  python -m skmtl compare school.csv --target score --task-column school
  python -m skmtl compare school.xlsx --target score --task-column school --sheet 2
  gunzip -c school.tsv.gz | python -m skmtl compare - --target score --task-column school
  python -m skmtl compare plants.csv --targets height,weight,yield --plot gain.png
  python -m skmtl compare wards.csv --target grade --task-column ward --classification
  python -m skmtl compare --rows-per-task 3,6,12
"""


class _Parser(argparse.ArgumentParser):
    """An error is one line, without the usage."""

    def error(self, message):
        self.exit(2, f"skmtl: error: {one_line(message)}\n")


def parser():
    """The parser of all commands."""
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
    info.set_defaults(run=run_info)
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
    parser.set_defaults(run=run_compare)
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="table with a header: text as CSV, packed or not, a workbook of Excel, Parquet or "
        "Feather, told by its content; - for standard input; default: embedded data",
    )
    topics = {"columns": _add_columns, "how the file is read": _add_reading}
    topics |= {"models and splits": _add_splits, "output": _add_output}
    for topic, add_options in topics.items():
        add_options(parser.add_argument_group(topic).add_argument)


def _add_columns(add):
    add("--target", metavar="COLUMN", type=_name, help="long data: the column to predict")
    add("--task-column", metavar="COLUMN", type=_name, help="long data: the column of the task ids")
    add("--targets", metavar="A,B,C", type=_columns, help="wide data: a column for each task")
    add(
        "--classification",
        action="store_true",
        help="labels are classes, as text, truth values and two whole numbers always are",
    )
    add(
        "--regression",
        action="store_true",
        help="labels are continuous, as numbers of three or more different values always are",
    )
    add(
        "--group-column",
        metavar="COLUMN",
        type=_name,
        help="rows with one value there, as a time, a person or a place, are not split apart",
    )
    add("--drop", metavar="A,B", type=_columns, default=[], help="columns that are no features")


def _add_reading(add):
    add(
        "--sep",
        metavar="CHARACTER",
        help="text: what separates cells, as ';' or its name: comma, "
        "semicolon, tab, bar, blank; default: what divides all rows alike",
    )
    add(
        "--encoding",
        metavar="NAME",
        help="text: its encoding, as cp1252 or utf-16; default: utf-8, or what the file shows",
    )
    add(
        "--sheet", metavar="SHEET", help="workbooks: name or number of the sheet, default the first"
    )
    add(
        "--na-values",
        metavar="A,B",
        type=_columns,
        default=[],
        help="cells that mean missing, in every column, and rows with such an id are left out; "
        "--na-values=-9,x where the first is a dash",
    )
    mark = {"choices": [".", ","], "metavar": "MARK"}
    add("--decimal", **mark, help="decimal mark, . or , where a column's cells do not show it")
    add("--thousands", **mark, help="mark between thousands, . or , where cells do not show it")


def _add_splits(add):
    add(
        "--without",
        metavar="MODEL",
        action="append",
        default=[],
        help="leave out a model, by its name in the report; may be given more than once",
    )
    add(
        "--reference",
        metavar="MODEL",
        help="the model that the verdict is about, default MultiTaskRidgeCV, of classes "
        "MultiTaskLogisticRegressionCV",
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


def _add_output(add):
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


def _name(text):
    """A name as it is read from files: its letters and their accents are one character each."""
    return normalize("NFC", text)


def _columns(text):
    cells = next(csv.reader([_name(text)], skipinitialspace=True), [])
    names = [name.strip() for name in cells]
    if not all(names) or not names:
        raise argparse.ArgumentTypeError(f"must be column names with commas between, got {text!r}.")
    return names
