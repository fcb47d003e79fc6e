import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import skmtl
from skmtl import _cli
from skmtl._tables import read_table
from skmtl.model_selection import MultiTaskShuffleSplit, compare, compare_by_rows

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

ROOT = Path(skmtl.__file__).parents[1]
SIMPLE = ["pooled", "pooled + dummies", "independent", "independent, one alpha"]
MODELS = [*SIMPLE, "MultiTaskBayesianRidge", "MultiTaskRidgeCV"]
CLASSIFIERS = [*SIMPLE, "MultiTaskLogisticRegressionCV"]
LONG = ["--target", "y", "--task-column", "site", "--repeats", "2"]
WIDE = ["--targets", "u,v,w", "--repeats", "2"]


@pytest.fixture
def long_frame():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "c"])
    frame["site"] = np.repeat(["north", "south", "east", "west"], 15)
    frame["y"] = frame["a"] - frame["b"] + rng.normal(size=60)
    return frame


@pytest.fixture
def wide_frame():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(50, 3)), columns=["a", "b", "c"])
    for k, name in enumerate("uvw"):
        frame[name] = 10.0**k * (frame["a"] + rng.normal(size=50))
        frame.loc[rng.random(50) < 0.2, name] = np.nan
    return frame


@pytest.fixture
def save(tmp_path, monkeypatch):
    """Writes a frame, text or bytes as data.csv into the working directory."""
    monkeypatch.chdir(tmp_path)

    def save(content, **options):
        if isinstance(content, bytes):
            (tmp_path / "data.csv").write_bytes(content)
        elif isinstance(content, str):
            (tmp_path / "data.csv").write_text(content, encoding="utf-8")
        else:
            content.to_csv(tmp_path / "data.csv", **{"index": False} | options)
        return "data.csv"

    return save


@pytest.fixture
def run(capsys):
    """Runs the command line: (status, stdout, stderr)."""

    def run(*arguments):
        try:
            status = _cli.main(list(arguments))
        except SystemExit as exit:
            status = exit.code
        return (status, *capsys.readouterr())

    return run


def refusal(result):
    """The one line that a refused request leaves on stderr."""
    status, _, error = result
    assert status == 2
    assert error.startswith("skmtl: error: ") and error.endswith("\n")
    assert error.count("\n") == 1
    return error


# the main job


def test_the_embedded_data_are_compared_at_six_rows_a_firm(run):
    status, out, error = run("compare", "--repeats", "3")
    assert (status, error) == (0, "")
    assert "220 rows, 2 features, 11 tasks, 20 rows a task" in out
    assert "6 training rows of each task" in out
    assert all(f"\n{name}  " in out for name in MODELS)
    assert out.splitlines()[-1].startswith("MultiTaskRidgeCV explains")
    assert "R2 of each task" not in out


def test_the_report_is_that_of_compare(run):
    out = run("compare", "--repeats", "3", "--seed", "7", "--per-task")[1]
    X, y, firm = skmtl.datasets.load_grunfeld(return_X_y=True)
    cv = MultiTaskShuffleSplit(3, n_per_task=6, random_state=7)
    comparison = compare(X, y, firm, cv=cv)
    assert out.splitlines()[-1] == comparison.verdict
    shown = out[out.index("R2 of each task") :]
    assert shown.rstrip() == comparison.to_text(per_task=True).split("\n\n", 2)[2].rstrip()


def test_long_data_of_a_file(run, save, long_frame):
    status, out, error = run("compare", save(long_frame), *LONG)
    assert (status, error) == (0, "")
    assert out.startswith("data.csv: 60 rows, 3 features, 4 tasks, 15 rows a task.\n")
    assert "25 % of each task for testing" in out
    assert "explained variance" in out


def test_wide_data_of_a_file_with_missing_cells(run, save, wide_frame):
    wide_frame["u"] = wide_frame["u"].fillna(0.0)
    wide_frame.loc[3, ["u", "v", "w"]] = np.nan
    status, out, error = run("compare", save(wide_frame), *WIDE, "--per-task")
    assert (status, error) == (0, "")
    assert "49 rows, 3 features, 3 targets" in out
    assert "1 row without a target left out." in out
    assert "mean R2" in out
    for name in "uvw":
        assert any(line.startswith(f"{name}  ") for line in out.splitlines())


