"""The benchmarks run at small sizes, and their verdicts follow from what they measured."""

import importlib
import inspect
import os
import re
from pathlib import Path

import numpy as np
import pytest

from skmtl import MultiTaskPerceptron
from skmtl.balancing import BALANCERS, balance
from skmtl.model_selection import Comparison

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").is_dir(), reason="benchmarks/ lies beside the sources only"
)
DATA = os.environ.get("SKMTL_BENCHMARK_DATA")
SHAPES = {
    "school": ((15362, 28), (15362,)),
    "arabidopsis": ((158, 117), (158, 24)),
    "jura": ((359, 15), (359, 3)),
    "enb": ((768, 8), (768, 2)),
    "wheat": ((599, 1279), (599, 4)),
}


@pytest.fixture
def module(monkeypatch):
    """Import a module of benchmarks/, which is not installed, by its name."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: importlib.import_module(f"benchmarks.{name}")


def comparison_with(gain):
    own = np.array([0.5, 0.6, 0.7])
    scores = {"pooled": own - 0.1, "independent": own, "MultiTaskRidgeCV": own + gain}
    return Comparison(
        scores=scores,
        fit_seconds=dict.fromkeys(scores, 0.001),
        task_scores={name: np.zeros(2) for name in scores},
        tasks=["a", "b"],
        n_labels=np.array([5, 5]),
        reference="MultiTaskRidgeCV",
        simple=["pooled", "independent"],
        scoring="explained variance",
        test_train_ratio=1 / 3,
    )


def test_each_benchmark_takes_the_options_it_is_registered_with(module, monkeypatch):
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")  # importing the entry point sets them: undone afterwards
    for name, options in module("__main__").BENCHMARKS.items():
        assert list(inspect.signature(module(name).main).parameters) == options


def test_bargains_are_all_right_and_slsqp_is_judged_by_the_same_residual(module):
    bench = module("bargaining")
    ours, peer, ours_apart, peer_apart = bench.bargains(4)
    for row in (ours, ours_apart):
        assert row[3] + row[4] == row[2] == 4  # gains, or a certificate that there is no bargain
        assert row[5] == row[6] == 0
    assert peer[1] == peer_apart[1] == "SLSQP"
    X, Y = bench.drawn(0, 3, 0)
    assert bench._judged(X, Y, np.zeros(5)) == (False, np.inf)  # a point without gains is wrong


def test_exponent_is_that_of_a_power_law_in_the_upper_half(module):
    sizes = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    times = np.where(sizes < 8, 1.0, 3 * sizes**2.5)
    assert module("scaling").exponent(sizes, times) == pytest.approx(2.5)


def test_growth_predicted_for_tasks_of_their_own_rows_is_linear_in_their_number(module):
    scaling = module("scaling")
    study = scaling.STUDIES[0]._replace(base={"T": 2, "n": 8, "p": 3})
    row = scaling.row_of(study, "T", [2, 4, 8], repeats=1)
    assert (row[1], row[5], row[8]) == ("T 2 to 8", "1.00", "1.00")


def test_every_study_fits_what_it_says(module):
    for study in module("scaling").STUDIES:
        model = study.make(T=3, n=12, p=2)()
        assert model.coef_.shape == (3, 2)


def test_peak_memory_sees_numpy_arrays_that_are_gone_again(module):
    peak = module("_memory").peak_bytes(lambda: np.ones(100_000).sum())
    assert 800_000 <= peak < 820_000


@pytest.mark.parametrize("share", [0.1, 0.5, 0.75])
def test_hidden_cells_are_the_share_asked_for_and_every_row_keeps_one(module, share):
    hidden = module("_shapes").hidden_cells((40, 4), share, np.random.default_rng(0))
    assert hidden.sum() == share * 160
    assert not hidden.all(axis=1).any()


def test_unequal_rows_have_the_sizes_asked_for(module):
    X, y, task = module("_shapes").unequal_rows([1, 4, 7], 2)
    assert X.shape == (12, 2) and y.shape == (12,)
    assert np.bincount(task).tolist() == [1, 4, 7]


def test_regimes_print_a_row_for_each_case(module, monkeypatch):
    regimes = module("regimes")
    monkeypatch.setattr(regimes, "MASKED", [(3, 20, 4)])
    ((case, ours, *_),) = regimes.missing_labels(quick=False)
    assert case == "(3,20,4)" and float(ours) > 0


@pytest.mark.parametrize("gain, within", [(-0.0049, "yes"), (-0.0051, "NO"), (0.1, "yes")])
def test_a_shortfall_of_more_than_the_limit_is_called_one(module, gain, within):
    row = module("real").summary_row("case", comparison_with(gain))
    assert row[1] == "independent" and row[-1] == within


def test_differences_are_paired_with_the_best_simple_model(module):
    rows = {row[0]: row for row in module("real").rows_of(comparison_with(0.01))}
    assert rows["independent"][3] == "best"
    # every split differs by the same amount, so the paired standard error is zero
    assert rows["pooled"][3:5] == ["-0.1000", "0.0000"]
    assert rows["MultiTaskRidgeCV"][3:5] == ["+0.0100", "0.0000"]


def test_perceptrons_are_set_against_the_plain_one_and_the_best_other_model(module):
    bench = module("perceptron_real")
    comparison = comparison_with(0.01)
    own = comparison.scores["independent"]
    comparison.scores.update({"perceptron": own - 0.2, "perceptron, mgda": own + 0.02})
    comparison.fit_seconds.update(dict.fromkeys(["perceptron", "perceptron, mgda"], 0.001))
    rows = {row[0]: row for row in bench.rows_of(comparison)}
    # every split differs by the same amount, so paired standard errors are zero
    assert rows["perceptron"][3:7] == ["", "", "-0.2100", "0.0000"]
    assert rows["MultiTaskRidgeCV"][3:7] == ["+0.2100", "0.0000", "", ""]
    assert rows["perceptron, mgda"][3:7] == ["+0.2200", "0.0000", "+0.0100", "0.0000"]
    summary = bench.summary_row("case", comparison)
    assert (summary[1], summary[3], summary[5]) == (
        "perceptron, mgda",
        "MultiTaskRidgeCV",
        "+0.0100",
    )


def test_without_data_the_embedded_table_is_scored_and_the_others_are_skipped(module, capsys):
    module("real").main(quick=True, data=None)
    printed = capsys.readouterr().out
    assert "school, 15 rows a task: skipped" in printed and "--data" in printed
    assert "grunfeld, 6 rows a firm: explained variance, 3 splits" in printed
    assert printed.rpartition("Within")[2].count("grunfeld") == 3


def test_cases_read_their_table_from_the_folder(module, tmp_path, rng):
    X, W = rng.normal(size=(40, 15)), rng.normal(size=(15, 3))
    np.savez(tmp_path / "jura.npz", X=X, Y=X @ W)
    real = module("real")
    (case, _) = (case for case in real.CASES if case.title.startswith("jura"))
    comparison = real.run(case, tmp_path, 2)
    assert comparison.scores["independent"].mean() > 0.9  # labels without noise


def test_hidden_cells_of_related_columns_are_predicted(module, rng):
    X, w = rng.normal(size=(60, 5)), rng.normal(size=5)
    Y = (X @ w)[:, None] + 0.01 * rng.normal(size=(60, 3))
    comparison, correlations = module("real").compare_hidden(X, Y, 0.5, seeds=2)
    assert comparison.n_splits == 2 and correlations["MultiTaskRidgeCV"].shape == (3,)
    assert comparison.scores["MultiTaskRidgeCV"].min() > 0.95


@pytest.mark.parametrize("name", ["nash", "fairgrad", "mgda", "upgrad", "dualproj", "cagrad"])
def test_answers_meet_the_definitions_that_peers_are_held_to_and_others_do_not(module, name):
    definitions, peers = module("_definitions"), module("torchjd").PEERS
    violation, undefined = definitions.DEFINITIONS[name]
    balancer = BALANCERS[name](**peers[name][0])
    for kind in ("pair", "normal", "identical", "thousandfold", "small"):
        J = definitions.JACOBIANS[kind](np.random.default_rng(0))
        w, d = balance(J, balancer=balancer)[:2]
        assert kind in undefined or violation(J, w, d) < definitions.FIRM
    turned = w * np.array([1.0, 1.0, 1.0, 2.0])
    assert violation(J, turned, turned @ J) > 1e-3


def test_inputs_are_listed_where_only_the_peer_misses_its_definition(module):
    answers = [
        ("mgda", "normal", 1e-16, 1e-5, 1.0),
        ("mgda", "small", 1e-16, 0.2, 0.9),
        ("mgda", "small", 1e-16, 0.3, 0.8),
        ("mgda", "large", 0.5, 0.5, 0.7),
        ("nash", "normal", 1e-16, ValueError("no"), np.nan),
        ("nash", "small", 1e-16, ImportError("no solver"), np.nan),
    ]
    bench = module("torchjd")
    assert list(bench.misses(answers)) == [
        ["mgda", "small", "1.0e-16", "3.0e-01", "0.800000"],
        ["nash", "normal", "1.0e-16", "ValueError", "nan"],
    ]
    assert list(bench.counts(answers)) == [
        ["mgda", "4", "3", "0", "1", "1.000000"],
        ["nash", "1", "1", "0", "0", ""],
    ]


def test_a_ratio_without_a_bar_has_no_verdict(module):
    timing = module("_timing")
    assert timing.ratio_row("case", 1e-3, 3e-3, 2)[3:6] == ["3.0", "2", "ok"]
    assert timing.ratio_row("case", 1e-3, 3e-3, 4)[5] == "SHORT"
    assert timing.ratio_row("case", 1e-3, 3e-3, None)[3:6] == ["3.0", "", ""]


def test_a_balancer_that_is_not_registered_is_skipped_with_a_word(module, monkeypatch):
    bench = module("torchjd")
    monkeypatch.setattr(bench, "BALANCERS", {})
    assert bench.step("mgda", [np.eye(2)], [None], None)[-1] == "skipped: no such balancer"
    assert bench.common() == []


@pytest.mark.skipif(DATA is None, reason="set SKMTL_BENCHMARK_DATA to the folder of the tables")
@pytest.mark.parametrize("name", SHAPES)
def test_real_tables_have_their_known_shapes(module, name):
    X, y, task = getattr(module("_tables"), name)(DATA)
    assert (X.shape, y.shape) == SHAPES[name]
    assert task is None or len(np.unique(task)) == 139


def test_gains_and_ranks_of_balancers_are_those_of_their_definitions(module):
    bench = module("which_balancer")
    errors = {bench.EQUAL: np.array([1.0, 2.0]), "mgda": np.array([0.5, 2.0])}
    trial = bench.Trial(errors, {bench.EQUAL: 1.0, "mgda": 3.0}, own=np.array([1.0, 1.0]))
    table = bench.summary([trial, trial])
    np.testing.assert_allclose(table["mgda"].delta, -25.0)  # half saved, as much lost again
    np.testing.assert_allclose(table[bench.EQUAL].delta, -50.0)
    np.testing.assert_allclose(table["mgda"].rank, 1.25)  # first, and tied for first
    best, plain = bench.rows_of(table)
    assert best[0] == "mgda" and best[3] == "+25.00" and best[-1] == "3.00"
    assert plain[3] == "+0.00"
    assert [row[0] for row in bench.overall({"one": table})] == ["mgda", bench.EQUAL]


def test_every_balancer_has_a_row_in_the_study(module):
    bench = module("which_balancer")
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20, 2)), rng.normal(size=(20, 2))
    model = MultiTaskPerceptron((3,), max_iter=2)
    problem = bench.Problem(X, Y, X, Y, model)
    found = dict(bench.contenders(problem, seed=1))
    assert found.keys() >= BALANCERS.keys() - {"equal"} | {bench.EQUAL, bench.TUNED}
    assert all(other.random_state == 1 for other in found.values())
    assert bench.errors(problem, found[bench.TUNED]).shape == (2,)
    assert bench.own_errors(problem, seed=1).shape == (2,)


def test_a_kernel_that_the_environment_has_chosen_is_left_as_it_is(module, monkeypatch):
    kernels = module("_kernels")
    monkeypatch.setenv(kernels.VARIABLE, "Haswell")
    names, reasons = kernels.usable()
    assert names == []
    assert set(reasons) == set(kernels.KERNELS)
    assert kernels.environment()[kernels.VARIABLE] == "Haswell"


@pytest.mark.parametrize(
    ("libraries", "reason"),
    [
        ([["mkl", None]], "the BLAS is mkl"),
        ([], "the BLAS is unknown"),
        ([["openblas", "Nehalem"]], "lacks its instructions: OpenBLAS took .'Nehalem'"),
    ],
)
def test_kernels_that_cannot_run_are_skipped_with_the_reason(
    libraries, reason, module, monkeypatch
):
    kernels = module("_kernels")
    monkeypatch.delenv(kernels.VARIABLE, raising=False)
    monkeypatch.setattr(kernels, "_probe", lambda name: libraries)
    names, reasons = kernels.usable()
    assert names == []
    assert all(re.search(reason, said) for said in reasons.values())


def test_fits_that_differ_are_told_from_rounding_and_from_warned_ones(module):
    kernels = module("kernels")
    plain = {
        f"{model.name}|plain": np.array([1.0, 2.0, 0.0])
        for model in kernels.models()  # two coefficients, and no warning
    }
    name = "MultiTaskRidge|plain"
    near, far = plain | {name: [1, 2 + 1e-7, 0]}, plain | {name: [1, 2 + 1e-5, 0]}
    warned, refused = plain | {name: [1, 3, 1]}, plain | {name: [np.nan, 0]}
    failures = [kernels.compare([plain, other])[1] for other in (near, far, warned, refused)]
    assert failures == [0, 1, 0, 1]
    assert kernels.compare([refused, refused])[1] == 0


def test_the_problems_of_the_kernels_have_names_of_their_own(module):
    kernels = module("kernels")
    assert len({problem.name for problem in kernels.problems()}) == 20
    assert len({model.name for model in kernels.models()}) == len(list(kernels.models()))
