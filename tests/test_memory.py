"""What does not fit into memory is refused in a sentence, before it is begun; what fits is not."""

import tracemalloc
import warnings

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.linear_model import Ridge

from skmtl import (
    MultiTaskBayesianRidge,
    MultiTaskLogisticRegression,
    MultiTaskRidge,
    MultiTaskRidgeCV,
    MultiTaskRobustClustering,
    MultiTaskRobustClusteringClassifier,
    PooledTasks,
    _cli,
)
from skmtl._backend import Place, _memory, free_memory, require_memory

# estimator, rows, features, tasks, share of missing labels, whether long
CASES = {
    "common": (MultiTaskRidge(), 500, 400, 3, 0, False),
    "wide": (MultiTaskRidge(), 400, 500, 3, 0, False),
    "gaps": (MultiTaskRidge(alpha_intercept=1.0), 500, 200, 4, 0.7, False),
    "long": (MultiTaskRidge(task_column=0), 2000, 200, 6, 0, True),
    "grid": (MultiTaskRidgeCV(), 500, 400, 3, 0, False),
    "grid of gaps": (MultiTaskRidgeCV(alphas_intercept=[1.0]), 300, 100, 4, 0.3, False),
    "logistic": (MultiTaskLogisticRegression(solver="irls", max_iter=1), 300, 200, 3, 0, False),
    "clusters": (MultiTaskRobustClustering(max_iter=1), 500, 400, 3, 0, False),
    "clusters of gaps": (MultiTaskRobustClustering(max_iter=1), 300, 200, 6, 0.3, False),
    "classes": (MultiTaskRobustClusteringClassifier(max_iter=1), 300, 200, 6, 0, False),
    "covariances": (MultiTaskBayesianRidge("shared", "common", max_iter=1), 20, 2, 150, 0, False),
    "dummies": (PooledTasks(Ridge(), task_column=0), 2000, 2, 500, 0, True),
}


def table(n, p, n_tasks, holes, long):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(n, p)), (rng.random((n, n_tasks)) < 0.5).astype(float)
    Y[:2], Y[rng.random(Y.shape) < holes] = [[0.0], [1.0]], np.nan
    return (np.column_stack([np.arange(n) % n_tasks, X]), Y[:, 0]) if long else (X, Y)


def peak_of(run):
    """(what a function returned or raised, the most memory that it held)."""
    tracemalloc.start()
    try:
        result = run()
    except MemoryError as error:
        result = error
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, peak


@pytest.fixture
def free(monkeypatch):
    """Sets the memory that seems to be free, of which every request is told."""
    monkeypatch.setattr(_memory, "SMALL", 0)
    return lambda size: monkeypatch.setattr(_memory, "free_memory", lambda: size)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("model, n, p, n_tasks, holes, long", CASES.values(), ids=CASES)
def test_fits_are_refused_early_where_memory_is_short_and_only_there(
    model, n, p, n_tasks, holes, long, free
):
    X, y = table(n, p, n_tasks, holes, long)
    free(None)  # unknown
    clone(model).fit(X[:50], y[:50])  # imports hold memory too
    _, peak = peak_of(lambda: clone(model).fit(X, y))
    free(peak)  # estimates count no more than is held
    clone(model).fit(X, y)
    free(peak / 16)
    short = clone(model)
    error, held = peak_of(lambda: short.fit(X, y))
    assert isinstance(error, MemoryError) and held < 0.75 * peak
    assert "iB of memory, and " in str(error) and "; use " in str(error)
    assert str(error).endswith(".") and "\n" not in str(error)
    assert not hasattr(short, "coef_") and not hasattr(short, "estimator_")


def test_a_stream_is_refused_before_its_sums_and_keeps_what_it_had(free):
    X, y = table(600, 200, 6, 0, True)
    model = MultiTaskRidge(task_column=0).partial_fit(X[:300, :50], y[:300])
    before = model.predict(X[:, :50])
    free(4 * 8 * 6 * 50**2 / 3)
    with pytest.raises(MemoryError, match="sums of 6 tasks with a Gram of 49 features each"):
        model.partial_fit(X[300:, :50], y[300:])
    np.testing.assert_array_equal(model.predict(X[:, :50]), before)