def test_file_and_frame_give_the_same_scores(run, save, long_frame):
    run("compare", save(long_frame), *LONG, "--test-size", ".3", "--json", "out.json")
    cv = MultiTaskShuffleSplit(2, test_size=0.3, random_state=0)
    table = long_frame[["a", "b", "c", "site"]]
    expected = compare(table, long_frame["y"], task_column="site", cv=cv)
    with open("out.json", encoding="utf-8") as file:
        scores = json.load(file)["scores"]
    for name in MODELS:
        np.testing.assert_allclose(scores[name], expected.scores[name], rtol=1e-9)


def test_json_is_strict_and_says_where_it_comes_from(run, save, long_frame):
    long_frame.loc[long_frame["site"] == "west", "y"] = 1.0  # no R2 of this task: not a number
    run("compare", save(long_frame), *LONG, "--n-per-task", "9", "--seed", "5", "--json", "o.json")

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    with open("o.json", encoding="utf-8") as file:
        result = json.load(file, parse_constant=refuse)
    assert {"table", "per_task", "verdict", "seed", "versions"} <= set(result)
    assert [row["model"] for row in result["table"]] == MODELS
    assert result["per_task"][3]["task"] == "west"
    assert result["per_task"][3]["pooled"] is None
    assert (result["seed"], result["n_per_task"], result["test_size"]) == (5, 9, None)
    assert result["versions"]["numpy"] == np.__version__


def test_the_plot_is_written(run, save, long_frame):
    status, _, error = run("compare", save(long_frame), *LONG, "--plot", "out.png")
    assert (status, error) == (0, "")
    with open("out.png", "rb") as file:
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"


def test_learning_curves_are_those_of_compare_by_rows(run):
    status, out, error = run("compare", "--rows-per-task", "6, 3", "--repeats", "3", "--seed", "7")
    assert (status, error) == (0, "")
    X, y, firm = skmtl.datasets.load_grunfeld(return_X_y=True)
    curve = compare_by_rows(X, y, firm, rows_per_task=(3, 6), n_splits=3, random_state=7)
    assert out.endswith(f"\n\n{curve}\n")
    assert "3 random splits (seed 7): training rows of each task: 3, 6; the others for test" in out


def test_learning_curves_of_a_file_are_written_and_drawn(run, save, wide_frame):
    arguments = ["--rows-per-task", "5,60", "--json", "o.json", "--plot", "o.png"]
    status, out, error = run("compare", save(wide_frame), *WIDE, *arguments)
    assert status == 0
    assert error.startswith("skmtl: warning: 60 rows per task skipped: task '")
    assert error.count("\n") == 1
    assert "training labels of each target: 5, 60" in out
    with open("o.json", encoding="utf-8") as file:
        result = json.load(file)
    assert result["rows_per_task"] == [5]
    assert out.endswith(f"{result['verdict']}\n")
    with open("o.png", "rb") as file:
        assert file.read(4) == b"\x89PNG"


# groups of rows that stay together


def test_rows_of_a_group_column_stay_together_and_it_is_no_feature(run, save, long_frame):
    long_frame["year"] = np.tile(np.arange(15), 4)
    status, out, error = run("compare", save(long_frame), *LONG, "--group-column", "year")
    assert (status, error) == (0, "")
    assert "60 rows, 3 features, 4 tasks" in out
    assert "rows of one 'year' together (15 groups)" in out
    cv = MultiTaskShuffleSplit(2, test_size=0.25, random_state=0)
    table = long_frame[["a", "b", "c", "site"]]
    expected = compare(table, long_frame["y"], task_column="site", cv=cv, groups=long_frame["year"])
    assert out.splitlines()[-1] == expected.verdict


def test_groups_of_wide_rows_that_are_kept(save, wide_frame):
    wide_frame["plot"] = np.arange(50) // 2
    wide_frame.loc[3, ["u", "v", "w"]] = np.nan  # a row without a target is left out
    table = read_table(save(wide_frame), targets=["u", "v", "w"], group="plot")
    assert list(table.X.columns) == ["a", "b", "c"]
    kept = wide_frame[["u", "v", "w"]].notna().any(axis=1)
    assert not kept[3] and table.group.tolist() == wide_frame["plot"][kept].tolist()


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["--group-column", "nowhere"], "has no column 'nowhere'"),
        (["--group-column", "y"], "--group-column names 'y', which is a target"),
    ],
)
def test_unusable_group_columns_are_refused_in_one_line(run, save, long_frame, arguments, named):
    assert named in refusal(run("compare", save(long_frame), *LONG, *arguments))
    assert "needs a file" in refusal(run("compare", "--group-column", "year"))


