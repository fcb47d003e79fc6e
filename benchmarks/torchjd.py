"""The balancers beside torchjd's aggregators: time, agreement, definitions, whole trainings.

Both sides get the same float64 Jacobians on one thread and pass their state along their path.  A
violation is how far an answer is from the method's own definition (`_definitions`).
"""

import itertools
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmtl import MultiTaskPerceptron
from skmtl.balancing import BALANCERS, balance

from ._definitions import CAGRAD, DEFINITIONS, FIRM, JACOBIANS
from ._timing import RATIO_COLUMNS, interleaved, print_table, ratio_row
from .balancing import steps_along, turning_jacobians

PEERS = {  # our parameters, and torchjd's aggregator for a number of tasks
    "equal": ({}, lambda peers, T: peers.Sum()),
    "nash": ({}, lambda peers, T: peers.NashMTL(n_tasks=T)),
    "fairgrad": ({}, lambda peers, T: peers.FairGrad(alpha=1.0)),
    "mgda": ({}, lambda peers, T: peers.MGDA()),
    "upgrad": ({}, lambda peers, T: peers.UPGrad()),
    "dualproj": ({}, lambda peers, T: peers.DualProj()),
    "cagrad": ({"c": CAGRAD, "rescale": 0}, lambda peers, T: peers.CAGrad(c=CAGRAD)),
    "imtl_g": ({}, lambda peers, T: peers.IMTLG()),
    "aligned_mtl": ({}, lambda peers, T: peers.AlignedMTL()),
    "config": ({}, lambda peers, T: peers.ConFIG()),
    "pcgrad": ({}, lambda peers, T: peers.PCGrad()),
    "gradvac": ({"beta": 0.5}, lambda peers, T: peers.GradVac(beta=0.5)),
    "graddrop": ({}, lambda peers, T: peers.GradDrop()),
    "rlw": ({}, lambda peers, T: peers.Random()),
    "excess_risk": ({"excess": "diag"}, lambda peers, T: peers.ExcessMTL()),
}
BARS = {"nash": (100, None), "mgda": (2, 1), "upgrad": (2, 1)}  # at 1e3 and 1e5 parameters
TASKS, PARAMS, FEW = (2, 5, 10, 40), (1_000, 100_000), 10  # bars hold up to so many tasks
DRAWN = ("pcgrad", "gradvac", "graddrop", "rlw")  # at random
SEEDS, LOOSE = range(3), 1e-3  # the tolerance that torchjd's own solvers are given
SHAPE = {"n": 2000, "p": 50, "hidden": 64, "n_tasks": 8, "epochs": 20, "batch": 64}
TRAINED = ("mgda", "upgrad")
COUNTS = ["method", "inputs", "ours at 1e-9", "torchjd at 1e-9", "at 1e-3", "least cosine there"]
MISSES = ["method", "input", "violation, ours", "torchjd", "cosine"]


def main(quick=False):
    """Print the tables; `quick` leaves out long gradients, many tasks and the trainings."""
    try:
        import torch
        import torchjd.aggregation as peers
    except ImportError as error:
        print(f"\nNothing beside torchjd: {error}.")
        return
    warnings.simplefilter("ignore", ConvergenceWarning)
    torch.set_num_threads(1)
    shapes = list(itertools.product(TASKS[: 3 if quick else None], PARAMS[: 1 if quick else None]))
    print_table("A step of balance() vs torchjd", RATIO_COLUMNS, steps(shapes, torch, peers))
    answers = list(compared(JACOBIANS, SEEDS[: 1 if quick else None], torch, peers))
    print_table("Answers that meet the method's own definition", COUNTS, counts(answers))
    print_table("Inputs on which torchjd's do not, to 1e-3, and ours do", MISSES, misses(answers))
    if not quick:
        rows = trainings(torch, peers, **SHAPE)
        print_table("Whole trainings, the same epochs and batches", RATIO_COLUMNS, rows)


