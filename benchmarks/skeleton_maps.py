"""Skeleton maps a second in one process: ours against one joint and one limb of one frame after the other.

    python benchmarks/skeleton_maps.py

The baseline is the specification written down plainly in NumPy: for each frame 17 joint maps and 17 limb
maps, each Gaussian drawn in its box; the maximum of each 17; levels and grey; cut and resize by OpenCV. Both
start from the same simulated poses, with joints missing, and fill and normalise them by the same functions.
Ours runs in as many threads as OpenCV may use, the baseline in one; both ratios are told. Prints one JSON
line per figure; "pixels that differ" is over all maps of both.
"""

import argparse
import sys

import cv2
import numpy as np
from timing import report, shortest

from keras_gait.data.simulate import simulate_walk
from keras_gait.vision.poses import FAINTEST, fill_missing, normalise
from keras_gait.vision.skeleton_maps import GREY, LIMBS, MapSettings, skeleton_maps

VIEWS = ("090", "054", "000", "126", "018")


def box(low, high, sigma, size):
    """Columns or rows that a Gaussian between ``low`` and ``high`` is drawn on, as a range."""
    return max(int(low - 3 * sigma), 0), min(int(high + 3 * sigma) + 1, size)


def draw_joint(image, x0, y0, score, sigma):
    if score < FAINTEST:
        return
    (left, right), (top, bottom) = (box(at, at, sigma, len(image)) for at in (x0, y0))
    if left >= right or top >= bottom:
        return
    x0, y0, score = np.float32([x0, y0, score])
    x, y = np.arange(left, right, dtype="float32"), np.arange(top, bottom, dtype="float32")[:, None]
    value = np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / 2 / sigma**2) * score
    part = image[top:bottom, left:right]
    part[:] = np.maximum(part, value)


def draw_limb(image, a, b, score_a, score_b, sigma):
    score = min(score_a, score_b)
    if score < FAINTEST:
        return
    low, high = np.minimum(a, b), np.maximum(a, b)
    (left, right), (top, bottom) = (box(*at, sigma, len(image)) for at in zip(low, high, strict=True))
    if left >= right or top >= bottom:
        return
    length = ((a - b) ** 2).sum()
    if length < 1:
        draw_joint(image, *a, score_a, sigma)
        return
    x, y = np.arange(left, right, dtype="float32"), np.arange(top, bottom, dtype="float32")[:, None]
    (ax, ay), (bx, by), single = np.float32(a), np.float32(b), np.float32(length)
    from_a, from_b = (x - ax) ** 2 + (y - ay) ** 2, (x - bx) ** 2 + (y - by) ** 2
    along = (from_a - from_b + single) / 2 / single
    nearest = a + along[..., None].astype("float64") * (b - a)
    inside = (x - nearest[..., 0]) ** 2 + (y - nearest[..., 1]) ** 2
    distance = np.where(along <= 0, from_a, np.where(along >= 1, from_b, inside))
    value = (np.exp(-distance / 2 / sigma**2) * score).astype("float32")
    part = image[top:bottom, left:right]
    part[:] = np.maximum(part, value)


def cut_and_resize(image, size):
    rows = np.flatnonzero(image.any(axis=1))
    if not len(rows):
        return np.zeros((size, size), np.uint8)
    top, bottom = rows[0], rows[-1] + 1
    half, middle = (bottom - top) // 2, len(image) // 2
    part = image[top:bottom, max(middle - half, 0) : middle + half + 1] / 255.0
    return (cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA) * 255).astype(np.uint8)


def plain_maps(pose, settings):
    """The baseline, for poses of 17 joints."""
    height, sigma = settings.heatmap_image_height, settings.sigma
    pose = normalise(fill_missing(pose.astype(np.float64)), height)
    frames = []
    for joints in pose:
        stacks = np.zeros((2, 17, height, height), np.float32)
        for image, (a, b) in zip(stacks[0], LIMBS, strict=True):
            draw_limb(image, joints[a, :2], joints[b, :2], joints[a, 2], joints[b, 2], sigma)
        for image, (x, y, score) in zip(stacks[1], joints, strict=True):
            draw_joint(image, x, y, score, sigma)
        maps = GREY[np.clip(stacks.max(axis=1) * 256, 0, 255).astype(np.uint8)]
        frames.append(np.stack([cut_and_resize(part, settings.final_img_size) for part in maps], axis=-1))
    return np.stack(frames)


def maps_a_second(walks, settings, threads, repeats):
    """Frames a second of ours, in so many threads."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    seconds = shortest(lambda: [skeleton_maps(pose, settings) for pose in walks], repeats)
    cv2.setNumThreads(before)
    return sum(map(len, walks)) / seconds


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=100, help="of each sequence")
    parser.add_argument("--sequences", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args(argv)
    settings = MapSettings()
    walks = [
        simulate_walk(1 + i, "nm", 1, VIEWS[i % len(VIEWS)], args.frames).poses for i in range(args.sequences)
    ]
    ours, plain = ([make(pose, settings) for pose in walks] for make in (skeleton_maps, plain_maps))
    differ = sum(int((one != other).sum()) for one, other in zip(ours, plain, strict=True))
    frames = args.frames * args.sequences
    threads = cv2.getNumThreads()
    fast, single = (maps_a_second(walks, settings, count, args.repeats) for count in (threads, 1))
    slow = frames / shortest(
        lambda: [plain_maps(pose, settings) for pose in walks], max(1, args.repeats // 3)
    )
    figures = {"frames a second": fast, "in one thread": single, "baseline": slow, "ratio": fast / slow}
    figures |= {"ratio in one thread": single / slow, "pixels that differ": differ}
    for figure, value in figures.items():
        report("skeleton maps", figure, value, frames=frames, sequences=args.sequences, threads=threads)


if __name__ == "__main__":
    main(sys.argv[1:])