# large tables


def test_what_does_not_fit_into_memory_is_refused_before_the_work(
    run, save, long_frame, monkeypatch
):
    monkeypatch.setattr("skmtl._workload.free_memory", lambda: 1e3)
    error = refusal(run("compare", save(long_frame), *LONG))
    assert "1000 bytes of memory are free" in error and "--drop" in error


def test_long_work_is_told_beforehand(run, save, long_frame, monkeypatch):
    monkeypatch.setattr("skmtl._workload.LONG", 0.01)
    status, _, error = run("compare", save(long_frame), *LONG)
    assert status == 0
    assert error.startswith("skmtl: this takes") and error.count("\n") == 1


def test_columns_read_at_one_stroke_equal_columns_read_alone(save):
    cells = {"x": ["1", " 2.5 ", "-3e2"], "gap": ["1", "", "2"], "word": ["u", "v", "u"]}
    cells |= {"truth": ["true", "False", "true"], "site": list("aab"), "y": ["1", "2", "3"]}
    X = read_table(save(pd.DataFrame(cells)), target="y", task_column="site").X
    assert X["x"].tolist() == [1.0, 2.5, -300.0]
    assert X["truth"].tolist() == [1.0, 0.0, 1.0]
    assert X["word"].tolist() == ["u", "v", "u"]
    assert np.isnan(X["gap"][1]) and X["gap"][2] == 2.0


# classes


def class_frame(n=72):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
    frame["site"] = np.resize(["north", "south", "east"], n)
    z = frame["a"] - frame["b"] + 0.5 * rng.logistic(size=n)
    frame["y"] = np.where(z > 0, "yes", "no")
    return frame


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda y: y, "2 classes (how many labels): 'no' (34), 'yes' (38)."),
        (lambda y: y == "yes", "2 classes (how many labels): 'False' (34), 'True' (38)."),
        (lambda y: (y == "yes") * 1, "2 classes (how many labels): '0' (34), '1' (38)."),
        (lambda y: np.where(y == "yes", "2.0", "-1"), "'-1' (34), '2' (38)."),
    ],
    ids=["text", "truth values", "two numbers", "spelt differently"],
)
def test_text_truth_values_and_two_numbers_are_classes(save, change, said):
    frame = class_frame()
    path = save(frame.assign(y=change(frame["y"])))
    table = read_table(path, target="y", task_column="site")
    (note,) = (note for note in table.notes if note.startswith("classification: "))
    assert len(table.classes) == 2 and said in note
    again = table.y.map(dict(zip(table.classes, ["no", "yes"], strict=True)))
    assert again.tolist() == frame["y"].tolist()


def test_classes_of_a_file_are_compared_as_in_python(run, save):
    frame = class_frame()
    status, out, error = run("compare", save(frame), *LONG, "--per-task", "--json", "o.json")
    assert (status, error) == (0, "")
    assert "mean AUC" in out and "mean log loss" in out and "AUC of each task" in out
    assert out.splitlines()[-1].startswith("MultiTaskLogisticRegressionCV reaches a mean log loss")
    with open("o.json", encoding="utf-8") as file:
        result = json.load(file)
    cv = MultiTaskShuffleSplit(2, test_size=0.25, random_state=0)
    expected = compare(frame[["a", "b", "c"]], frame["y"], frame["site"], cv=cv)
    for name in CLASSIFIERS:
        np.testing.assert_allclose(result["scores"][name], expected.scores[name], rtol=1e-9)
    assert result["log_loss"]["verdict"] == out.splitlines()[-1]
    assert result["classes"] == ["no", "yes"]


def test_numbers_are_classes_where_the_flag_says_so(run, save):
    frame = class_frame()
    path = save(frame.assign(y=(frame["y"] == "yes") * 1 + (frame["a"] > 0)))
    assert "explained variance" in run("compare", path, *LONG)[1]
    status, out, error = run("compare", path, *LONG, "--classification", "--json", "o.json")
    assert (status, error) == (0, "")
    assert "3 classes" in out and "mean AUC" in out
    with open("o.json", encoding="utf-8") as file:
        assert json.load(file)["classes"] == ["0", "1", "2"]


