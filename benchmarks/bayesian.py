"""MultiTaskBayesianRidge: wheat with hidden cells, other real tables, coverage, and its speed.

Every result is printed; differences are paired over the same splits.
"""

import time

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import DotProduct, WhiteKernel
from sklearn.linear_model import BayesianRidge, RidgeCV
from sklearn.preprocessing import StandardScaler

from skmtl import IndependentTasks, MultiTaskBayesianRidge, MultiTaskRidgeCV

from . import _tables
from ._data import own_rows
from ._shapes import hidden_cells
from ._timing import interleaved, print_table
from .real import ALPHAS, CASES, Case, impute, mean_se, minus_aRRMSE, run

OURS = "MultiTaskBayesianRidge"
LEVELS = (0.5, 0.8, 0.9, 0.95)
SHARES = {0.25: 0.58, 0.5: 0.54}  # of hidden cells, and the correlation asked of impute
SEEDS = range(20, 28)
SHORT = 0.005
ABOUT_A_SECOND = 1.2
SETTINGS = [
    (15, 5, 2, 0.0),
    (25, 20, 3, 0.0),
    (40, 100, 4, 0.2),
    (60, 20, 6, 0.4),
    (100, 10, 4, 0.3),
]


def main(quick=False, data=None):
    """Print every table; `data` is the folder of the tables, `quick` makes do with few splits."""
    coverage(10 if quick else 60)
    speed(quick)
    grouped(data, 3 if quick else None)
    try:
        arabidopsis(data, 3 if quick else 10)
        wheat(data, SEEDS[:2] if quick else SEEDS)
    except FileNotFoundError as error:
        print(f"\narabidopsis, wheat: skipped, {error}")


# wheat: labels hidden at random, to be predicted from markers and from the line's other labels


def wheat(folder, seeds):
    """Correlations and intervals of the hidden cells of each environment."""
    X, Y, _ = _tables.wheat(folder)
    X = StandardScaler().fit_transform(X)
    for share, bar in SHARES.items():
        scores, seconds, cover = {}, {}, []
        for seed in seeds:
            hidden = hidden_cells(Y.shape, share, np.random.default_rng(seed))
            for name, guess, spent, inside in predictions(X, Y, hidden):
                scores.setdefault(name, []).append(correlations(Y, guess, hidden))
                seconds.setdefault(name, []).append(spent)
                cover += [inside] if inside else []
        scores = {name: np.array(each) for name, each in scores.items()}
        print_hidden(f"wheat, {share:.0%} of the cells hidden, {len(seeds)} seeds", scores, seconds)
        best = scores[f"{OURS}, impute"].mean()
        print(f"impute: {best:.3f}, at least {bar}: {'ok' if best >= bar else 'SHORT'}")
        print_coverage("intervals of the hidden cells", [["impute", *np.mean(cover, axis=0)]])


def predictions(X, Y, hidden):
    """(name, table of predictions, seconds of the fit, coverage or None) of every contender."""
    holes = np.where(hidden, np.nan, Y)
    contenders = {
        "single-task RidgeCV": IndependentTasks(RidgeCV(ALPHAS)),
        "equal sharing, MultiTaskRidgeCV": MultiTaskRidgeCV(),
        "equal sharing, evidence": MultiTaskBayesianRidge("shared", "common"),
        OURS: MultiTaskBayesianRidge(),
    }
    for name, model in contenders.items():
        start = time.process_time()
        model.fit(X, holes)
        spent = time.process_time() - start
        yield name, model.predict(X), spent, None
    filled, std = model.impute(return_std=True)
    yield f"{OURS}, impute", filled, spent, covered((Y - filled)[hidden] / std[hidden])


def correlations(Y, guess, hidden):
    """Correlation of the hidden cells of each column with their predictions."""
    return [np.corrcoef(Y[rows, t], guess[rows, t])[0, 1] for t, rows in enumerate(hidden.T)]


def print_hidden(title, scores, seconds):
    alone = scores["single-task RidgeCV"]
    rows = []
    for name, each in scores.items():
        gain, se = mean_se((each - alone).mean(axis=1))
        columns = [f"{a:.3f} ({b:+.3f})" for a, b in zip(*means_of(each, alone), strict=True)]
        mean, spent = f"{each.mean():.3f}", f"{np.median(seconds[name]):.2f}"
        rows.append([name, mean, f"{gain:+.3f}", se, spent, *columns])
    columns = [f"environment {t}" for t in range(1, alone.shape[1] + 1)]
    head = ["contender", "mean", "to single-task", "s.e.", "CPU s", *columns]
    print_table(f"{title}: correlation (difference to single-task)", head, rows)
    _, gain_se = mean_of_columns(scores[f"{OURS}, impute"] - alone)
    print("s.e. of impute's differences: " + "  ".join(f"{se:.3f}" for se in gain_se))