def test_the_sentence_has_the_bytes_and_the_way_out(monkeypatch):
    """Of a Gram of 1e5 features: 2 x 1e10 numbers and the coefficients, no matter the machine."""
    monkeypatch.setattr(_memory, "free_memory", lambda: 3 * 2**30)
    X = scipy.sparse.csr_array((200_000, 100_000))
    with pytest.raises(MemoryError) as error:
        MultiTaskRidge().fit(X, np.arange(400_000.0).reshape(200_000, 2))
    assert str(error.value) == (
        "a Gram of 100000 features and the coefficients would take 149 GiB of memory, and 3 GiB "
        "are free; use MultiTaskRidge(solver='cg'), which makes none, or fewer features."
    )


def test_the_way_out_is_one(free):
    X, Y = table(300, 200, 2, 0, False)
    free(8 * 200**2)
    with pytest.raises(MemoryError, match="solver='cg'"):
        MultiTaskRidge().fit(X, Y)
    MultiTaskRidge(solver="cg").fit(X, Y)
    with pytest.raises(MemoryError, match="solver='newton-cg'"):
        MultiTaskLogisticRegression(solver="irls").fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MultiTaskLogisticRegression(solver="newton-cg", max_iter=2).fit(X, Y)


def test_the_command_line_says_it_in_one_line(free, capsys):
    free(100)
    assert _cli.main(["compare", "--repeats", "2"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("skmtl: error: ") and "of memory, and 100 bytes are free" in error
    assert error.count("\n") == 1


def test_little_is_not_asked_for_and_other_devices_are_not_spoken_of(monkeypatch):
    monkeypatch.setattr(_memory, "free_memory", lambda: 0)
    require_memory(_memory.SMALL / 8 - 1, "it", "wait")
    require_memory(1e12, "it", "wait", Place(np, "there"))
    with pytest.raises(MemoryError, match=r"^it would take 64 MiB of memory, and 0 bytes are free"):
        require_memory(_memory.SMALL / 8, "it", "wait")
    monkeypatch.setattr(_memory, "free_memory", lambda: None)
    require_memory(1e30, "it", "wait")


@pytest.mark.parametrize(
    "size, words",
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (8e10, "74.5 GiB"),
        (2e9, "1.86 GiB"),
    ],
)
def test_sizes_are_shown_in_three_digits_and_powers_of_1024(size, words):
    assert _memory.in_words(size) == words


def test_this_machine_says_nothing_or_a_positive_number():
    assert free_memory() is None or free_memory() > 0


def test_the_system_is_read_with_its_swap_and_without_its_table(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 99 kB\nMemAvailable: 7 kB\nSwapFree:   2 kB\n")
    assert _memory._of_system(tmp_path / "meminfo") == 9 * 1024
    installed = _memory._of_system(tmp_path / "none")
    assert installed is None or installed > 2**20


@pytest.mark.parametrize("version", [1, 2])
def test_the_least_limit_of_a_group_and_those_around_it_counts(tmp_path, version):
    limit, usage = ("memory.max", "memory.current")
    root, line = tmp_path, "0::/outer/inner\n"
    if version == 1:
        limit, usage = ("memory.limit_in_bytes", "memory.usage_in_bytes")
        root, line = tmp_path / "memory", "3:cpu:/other\n9:memory:/outer/inner\n"
    for folder, most, used, cache in (
        (root / "outer" / "inner", "5000" if version == 1 else "max", 10, 0),
        (root / "outer", "2000", 1500, 300),
        (root, "9000", 1600, 0),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / limit).write_text(f"{most}\n")
        (folder / usage).write_text(f"{used}\n")
        (folder / "memory.stat").write_text(f"anon 7\ninactive_file {cache}\n")
    (tmp_path / "membership").write_text(line)
    assert _memory._of_group(tmp_path, tmp_path / "membership") == 2000 - 1500 + 300
    assert _memory._of_group(tmp_path, tmp_path / "none") is None