@pytest.mark.slow
def test_words_among_numbers_are_classes_with_the_flag_only(run, save):
    frame = class_frame()
    path = save(frame.assign(y=np.where(frame["a"] > 1, "none", (frame["y"] == "yes") * 1)))
    said = "column 'y' should hold numbers, but row"
    assert said in (error := refusal(run("compare", path, *LONG))) and "--classification" in error
    assert "3 classes (how many labels): '0'" in run("compare", path, *LONG, "--classification")[1]


def test_wide_classes_with_missing_cells_and_columns_of_different_kinds(run, save):
    frame = class_frame()
    frame["v"] = frame["a"] > 0
    frame["w"] = np.where(frame["b"] > 0, 1.0, 0.0)
    for k, name in enumerate("yvw"):
        frame[name] = frame[name].astype(object)
        frame.loc[k::7, name] = None
    path = save(frame)
    status, out, error = run("compare", path, "--targets", "y,v,w", "--repeats", "2")
    assert (status, error) == (0, "")
    assert "6 classes (how many labels): '0' (" in out and "'True' (" in out and "'no' (" in out
    assert "72 rows, 4 features, 3 targets" in out  # the column of sites is a feature here


def test_labels_that_are_missing_are_no_class(save):
    frame = class_frame()
    frame.loc[:4, "y"] = ["", "NA", "nan", "null", "None"]
    table = read_table(save(frame), target="y", task_column="site")
    assert table.classes == ["no", "yes"]
    assert len(table.y) == 67
    assert "5 rows without a target left out." in table.notes


def test_learning_curves_of_classes_are_written_and_drawn(run, save):
    arguments = ["--rows-per-task", "12", "--json", "o.json", "--plot", "o.png"]
    status, out, error = run("compare", save(class_frame()), *LONG, *arguments)
    assert (status, error) == (0, "")
    with open("o.json", encoding="utf-8") as file:
        result = json.load(file)
    assert result["scoring"] == "mean AUC"
    assert out.endswith(f"{result['log_loss']['verdict']}\n")
    with open("o.png", "rb") as file:
        assert file.read(4) == b"\x89PNG"


@pytest.mark.parametrize(
    "labels, flag, named",
    [
        (
            [f"n{k}" for k in range(72)],
            [],
            "column 'y' has 72 distinct values in 72 rows, too many",
        ),
        (np.arange(72), ["--classification"], "column 'y' has 72 distinct values in 72 rows"),
        (
            np.resize([1, 2, 2.5], 72),
            ["--classification"],
            "has 2.5 in row 3, an amount and no cla",
        ),
        (np.resize([1.0, np.inf], 72), ["--classification"], "column 'y' is infinite in row 2"),
        (["no"] * 72, [], "the labels in y never vary"),
    ],
)
def test_unusable_classes_are_refused_in_one_line(run, save, labels, flag, named):
    path = save(class_frame().assign(y=labels))
    assert named in refusal(run("compare", path, *LONG, *flag))


# features


def test_text_becomes_indicators_and_missing_cells_are_filled(save, long_frame):
    long_frame["colour"] = ["red", "blue", None] * 20
    long_frame["yes"] = long_frame["a"] > 0
    long_frame.loc[::7, "b"] = np.nan
    table = read_table(save(long_frame), target="y", task_column="site")
    X = table.transformer.fit_transform(table.X)
    assert X.shape == (60, 4 + 3)
    assert np.isfinite(X).all()
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(X.std(axis=0), 1, atol=1e-12)
    assert [len(np.unique(column)) for column in X[:, 4:].T] == [2, 2, 2]
    assert any("'b'" in note for note in table.notes)
    assert any("'colour'" in note for note in table.notes)


def test_a_value_of_text_that_training_rows_lack_is_no_indicator(save, long_frame):
    long_frame["colour"] = ["red"] * 59 + ["blue"]
    table = read_table(save(long_frame), target="y", task_column="site")
    X = table.transformer.fit(table.X[:59]).transform(table.X[59:])
    assert X[0, 3:].tolist() == [-1.0]  # of red alone: not red, in an indicator without a spread


def test_odd_columns_are_no_obstacle(run, save, long_frame):
    long_frame["constant"], long_frame["empty"] = 1, np.nan
    long_frame[" padded "] = 2.5
    status, out, error = run("compare", save(long_frame, index=True), *LONG)
    assert (status, error) == (0, "")
    assert "60 rows, 5 features" in out
    assert "1 column without a name left out." in out and "empty has no value; left out." in out