def common():
    """Names of the methods that are registered here and stand in the table of peers."""
    return [name for name in PEERS if name in BALANCERS]


def steps(shapes, torch, peers):
    for T, d in shapes:
        path = turning_jacobians(T, d)
        tensors = [torch.from_numpy(J) for J in path]
        for name in PEERS:
            yield step(name, path, tensors, peers)


def step(name, path, tensors, peers):
    T, d = path[0].shape
    what = f"{name}, {T} tasks, {d} parameters"
    if name not in BALANCERS:
        return [what, *[""] * 5, "skipped: no such balancer"]
    parameters, make = PEERS[name]
    try:
        peer = make(peers, T)
        first = peer(tensors[0]).numpy()
    except ImportError as error:
        return [what, *[""] * 5, f"skipped: {error}"]
    mine = balance(path[0], balancer=BALANCERS[name](**parameters), random_state=0).direction
    turn = itertools.cycle(tensors)
    ours = steps_along(path, BALANCERS[name](**parameters))
    times = interleaved(ours, lambda: peer(next(turn)), repeats=5)
    bar = BARS.get(name, (None, None))[PARAMS.index(d)] if T <= FEW else None
    note = "drawn at random" if name in DRAWN else f"cosine {cosine(mine, first):.6f}"
    return ratio_row(what, *times, bar, note)


def compared(kinds, seeds, torch, peers):
    """(method, kind, our violation, theirs or an exception, cosine), torchjd started afresh."""
    for name, kind, seed in itertools.product(common(), kinds, seeds):
        violation, undefined = DEFINITIONS.get(name, (None, kinds))
        if kind in undefined:
            continue
        J = JACOBIANS[kind](np.random.default_rng(seed))
        parameters, make = PEERS[name]
        mine = balance(J, balancer=BALANCERS[name](**parameters))
        ours = violation(J, mine.state.weights, mine.direction)
        try:
            w, d = weights_and_direction(make(peers, len(J)), torch.from_numpy(J))
        except Exception as error:  # whatever stops it is what the table is about
            yield name, kind, ours, error, np.nan
            continue
        yield name, kind, ours, violation(J, w, d), cosine(mine.direction, d)


def weights_and_direction(peer, J):
    """The weights are None for an aggregator that has none."""
    if not hasattr(peer, "weighting") or type(peer).__name__ == "ConFIG":
        return None, peer(J).numpy()
    w = peer.weighting(J)
    return w.numpy(), (w @ J).numpy()


def counts(answers):
    for name, group in itertools.groupby(answers, key=lambda row: row[0]):
        rows = [row for row in group if not isinstance(row[3], ImportError)]
        near = [row for row in rows if meets(row[3], LOOSE)]
        yield [
            name,
            str(len(rows)),
            str(sum(meets(row[2], FIRM) for row in rows)),
            str(sum(meets(row[3], FIRM) for row in rows)),
            str(len(near)),
            f"{min(row[4] for row in near):.6f}" if near else "",
        ]


def misses(answers):
    """The worst of each method and kind."""
    for (name, kind), group in itertools.groupby(answers, key=lambda row: row[:2]):
        bad = [row for row in group if meets(row[2], LOOSE) and not meets(row[3], LOOSE)]
        bad = [row for row in bad if not isinstance(row[3], ImportError)]
        if bad:
            _, _, ours, theirs, angle = max(bad, key=lambda row: size_of(row[3]))
            told = type(theirs).__name__ if isinstance(theirs, Exception) else f"{theirs:.1e}"
            yield [name, kind, f"{ours:.1e}", told, f"{angle:.6f}"]


def size_of(violation):
    return np.inf if isinstance(violation, Exception) or np.isnan(violation) else violation


def meets(violation, tolerance):
    return size_of(violation) <= tolerance


def cosine(a, b):
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return a @ b / lengths if lengths else np.nan


