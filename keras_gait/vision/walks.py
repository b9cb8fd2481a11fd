"""From tracks to walks: which sightings show one whole walking person, and where to cut them out."""

from dataclasses import dataclass

import numpy as np

CHANGE = (0.9, 1.12)  # height over the median height around it; outside: cut, or something attached
AREA = (0.8, 1.3)  # the same for the area of the box's silhouette
WIDEST = 0.8  # width over height of one person in full stride, with some room
LONGEST_STEP = 3  # frames from one sighting to the next within a take; more starts the next take
SLOWEST = 0.15  # body heights a second; a walker makes 0.5 and more, and grows when it comes nearer


@dataclass
class Walk:
    """One take: sightings of one person, nearly consecutive, and the fixed region that holds them all.

    ``region`` is left, top, width, height in pixels.
    """

    subject: int
    take: int
    track: int
    sightings: list
    region: tuple


def find_walks(tracks, fps, size, min_frames, first_subject=1):
    """Judge every sighting and collect the walks; one subject per track that has any.

    Sets ``reason`` of every sighting that is in no walk.

    Args:
        tracks: list of `keras_gait.vision.tracking.Track`.
        fps: tracked frames a second.
        size: width and height of the video's frames in pixels.
        min_frames: shorter takes are left out.
        first_subject: the number of the first subject.

    Returns:
        list of `Walk`.
    """
    walks = []
    subject = first_subject
    for track in tracks:
        judge(track.sightings, fps)
        takes = cut_into_takes([s for s in track.sightings if not s.reason], LONGEST_STEP)
        found = 0
        for sightings in takes:
            if len(sightings) < min_frames:
                for sighting in sightings:
                    sighting.reason = f"fewer than {min_frames} good frames in a row"
                continue
            found += 1
            walks.append(Walk(subject, found, track.number, sightings, find_region(sightings, size)))
        subject += found > 0
    return walks


def judge(sightings, fps):
    """Set ``reason`` of sightings whose size or shape is not that of one whole person, or who stand still.

    Sizes are compared with the median within a second before and after, of the same person.
    """
    good = [s for s in sightings if not s.reason]
    for bad, reason in _judge_sizes(good, fps):
        bad.reason = reason
    good = [s for s in sightings if not s.reason]
    times = np.array([s.frame for s in good]) / fps
    middles = np.array([(s.x + s.width / 2, s.y + s.height / 2, s.height) for s in good]).reshape(-1, 3)
    for index, sighting in enumerate(good):
        near = _around(times, index, 0.75)
        if near.stop - near.start < 3 or np.ptp(times[near]) < 0.5:
            continue
        slope = np.polyfit(times[near] - times[index], middles[near], 1)[0] / middles[index, 2]
        # Somebody who walks towards the camera moves little in the picture, but grows.
        if np.hypot(slope[0], slope[1]) + abs(slope[2]) < SLOWEST:
            sighting.reason = "stands still"


def _around(times, index, reach):
    """The slice of the ascending ``times`` that lies within ``reach`` of ``times[index]``."""
    first, last = times[index] - reach, times[index] + reach
    return slice(int(np.searchsorted(times, first)), int(np.searchsorted(times, last, "right")))


def _judge_sizes(sightings, fps):
    heights = np.array([s.height for s in sightings], float)
    areas = np.array([s.area for s in sightings], float)
    frames = np.array([s.frame for s in sightings])
    judged = []
    for index, sighting in enumerate(sightings):
        near = _around(frames, index, fps)
        height = heights[index] / np.median(heights[near])
        area = areas[index] / np.median(areas[near])
        if sighting.width > WIDEST * sighting.height:
            judged.append((sighting, "too wide for one person"))
        elif not CHANGE[0] <= height <= CHANGE[1]:
            judged.append((sighting, f"height jumps to {height:.2f} of what it was around"))
        elif not AREA[0] <= area <= AREA[1]:
            judged.append((sighting, f"area jumps to {area:.2f} of what it was around"))
    return judged


def cut_into_takes(sightings, gap):
    """Split a list of sightings where one is more than ``gap`` frames after the one before."""
    takes = []
    for sighting in sightings:
        if not takes or sighting.frame - takes[-1][-1].frame > gap:
            takes.append([])
        takes[-1].append(sighting)
    return takes


def find_region(sightings, size):
    """The region of the frame that holds a whole walk with a margin -> left, top, width, height (even).

    The margin is 0.6 of the largest height on either side, so that a square crop of body height around
    the person never leaves it, and a tenth above and below; it ends at the frame of ``size`` (width, height).
    """
    tallest = max(s.height for s in sightings)
    left = min(s.x for s in sightings) - round(0.6 * tallest)
    right = max(s.x + s.width for s in sightings) + round(0.6 * tallest)
    top = min(s.y for s in sightings) - round(0.1 * tallest)
    bottom = max(s.y + s.height for s in sightings) + round(0.1 * tallest)
    left, width = _even_span(left, right, size[0])
    top, height = _even_span(top, bottom, size[1])
    return left, top, width, height


def _even_span(low, high, limit):
    """-> start and even length of the span within 0..limit: one pixel more where there is one, else less."""
    low, high = max(low, 0), min(high, limit)
    if (high - low) % 2:
        if high < limit:
            high += 1
        elif low > 0:
            low -= 1
        else:
            high -= 1
    return low, high - low