@pytest.mark.parametrize(
    "ids",
    [
        ["01", "1"],
        ["1.0", "1"],
        ["12345678901234567.0", "12345678901234568.5"],
        ["99999999999999999998", "99999999999999999999"],
        ["True", "1"],
        ["NA", "None", "nan", "null", "N/A"],
    ],
)
def test_task_ids_stay_as_they_stand_in_the_file(run, save, long_frame, ids):
    long_frame["site"] = np.resize(ids, 60)
    out = run("compare", save(long_frame), *LONG, "--per-task")[1]
    assert f"60 rows, 3 features, {len(ids)} tasks" in out
    shown = out[out.index("R2 of each task") :].splitlines()[2 : 2 + len(ids)]
    assert [line.split()[0] for line in shown] == sorted(ids)


def test_ids_that_read_alike_are_told_once(run, save, long_frame):
    long_frame["site"] = np.resize(["7", "07", "8", "9"], 60)
    status, out, error = run("compare", save(long_frame), *LONG)
    assert (status, error) == (0, "")
    assert out.count("'7' and '07' differ in spelling only, and stay apart") == 1


def test_names_are_found_however_their_accents_are_written(run, save, long_frame):
    file = long_frame.rename(columns={"site": "re\u0301gion", "a": "\u00e2ge"})
    names = ["--target", "y", "--task-column", "r\u00e9gion", "--drop", "a\u0302ge"]
    status, out, error = run("compare", save(file), *names, "--repeats", "2")
    assert (status, error) == (0, "") and "60 rows, 2 features, 4 tasks" in out


def test_tasks_with_integers_as_ids_are_sorted_by_size(run, save, long_frame):
    long_frame["site"] = np.resize([100, 20, -3], 60)
    run("compare", save(long_frame), *LONG, "--json", "o.json")
    with open("o.json", encoding="utf-8") as file:
        assert [row["task"] for row in json.load(file)["per_task"]] == [-3, 20, 100]


def test_words_for_missing_are_values_of_text_and_holes_among_numbers(save, long_frame):
    long_frame["colour"] = ["red", "NA", "None"] * 20
    text = long_frame.astype(str)
    text.loc[::7, "b"] = "NA"
    table = read_table(save(text), target="y", task_column="site")
    assert sorted(set(table.X["colour"])) == ["NA", "None", "red"]
    np.testing.assert_array_equal(table.X["b"].isna(), np.arange(60) % 7 == 0)


def test_text_is_counted_and_a_column_of_names_is_pointed_out(save, long_frame):
    long_frame["colour"] = ["red", "blue", None] * 20
    long_frame["name"] = [f"n{k // 2}" for k in range(60)]
    notes = read_table(save(long_frame), target="y", task_column="site").notes
    assert any("'colour' (2), 'name' (30)" in note for note in notes)
    (warned,) = (note for note in notes if "--drop" in note)
    assert "'name'" in warned and "'colour'" not in warned


def test_long_and_unprintable_ids_keep_a_row_a_line(run, save, long_frame):
    long_frame["site"] = np.resize(["a\nb\x1b[31m", "c" * 80], 60)
    status, out, _ = run("compare", save(long_frame), *LONG, "--per-task")
    assert status == 0
    shown = out[out.index("R2 of each task") :].splitlines()
    assert shown[2].startswith("a\\nb\\x1b[31m  ")
    assert shown[3].startswith("c" * 27 + "...  ")


@pytest.mark.parametrize(
    "n_rows, said", [([1, 1], "1 row a task."), ([1, 2], "1 to 2 rows a task.")]
)
def test_one_row_is_a_singular(run, save, n_rows, said):
    rows = [f"{k},{t},s{t}\n" for t, n in enumerate(n_rows) for k in range(n)]
    assert said in run("compare", save("a,y,site\n" + "".join(rows)), *LONG)[1]


def test_lines_may_end_as_on_any_system_and_blank_ones_do_not_count(save, long_frame):
    text = long_frame.to_csv(index=False)
    expected = read_table(save(text), target="y", task_column="site")
    for ending in ("\r\n", "\r", "\n \n"):
        path = save(("\n" + text).replace("\n", ending).encode())
        table = read_table(path, target="y", task_column="site")
        pd.testing.assert_frame_equal(table.X, expected.X)
        assert table.task.tolist() == expected.task.tolist()