def means_of(each, alone):
    return each.mean(axis=0), (each - alone).mean(axis=0)


def mean_of_columns(values):
    """Means and their standard errors over seeds, by column."""
    return values.mean(axis=0), values.std(axis=0, ddof=1) / len(values) ** 0.5


# the other tables, by `compare`


def grouped(folder, n_splits):
    """School and Grunfeld: against MultiTaskRidgeCV on the same splits."""
    rows = []
    for case in CASES:
        if case.title.split(",")[0] not in ("school", "grunfeld"):
            continue
        case = case._replace(options={"estimators": {OURS: MultiTaskBayesianRidge()}})
        try:
            comparison = run(case, folder, n_splits or case.n_splits)
        except FileNotFoundError as error:
            print(f"\n{case.title}: skipped, {error}")
            continue
        own, peer = (comparison.scores[name] for name in (OURS, "MultiTaskRidgeCV"))
        difference, se = mean_se(own - peer)
        seconds = (f"{comparison.fit_seconds[name]:.3f}" for name in (OURS, "MultiTaskRidgeCV"))
        within = "yes" if difference >= -SHORT else "NO"
        means = f"{own.mean():.4f}", f"{peer.mean():.4f}"
        rows.append([case.title, *means, f"{difference:+.4f}", se, within, *seconds])
    head = ["case", OURS, "MultiTaskRidgeCV", "difference", "s.e.", f"within {SHORT}"]
    print_table("Explained variance of long tables", [*head, "seconds", "seconds"], rows)


def arabidopsis(folder, n_splits):
    """Relative error (less is better) of 24 metabolites from 60 lines."""
    contenders = {
        OURS: MultiTaskBayesianRidge(),
        "unrelated tasks, evidence": MultiTaskBayesianRidge("diagonal", "diagonal"),
        "full K, diagonal R": MultiTaskBayesianRidge(noise="diagonal"),
        "full, no prior": MultiTaskBayesianRidge(prior_strength=0.0),
    }
    options = {"transformer": impute(), "scoring": minus_aRRMSE, "estimators": contenders}
    case = Case("arabidopsis", _tables.arabidopsis, n_splits, {"n_per_task": 60}, options)
    comparison = run(case, folder, n_splits)
    alone = comparison.scores["independent"]
    rows = []
    for name, scores in comparison.scores.items():
        difference, se = mean_se(alone - scores)
        mean = f"{-scores.mean():.4f}"
        rows.append([name, mean, f"{difference:+.4f}", se, f"{comparison.fit_seconds[name]:.3f}"])
    head = ["contender", "aRRMSE", "to independent ridge", "s.e.", "seconds"]
    print_table(f"arabidopsis, 60 training lines, {n_splits} splits", head, rows)


# coverage of intervals on data simulated from the model


def coverage(n_sets):
    """Nominal and found coverage of labels of new rows, and of missing ones filled in.

    Each by intervals of the normal and of the t distribution with `noise_degrees_`; "s.e." is that
    of the coverage at 90 %, over the sets.
    """
    rows = []
    for setting in SETTINGS:
        sets = [simulate(*setting, seed) for seed in range(n_sets)]
        for name in sets[0]:
            parts = [each[name] for each in sets if each[name].size]
            if not parts:
                continue
            for k, kind in enumerate(("normal", "t")):
                by_set = np.array([covered(part[k])[LEVELS.index(0.9)] for part in parts])
                found = covered(np.concatenate([part[k] for part in parts]))
                rows.append([f"{setting} {name}, {kind}", *found, mean_se(by_set)[1]])
    title = f"(rows, features, tasks, missing), {n_sets} simulated sets each"
    print_coverage(title, rows, "s.e. at 90%")


