"""Nearest neighbours: our exact search against the plain loop over probes, in one run.

    python benchmarks/knn_evaluation.py                    5,000 probes, 50,000 gallery sequences of 62 x 32
    python benchmarks/knn_evaluation.py --probes 500 --gallery 5000

Prints one JSON line a figure. "evaluate_seconds" is what mains/test.py does with the embeddings: the
search, and the rankings of the whole gallery (mAP, mINP, CMC). The loop is
``abs(gallery - probe).sum(1)`` and ``argsort`` in NumPy; it is timed on a sample of the probes, right
after ours, and scaled up to all of them. Each figure runs in a process of its own, so that its peak
memory, data included, is its own. "walkers" are clustered by subject, as embeddings are; "noise" has no
structure at all, the worst case of a search (with ``--data noise``; rankings take long there).
"""

import argparse
import json
import multiprocessing
import resource
import sys
import time
from types import SimpleNamespace

import numpy as np

PARTS, DIM = 62, 32


def walkers(count, subjects, rng, first=0):
    """Embeddings like a trained network's: a centre for each subject, a shift for the view, noise.

    Distances within a subject are about half of those between subjects.
    """
    seeds = np.random.default_rng(7)
    centres = seeds.standard_normal((subjects, PARTS * DIM), np.float32)
    views = 0.25 * seeds.standard_normal((11, PARTS * DIM), np.float32)
    out = np.empty((count, PARTS * DIM), np.float32)
    for start in range(0, count, 1000):
        rows = np.arange(start, min(start + 1000, count)) + first
        out[rows - first] = centres[rows % subjects] + views[rows // subjects % 11]
        out[rows - first] += 0.45 * rng.standard_normal((len(rows), PARTS * DIM), np.float32)
    return out.reshape(count, PARTS, DIM)


def noise(count, rng):
    return rng.standard_normal((count, PARTS, DIM), np.float32)


def make(kind, subjects, probes, gallery):
    rng = np.random.default_rng(0)
    if kind == "noise":
        return noise(gallery, rng), noise(probes, rng)
    return walkers(gallery, subjects, rng), walkers(probes, subjects, rng, first=gallery)


def loop(gallery, probe, metric, k):
    """The plain loop's body -> indices of the ``k`` nearest."""
    difference = gallery - probe
    if metric == "L1":
        return np.argsort(np.abs(difference).sum(axis=1), kind="stable")[:k]
    if metric == "L2":
        return np.argsort(np.sqrt(np.square(difference).sum(axis=1)), kind="stable")[:k]
    parts = np.sqrt(np.square(difference).reshape(len(gallery), PARTS, DIM).sum(axis=2)).mean(axis=1)
    return np.argsort(parts, kind="stable")[:k]


def measure(kind, metric, k, probes, gallery, sample, results):
    from keras_gait.evaluation.neighbours import nearest_rows
    from keras_gait.evaluation.protocols import PROTOCOLS
    from keras_gait.evaluation.results import evaluate
    from keras_gait.evaluation.selection import Row

    subjects = max(2, gallery // 44)
    gallery_set, probe_set = make(kind, subjects, probes, gallery)
    names = np.arange(gallery + probes) % subjects
    known, asked = (
        SimpleNamespace(subject=part, view=np.full(len(part), "")) for part in np.split(names, [gallery])
    )
    flat = gallery_set.reshape(gallery, -1)
    chosen = np.linspace(0, probes - 1, min(sample, probes)).astype(int)
    begin = time.perf_counter()
    rows, _ = nearest_rows(gallery_set, probe_set, metric, k)
    ours = time.perf_counter() - begin
    ours_memory = peak()
    begin = time.perf_counter()
    everyone = Row("", np.ones(gallery, bool), np.ones(probes, bool))
    evaluate(PROTOCOLS["grew"], [everyone], gallery_set, known, probe_set, asked, metric, k)
    whole = time.perf_counter() - begin
    evaluate_memory = peak()

    begin = time.perf_counter()
    expected = np.array([loop(flat, probe_set[i].ravel(), metric, k) for i in chosen])
    plain = (time.perf_counter() - begin) / len(chosen) * probes
    results.put(
        {
            "benchmark": "knn_evaluation",
            "data": kind,
            "metric": metric,
            "k": k,
            "probes": probes,
            "gallery": gallery,
            "dim": PARTS * DIM,
            "seconds": round(ours, 2),
            "evaluate_seconds": round(whole, 2),
            "loop_seconds": round(plain, 1),
            "loop_timed_on": f"{len(chosen)} probes, scaled to {probes}",
            "ratio": round(plain / ours, 1),
            "peak_gigabytes": round(ours_memory, 2),
            "evaluate_peak_gigabytes": round(evaluate_memory, 2),
            "loop_peak_gigabytes": round(peak(), 2),
            "same_neighbours": f"{int((rows[chosen] == expected).all(axis=1).sum())} of {len(chosen)}",
        }
    )


def peak():
    """Largest memory of this process so far in GB, the data included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--probes", type=int, default=5000)
    parser.add_argument("--gallery", type=int, default=50000)
    parser.add_argument("--sample", type=int, default=50, help="probes that the plain loop is timed on")
    parser.add_argument("--metrics", nargs="+", default=["L1", "L2", "parts"], choices=("L1", "L2", "parts"))
    parser.add_argument("--data", nargs="+", default=["walkers"], choices=("walkers", "noise"))
    parser.add_argument("--k", type=int, default=1)
    args = parser.parse_args(argv)
    context = multiprocessing.get_context("spawn")
    for metric in args.metrics:
        for kind in args.data:
            results = context.Queue()
            job = (kind, metric, args.k, args.probes, args.gallery, args.sample, results)
            process = context.Process(target=measure, args=job)
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(process.exitcode)
            print(json.dumps(results.get()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