def test_rows_without_a_target_are_left_out_and_counted(run, save, long_frame):
    long_frame.loc[:4, "y"] = np.nan
    out = run("compare", save(long_frame), *LONG)[1]
    assert "55 rows, 3 features, 4 tasks, 10 to 15 rows a task" in out
    assert "5 rows without a target left out." in out


def test_columns_can_be_dropped(run, save, long_frame):
    long_frame["name"] = [f"row {k}" for k in range(60)]
    assert "60 rows, 2 features" in run("compare", save(long_frame), *LONG, "--drop", "name,a")[1]


def test_models_can_be_left_out(run, save, wide_frame, long_frame):
    names = ["independent, one alpha", "MultiTaskBayesianRidge"]
    options = [part for name in names for part in ("--without", name)]
    out = run("compare", save(wide_frame), *WIDE, *options)[1]
    assert not any(f"\n{name}  " in out for name in names)
    assert all(f"\n{name}  " in out for name in MODELS if name not in names)
    out = run("compare", save(long_frame), *LONG, *options, "--rows-per-task", "3,6")[1]
    assert not any(f"\n{name}  " in out for name in names) and "\npooled  " in out


def test_a_model_that_refuses_the_table_is_left_out_with_a_warning(run, save, wide_frame):
    wide_frame = wide_frame.fillna(0.0)
    wide_frame.loc[::2, "w"], wide_frame.loc[1::2, ["u", "v"]] = np.nan, np.nan
    arguments = [*WIDE, "--n-per-task", "1", "--json", "o.json"]
    status, out, error = run("compare", save(wide_frame), *arguments)
    assert status == 0
    assert error.startswith("skmtl: warning: MultiTaskBayesianRidge is left out: it failed on")
    assert "left out, as it failed on a split: MultiTaskBayesianRidge\n" in out
    left_out = json.loads(Path("o.json").read_text(encoding="utf-8"))["left_out"]
    assert list(left_out) == ["MultiTaskBayesianRidge"]


def test_names_with_commas_are_quoted(run, save, wide_frame):
    path = save(wide_frame.rename(columns={"u": "u, in cm"}))
    assert run("compare", path, "--targets", 'v,w,"u, in cm"', "--repeats", "2")[0] == 0


def test_a_byte_order_mark_is_no_part_of_the_first_name(run, save, long_frame):
    text = long_frame[["y", "a", "site"]].to_csv(index=False)
    assert run("compare", save(b"\xef\xbb\xbf" + text.encode()), *LONG)[0] == 0


# requests that cannot be met


