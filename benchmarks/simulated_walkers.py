"""Is the simulated walkers' data a fair test? Rank-1 of the plainest method, nearest gait energy image.

    python benchmarks/simulated_walkers.py --subjects 20

CASIA-B's protocol on simulated walks: gallery nm-01..04, probes nm-05, 06, bg and cl. A fair test has
"same view" far above "cross view" (mean over all pairs of different views), nm above bg and cl, and
all of them above chance. One JSON line per figure.
"""

import os
from functools import partial

import numpy as np
from timing import report

from keras_gait.commands import CommandParser, run
from keras_gait.data.layouts import CASIA_GALLERY
from keras_gait.data.simulate import SEQUENCES, check_request, simulate_walk
from keras_gait.evaluation.cross_view import Embedded, cross_view_rates
from keras_gait.jobs import run_jobs
from keras_gait.vision.silhouette import gait_energy_image

CONDITIONS = ("nm", "bg", "cl")


def energy(job, frames, size, seed):
    """``(subject, condition, take, view)`` -> the same and its gait energy image."""
    return job, gait_energy_image(simulate_walk(*job, frames, size, seed).silhouettes)


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
    jobs = [
        (subject, *name.split("-"), view)
        for subject in range(1, args.subjects + 1)
        for name in SEQUENCES
        for view in args.views
    ]
    task = partial(energy, frames=args.frames, size=args.size, seed=args.seed)
    done, images = zip(*run_jobs(task, jobs, args.worker_num, "simulating"), strict=True)
    images = np.stack(images)
    subject, condition, take, view = map(np.array, zip(*done, strict=True))
    known = np.array([place in CASIA_GALLERY for place in zip(condition, take, strict=True)])
    gallery, probes = (Embedded(images[part], subject[part], view[part]) for part in (known, ~known))
    groups = [condition[~known] == name for name in CONDITIONS]
    (rates,), *_ = cross_view_rates(gallery, probes, groups, "L2")
    same = np.eye(len(set(args.views)), dtype=bool)
    figures = {"chance": 1 / args.subjects}
    for name, rate in zip(CONDITIONS, rates, strict=True):
        figures[f"{name} same view"] = rate[same].mean()
        if len(same) > 1:
            figures[f"{name} cross view"] = rate[~same].mean()
    for figure, value in figures.items():
        report("simulated walkers, gait energy image, rank-1", figure, value, subjects=args.subjects)


if __name__ == "__main__":
    run(main)