def trainings(torch, peers, *, n, p, hidden, n_tasks, epochs, batch):
    """A plain sum, then each aggregator on the tasks' gradients in all shared parameters.

    The plain sum stands beside a loop as multi-task code mostly is, and beside the fastest one.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p)).astype(np.float32)
    Y = np.tanh(X @ rng.normal(size=(p, n_tasks)) / np.sqrt(p))
    Y = (Y + 0.1 * rng.normal(size=Y.shape)).astype(np.float32)
    # penalties that do not show: torch's loop has none
    settings = {"max_iter": epochs, "n_iter_no_change": epochs, "batch_size": batch}
    settings |= {"alpha_shared": 1e-4, "alpha_specific": 1e-4, "random_state": 0}
    for name in (None, *TRAINED):
        options = {"plain sum": {}}
        loops = {  # outputs of each head, and the bar
            " vs a head module for each task": ([1] * n_tasks, 8),
            " vs one matrix of heads": ([n_tasks], None),
        }
        if name is not None:
            options = {
                f"{name}, gradients in all shared parameters": {"gramian": "exact"},
                f"{name}, ours at the hidden layer": {"gramian": "features"},
            }
            loops = {"": ([1] * n_tasks, 8)}
        models = [
            MultiTaskPerceptron((hidden,), balancer=name, **own, **settings)
            for own in options.values()
        ]
        make = None if name is None else lambda name=name: PEERS[name][1](peers, n_tasks)
        trains = [
            torch_loop(torch, X, Y, hidden, epochs, batch, sizes, make)
            for sizes, _ in loops.values()
        ]
        fits = [lambda model=model: model.fit(X, Y) for model in models]
        times = interleaved(*fits, *trains, repeats=3)
        assert all(model.n_iter_ == epochs for model in models)
        ours = [mean_squared(model.predict(X), Y) for model in models]
        theirs = [mean_squared(train(), Y) for train in trains]
        for (what, seconds, error), (how, peer, error_there) in itertools.product(
            zip(options, times[: len(fits)], ours, strict=True),
            zip(loops, times[len(fits) :], theirs, strict=True),
        ):
            note = f"mean squared error {error:.4f} and {error_there:.4f}"
            yield ratio_row(what + how, seconds, peer, loops[how][1], note)


def mean_squared(predicted, Y):
    return float(((predicted - Y) ** 2).mean())


def torch_loop(torch, X, Y, hidden, epochs, batch, sizes, make):
    """A function that trains the same network by torch's Adam and returns its predictions.

    Heads have as many outputs as `sizes` says; their losses are summed unless `make` aggregates.
    """
    from torchjd.autojac import jac_to_grad, mtl_backward

    mean, scale = Y.mean(axis=0), Y.std(axis=0)
    inputs, targets = torch.from_numpy(X), torch.from_numpy((Y - mean) / scale)

    def train():
        trunk = torch.nn.Sequential(torch.nn.Linear(X.shape[1], hidden), torch.nn.ReLU())
        heads = torch.nn.ModuleList(torch.nn.Linear(hidden, size) for size in sizes)
        optimizer = torch.optim.Adam([*trunk.parameters(), *heads.parameters()], lr=1e-3)
        aggregator = None if make is None else make()
        for _ in range(epochs):
            for rows in torch.randperm(len(X)).split(batch):
                optimizer.zero_grad()
                features = trunk(inputs[rows])
                labels = targets[rows].split(sizes, dim=1)
                pairs = zip(heads, labels, strict=True)
                losses = [((head(features) - label) ** 2).mean() for head, label in pairs]
                if aggregator is None:
                    sum(losses).backward()
                else:
                    mtl_backward(losses, features)
                    jac_to_grad(trunk.parameters(), aggregator)
                optimizer.step()
        with torch.no_grad():
            features = trunk(inputs)
            outputs = torch.cat([head(features) for head in heads], dim=1)
        return outputs.numpy() * scale + mean

    return train