@pytest.mark.parametrize(
    "content, named",
    [
        ("", "data.csv is empty"),
        ("a,y,site\n", "data.csv has a header but no rows"),
        (bytes(range(256)) * 9, "data.csv is not text, nor"),
        (b"a,y,site\n1,2,\0\n", "data.csv is not text, nor"),
        ("a,a,y,site\n1,2,3,4\n", "two columns named 'a'"),
        ("a,y,site\n1,2,3,4\n", "row 1 has 4 cells, but the header has 3; cells are sep"),
        ("a,y,site\n1,2,3\n1,2,3,4\n", "row 2 has 4 cells, but the header has 3; put a cell"),
        (
            "a,b,y,site\n1,2,3,s\n\n1,2,3\n",
            "row 2 has 3 cells, but the header has 4; take the last line out if",
        ),
        (
            'a,y,site\n1,2,s\n1,"2,t\n1,2,u\n',
            "a quotation mark in row 2 lacks its partner; take it out",
        ),
        (f"a,y,site\n1,2,{'s' * 2**18}\n", "a cell of more than 131072 characters"),
        ("a,y,site\n1,2,s\n2e200,3,t\n", "column 'a' has 2e200 in row 2, beyond 1e+100"),
        ("a,y,site\n1,2,s\n2,-1e101,t\n", "column 'y' has -1e101 in row 2, beyond 1e+100"),
        ("a,site\n1,2\n", "no column 'y'"),
        ("a,y\n1,2\n", "no column 'site'"),
        ("y,site\n1,s\n2,t\n", "no column left for a feature"),
        ("a,y,site\n1,,s\n2,,t\n", "no value in 'y'"),
        (
            "a,y,site\n1,1,s\n2,,s\n3,oops,t\n",
            "column 'y' should hold numbers, but row 3 has 'oops'",
        ),
        ("a,y,site\n1,2,s\nno,2,s\n3,4,t\n", "column 'a' should hold numbers, but row 2 has 'no'"),
        ("a,y,site\n1,1,s\n2,,s\ninf,3,t\n", "column 'a' is infinite in row 3"),
        ("a,y,site\n1,inf,s\n2,3,t\n", "column 'y' is infinite in row 1"),
        ("a,y,site\n1,2,s\n2,3,\n", "task column 'site' is empty in row 2"),
        ("a,y,site\n1,2,s\n2,3,s\n", "task column 'site' names one task only, 's'"),
        ("a,y,site\n1,2,7\n2,3,7\n", "task column 'site' names one task only, '7'"),
        ("a,y,site\n1,2,s\n2,3,t\n", "trains on: each task has one label only"),
        ("a,y,site\n1,2,s\n2,2,t\n1,2,s\n1,2,t\n", "the labels in y never vary"),
        ("a,y,site\n" + "".join(f"n{k},{k},{k % 2}\n" for k in range(200)), "--drop 'a'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(run, save, content, named):
    assert named in refusal(run("compare", save(content), *LONG))


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["nosuch.csv", *LONG], "cannot read nosuch.csv"),
        ([".", *LONG], "cannot read ."),
        (["data.csv"], "needs --target and --task-column"),
        (["data.csv", "--target", "y"], "needs --target and --task-column"),
        (["data.csv", "--target", "y", "--task-column", "y"], "the same column, 'y'"),
        (["data.csv", *LONG, "--targets", "a,b"], "--targets or --target"),
        (["data.csv", "--targets", "a,b", "--task-column", "site"], "--targets or --task-column"),
        (["data.csv", "--targets", "a"], "--targets must be two or more"),
        (["data.csv", "--targets", "a,a"], "--targets must be two or more"),
        (["data.csv", "--targets", "a,,b"], "--targets"),
        (["data.csv", "--targets", "a,nosuch"], "no column 'nosuch'"),
        (["data.csv", "--targets", "a,site"], "column 'site' should hold numbers"),
        (["data.csv", *LONG, "--drop", "y"], "--drop names 'y'"),
        (["data.csv", *LONG, "--drop", "nosuch"], "no column 'nosuch'"),
        (["data.csv", *LONG, "--drop", "a,b,c"], "no column left"),
        (["data.csv", *LONG, "--repeats", "1"], "--repeats"),
        (["data.csv", *LONG, "--repeats", "-3"], "--repeats"),
        (["data.csv", *LONG, "--repeats", "many"], "--repeats"),
        (["data.csv", *LONG, "--seed", "1.5"], "--seed"),
        (["data.csv", *LONG, "--seed", str(2**32)], "--seed"),
        (["data.csv", *LONG, "--n-per-task", "0"], "--n-per-task"),
        (["data.csv", *LONG, "--test-size", "1"], "--test-size"),
        (["data.csv", *LONG, "--test-size", "nan"], "--test-size"),
        (["data.csv", *LONG, "--test-size", ".2", "--n-per-task", "3"], "not both"),
        (["data.csv", *LONG, "--n-per-task", "3", "--rows-per-task", "3"], "not both"),
        (["data.csv", *LONG, "--per-task", "--rows-per-task", "3"], "not both"),
        (["data.csv", *LONG, "--rows-per-task", "3,x"], "--rows-per-task"),
        (["data.csv", *LONG, "--rows-per-task", "15,20"], "needs one for testing"),
        (["data.csv", *LONG, "--json", "nosuch/o.json"], "--json: cannot write nosuch/o.json"),
        (["data.csv", *LONG, "--json", "."], "--json: . is a folder"),
        (["data.csv", *LONG, "--plot", "nosuch/o.png"], "--plot: cannot write nosuch/o.png"),
        (["data.csv", *LONG, "--plot", "o.xyz"], "--plot: the name o.xyz must end in one of"),
        (["data.csv", *LONG, "--without", "pool"], "'pool' cannot be left out"),
        (["data.csv", *LONG, "--without", "MultiTaskRidgeCV"], "name another reference"),
        (["data.csv", *LONG, "--reference", "pooled", "--without", "pooled"], "--without leaves"),
        (["data.csv", *LONG, "--nosuch"], "--nosuch"),
        (["--target", "y"], "--target needs a file"),
        (["--drop", "y"], "--drop needs a file"),
        (["--classification"], "--classification needs a file"),
    ],
)
def test_options_that_cannot_be_met_are_refused_in_one_line(
    run, save, long_frame, arguments, named
):
    save(long_frame)
    assert named in refusal(run("compare", *arguments))