def simulate(n, p, T, missing, seed, n_new=25):
    """Standardised errors of predictions, of cells filled in and of those of new rows, by name.

    Each is of shape (2, n_errors): as they are, and the normal scores of them as t variates.
    """
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(T, 2))
    root = np.linalg.cholesky((loadings @ loadings.T + 0.3 * np.eye(T)) / p)
    X, W = rng.normal(size=(n + n_new, p)), root @ rng.normal(size=(T, p))
    noise = rng.normal(size=(n + n_new, T)) @ np.linalg.cholesky(0.3 + 0.7 * np.eye(T)).T
    Y = X @ W.T + noise
    holes = np.where(rng.random(Y.shape) < missing, np.nan, Y)
    model = MultiTaskBayesianRidge().fit(X[:n], holes[:n])
    mean, std = model.predict(X[n:], return_std=True)
    seen, seen_std = model.impute(return_std=True)
    new, new_std = model.impute(X[n:], holes[n:], return_std=True)
    gaps, new_gaps = np.isnan(holes[:n]), np.isnan(holes[n:])
    degrees = np.broadcast_to(model.noise_degrees_, Y.shape)
    return {
        "predict": both(((Y[n:] - mean) / std).ravel(), degrees[n:].ravel()),
        "impute, seen row": both((Y[:n] - seen)[gaps] / seen_std[gaps], degrees[:n][gaps]),
        "impute, new row": both((Y[n:] - new)[new_gaps] / new_std[new_gaps], degrees[n:][new_gaps]),
    }


def both(z, degrees):
    """Errors, and the errors of a normal distribution that are as rare as they are of a t."""
    return np.stack([z, np.sign(z) * norm.isf(student.sf(np.abs(z), degrees))])


def covered(z):
    """Share of standardised errors inside the central interval of each level."""
    return [float(np.mean(np.abs(z) < norm.ppf(0.5 + level / 2))) for level in LEVELS]


def print_coverage(title, rows, *more):
    """`more` are names of columns beside the levels."""
    head = ["coverage", *(f"{level:.0%}" for level in LEVELS), *more]
    print_table(title, head, [[name, *map(decimals, found)] for name, *found in rows])


def decimals(share):
    return share if isinstance(share, str) else f"{share:.3f}"


# speed


def speed(quick):
    """CPU seconds of a fit beside those of scikit-learn's single-task models."""
    rows = [*long_rows(quick), *wide_rows(quick)]
    print_table("Speed", ["case", "ours s", "limit s", "", "peer s", "peer / ours", "peer"], rows)


def long_rows(quick):
    """139 tasks with their own rows, as school has them."""
    T, n, p = (139, 20, 27) if quick else (139, 110, 27)
    X, y, task = own_rows(T, n, p)
    table = np.column_stack([X, task])
    shared = MultiTaskBayesianRidge(task_column=p)
    low_rank = MultiTaskBayesianRidge("low_rank", task_column=p)

    def peer():
        for t in range(T):
            BayesianRidge().fit(X[task == t], y[task == t])

    for name, model, limit in [("shared", shared, 0.5), ("low rank", low_rank, 2.5)]:
        ours, theirs = interleaved(lambda m=model: m.fit(table, y), peer, repeats=3)
        yield speed_row(
            f"{T} tasks, {len(y)} rows, {p}: {name}", ours, limit, theirs, "BayesianRidge"
        )


def wide_rows(quick):
    """Lines with many more markers than rows, as wheat has them."""
    n, p, T = (100, 200, 4) if quick else (599, 1279, 4)
    rng = np.random.default_rng(0)
    X = (rng.random((n, p)) < 0.5).astype(float)
    Y = X @ rng.normal(size=(p, T)) / p**0.5 + rng.normal(size=(n, T))
    for share in (0.0, 0.25, 0.5):
        holes = np.where(hidden_cells(Y.shape, share, rng), np.nan, Y)

        def ours(holes=holes):
            MultiTaskBayesianRidge().fit(X, holes)

        def bayes(holes=holes):
            for y in holes.T:
                BayesianRidge().fit(X[~np.isnan(y)], y[~np.isnan(y)])

        def process(holes=holes):
            for y in holes.T:
                kernel = DotProduct(sigma_0_bounds="fixed") * 1e-3 + WhiteKernel()
                GaussianProcessRegressor(kernel).fit(X[~np.isnan(y)], y[~np.isnan(y)])

        case = f"{n} x {p}, {T} tasks, {share:.0%} missing"
        own, peer = interleaved(ours, bayes, repeats=3)
        yield speed_row(case, own, ABOUT_A_SECOND, peer, "BayesianRidge")
        start = time.process_time()
        process()
        peer = time.process_time() - start
        yield speed_row(case, own, ABOUT_A_SECOND, peer, "GaussianProcessRegressor")


def speed_row(case, ours, limit, theirs, peer):
    verdict = "ok" if ours <= limit else "OVER"
    return [case, f"{ours:.3f}", limit, verdict, f"{theirs:.3f}", f"{theirs / ours:.1f}", peer]
