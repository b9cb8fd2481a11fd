"""Is the simulated walkers' data a fair test? Rank-1 of the plainest method, nearest gait energy image.

    python benchmarks/simulated_walkers.py --subjects 20

CASIA-B's protocol on simulated walks: gallery nm-01..04, probes nm-05, 06, bg and cl. A fair test has
"same view" far above "cross view" (mean over all pairs of different views), nm above bg and cl, and
all of them above chance. One JSON line per figure.
"""

import json
import os
from functools import partial

import numpy as np

from keras_gait.commands import CommandParser, run
from keras_gait.data.simulate import SEQUENCES, check_request, simulate_walk
from keras_gait.jobs import run_jobs
from keras_gait.vision.silhouette import gait_energy_image

GALLERY = SEQUENCES[:4]


def energy(job, frames, size, seed):
    """``(subject, sequence, view)`` -> the same and its flattened gait energy image."""
    subject, sequence, view = job
    walk = simulate_walk(subject, *sequence.split("-"), view, frames, size, seed)
    return job, gait_energy_image(walk.silhouettes).ravel()


def rank1(images, subjects, probes, probe_view, gallery_view):
    """Fraction of probe sequences whose nearest gallery image is of the same subject."""
    gallery = [(subject, images[subject, name, gallery_view]) for subject in subjects for name in GALLERY]
    known = np.stack([image for _, image in gallery])
    hits = []
    for subject in subjects:
        for name in probes:
            distances = ((known - images[subject, name, probe_view]) ** 2).sum(axis=1)
            hits.append(gallery[int(distances.argmin())][0] == subject)
    return float(np.mean(hits))


def main(argv):
    parser = CommandParser(prog="simulated_walkers.py", description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=20, help="how many people")
    parser.add_argument("--views", nargs="+", default=["018", "054", "090", "126"], help="cameras")
    parser.add_argument("--frames", type=int, default=30, help="frames of each sequence")
    parser.add_argument("--size", type=int, default=96, help="frame height in pixels")
    parser.add_argument("--seed", type=int, default=0, help="of the population")
    parser.add_argument("--worker_num", type=int, default=os.cpu_count(), help="parallel processes")
    args = parser.parse_args(argv)

    check_request(args.subjects, SEQUENCES, args.views, args.frames, args.size, args.seed)
    subjects = range(1, args.subjects + 1)
    jobs = [(subject, name, view) for subject in subjects for name in SEQUENCES for view in args.views]
    task = partial(energy, frames=args.frames, size=args.size, seed=args.seed)
    images = dict(run_jobs(task, jobs, args.worker_num, "simulating"))
    report = {"chance": 1 / args.subjects}
    for condition in ("nm", "bg", "cl"):
        probes = [name for name in SEQUENCES if name.startswith(condition) and name not in GALLERY]
        rates = {(p, g): rank1(images, subjects, probes, p, g) for p in args.views for g in args.views}
        report[f"{condition} same view"] = np.mean([rate for (p, g), rate in rates.items() if p == g])
        if len(args.views) > 1:
            report[f"{condition} cross view"] = np.mean([rate for (p, g), rate in rates.items() if p != g])
    for figure, value in report.items():
        line = {"benchmark": "simulated walkers, gait energy image, rank-1", "figure": figure}
        print(json.dumps(line | {"value": round(float(value), 4), "subjects": args.subjects}))


if __name__ == "__main__":
    run(main)