def test_an_unknown_command_is_refused_in_one_line(run):
    assert "nosuch" in refusal(run("nosuch"))


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="needs a user who may not write"
)
def test_a_folder_without_permission_is_refused(run, tmp_path):
    tmp_path.chmod(0o500)
    assert "permission denied" in refusal(run("compare", "--json", str(tmp_path / "o.json")))


def test_an_error_while_writing_is_one_line(run, save, long_frame, monkeypatch):
    def fail(*args, **options):
        raise OSError(28, "No space left on device", "out.json")

    monkeypatch.setattr(_cli._report.json, "dump", fail)
    assert "No space left" in refusal(run("compare", save(long_frame), *LONG, "--json", "out.json"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_of_files_are_shown_without_control_characters(run, save, long_frame, tmp_path):
    name = "a\x1b[31m\u202eb.csv"
    for arguments in (("compare", name, *LONG), ("compare", "--nothing\x1b[2J"), (name,)):
        assert refusal(run(*arguments))[:-1].isprintable()
    assert "a\\x1b[31m\\u202eb.csv" in refusal(run("compare", name, *LONG))
    Path(save(long_frame)).rename(name)
    assert run("compare", name, *LONG)[1].startswith("a\\x1b[31m\\u202eb.csv: 60 rows")


def test_without_pandas_a_file_needs_the_extra(run, save, long_frame, monkeypatch):
    path = save(long_frame)
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert 'pip install "skmtl[cli]"' in refusal(run("compare", path, *LONG))


def test_without_matplotlib_a_plot_needs_the_extra(run, monkeypatch):
    for name in ("matplotlib", "matplotlib.backend_bases"):
        monkeypatch.setitem(sys.modules, name, None)
    assert 'pip install "skmtl[cli]"' in refusal(run("compare", "--plot", "out.png"))


WITHOUT_EXTRAS = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("pandas", "matplotlib"):
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
from skmtl._cli import main
sys.exit(main(["compare", "--repeats", "2", "--per-task", "--json", sys.argv[1]]))
"""


def test_the_embedded_data_need_neither_pandas_nor_matplotlib(tmp_path):
    command = [sys.executable, "-c", WITHOUT_EXTRAS, str(tmp_path / "out.json")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "MultiTaskRidgeCV explains" in done.stdout
    assert (tmp_path / "out.json").exists()


# around it


def test_no_command_prints_help(run):
    status, out, error = run()
    assert (status, error) == (0, "")
    assert "compare" in out and "info" in out


def test_version(run):
    assert run("--version")[:2] == (0, f"skmtl {skmtl.__version__}\n")


def test_info_lists_versions_backend_and_device(run):
    status, out, error = run("info")
    assert (status, error) == (0, "")
    rows = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert rows["numpy"] == np.__version__
    assert {"skmtl", "python", "scipy", "scikit-learn", "joblib", "backend", "device"} <= set(rows)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_drawn_on_a_terminal_only(run, monkeypatch):
    assert "splits" not in run("compare", "--repeats", "2")[2]
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    _cli.main(["compare", "--repeats", "2"])
    steps = terminal.getvalue().split("\r")
    assert "1/2 splits" in steps[1]
    assert steps[2].strip() == ""  # wiped when all is done


def test_warnings_are_told_once_and_in_one_line(run, save, long_frame, monkeypatch):
    def warn_twice(*args, **options):
        for _ in range(2):
            _cli._report.warnings.warn("odd\ndata", UserWarning, stacklevel=1)
        return compare(*args, **options)

    monkeypatch.setattr(_cli._report, "compare", warn_twice)
    assert run("compare", save(long_frame), *LONG)[2] == "skmtl: warning: odd data\n"


def test_an_interrupt_ends_with_130_and_no_traceback(run, monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(_cli._report, "compare", interrupt)
    status, _, error = run("compare")
    assert status == 130
    assert "Traceback" not in error


def start(*arguments, **options):
    command = [sys.executable, "-m", "skmtl", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, **options)


def test_a_reader_that_leaves_is_no_error():
    read, write = os.pipe()
    process = start("compare", "--repeats", "2", stdout=write)
    os.close(write)
    os.close(read)
    assert process.communicate()[1] == ""
    assert process.returncode in (1, 141)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_of_a_running_comparison_is_quiet():
    process = start("compare", "--repeats", "100000", stdout=subprocess.PIPE)
    process.stdout.readline()  # it is running now
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in error
