import numpy as np
import pytest

from keras_gait.vision.tracking import Sighting, Track
from keras_gait.vision.walks import cut_into_takes, find_region, find_walks, judge


def walk(frames=40, speed=4, **changes):
    """A person 20 x 60 who walks right; ``changes``: {"f12": {"height": 40}} alters frame 12."""
    sightings = []
    for t in range(frames):
        values = {"x": 100 + speed * t, "y": 50, "width": 20, "height": 60, "area": 800, "reason": ""}
        values |= changes.get(f"f{t}", {})
        sightings.append(Sighting(frame=t, silhouette=None, **values))
    return sightings


def track(number, sightings):
    return Track(number, np.zeros(2), np.ones(2), np.zeros(128), sightings=sightings)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"height": 40}, "height jumps to 0.67"),
        ({"height": 80}, "height jumps to 1.33"),
        ({"width": 55}, "too wide"),
        ({"area": 500}, "area jumps to 0.62"),
        ({"reason": "merged with another person"}, "merged with another person"),
    ],
)
def test_a_sighting_of_another_size_is_rejected_and_only_that(change, reason):
    sightings = walk(f12=change)
    judge(sightings, fps=10)
    assert sightings[12].reason.startswith(reason)
    assert all(not s.reason for s in sightings if s.frame != 12)


def test_a_person_who_comes_nearer_slowly_may_grow():
    sightings = walk(speed=0)
    for s in sightings:
        s.height = round(60 * 1.02**s.frame)
        s.area = round(800 * 1.04**s.frame)
    judge(sightings, fps=10)
    assert all(not s.reason for s in sightings)


def test_a_person_who_stands_still_does_not_walk():
    sightings = walk(speed=0)
    judge(sightings, fps=10)
    assert {s.reason for s in sightings} == {"stands still"}


def test_a_longer_interruption_starts_the_next_take():
    takes = cut_into_takes([s for s in walk(20) if s.frame not in (5, 6, 12, 13, 14)], gap=3)
    assert [(t[0].frame, t[-1].frame) for t in takes] == [(0, 11), (15, 19)]


def test_subjects_are_tracks_and_short_takes_are_left_out():
    lost = {"reason": "merged with another person"}
    gap = {f"f{t}": lost for t in range(30, 36)}
    tracks = [track(3, walk(20)), track(5, walk(66, **gap)), track(8, walk(50))]
    walks = find_walks(tracks, 10, (640, 480), min_frames=30, first_subject=7)
    assert [(w.subject, w.take, w.track, len(w.sightings)) for w in walks] == [
        (7, 1, 5, 30),
        (7, 2, 5, 30),
        (8, 1, 8, 50),
    ]
    assert {s.reason for s in tracks[0].sightings} == {"fewer than 30 good frames in a row"}


def test_the_region_holds_the_whole_walk_with_a_margin():
    assert find_region(walk(40), (640, 480)) == (100 - 36, 50 - 6, 256 + 20 - 100 + 2 * 36, 60 + 2 * 6)


@pytest.mark.parametrize("size", [(200, 100), (201, 101), (203, 103)])
def test_the_region_ends_at_the_frame_and_is_even(size):
    left, top, width, height = find_region(walk(20), size)
    assert width % 2 == height % 2 == 0
    assert 0 <= left <= left + width <= size[0]
    assert 0 <= top <= top + height <= size[1]
    assert left + width >= 196
