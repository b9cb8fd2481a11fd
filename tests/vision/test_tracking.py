import numpy as np
import pytest

from keras_gait.vision.foreground import Blob
from keras_gait.vision.tracking import Tracker

RED, BLUE = np.eye(128, dtype="float32")[[0, 1]]


def person(x, colours, width=20, heads=1, y=50):
    return Blob(round(x), y, width, 60, np.full((60, width), 255, "uint8"), colours, heads, cut=False)


def follow(frames, patience=15, patience_merged=30):
    """Run the tracker over lists of blobs -> {number of the track: {frame: (x, reason)}}"""
    tracker = Tracker(patience, patience_merged)
    for frame, blobs in enumerate(frames):
        tracker.update(frame, blobs, [f"{frame}-{index}" for index in range(len(blobs))])
    return {t.number: {s.frame: (s.x, s.reason) for s in t.sightings} for t in tracker.finish()}


def crossing(left=RED, right=BLUE):
    """Two people walk towards each other at 4 pixels a frame; while they touch there is one blob."""
    frames = []
    for t in range(50):
        a, b = 20 + 4 * t, 220 - 4 * t
        if abs(a - b) > 20:
            frames.append([person(a, left), person(b, right)])
        else:
            low = min(a, b)
            frames.append([person(low, (left + right) / 2, width=abs(a - b) + 20, heads=1 + (a != b))])
    return frames


def test_two_people_keep_their_numbers_when_they_cross():
    tracks = follow(crossing())
    assert len(tracks) == 2
    assert tracks[1][49] == (20 + 4 * 49, "")  # went on to the right
    assert tracks[2][49] == (220 - 4 * 49, "")


def test_two_people_who_meet_and_turn_back_keep_their_numbers():
    there = crossing()[:25]
    tracks = follow(there + there[::-1])
    assert len(tracks) == 2
    assert tracks[1][49] == (20, "")
    assert tracks[2][49] == (220, "")


def test_no_sighting_is_good_while_two_people_are_one_blob():
    frames = crossing()
    joined = [number for number, blobs in enumerate(frames) if len(blobs) == 1]
    assert len(joined) == 5
    for sightings in follow(frames).values():
        assert all(sightings[n][1] == "merged with another person" for n in joined if n in sightings)


def test_a_person_behind_a_tree_keeps_the_number():
    frames = [[] if 20 <= t < 28 else [person(4 * t, RED)] for t in range(50)]
    tracks = follow(frames)
    assert list(tracks) == [1]
    assert sorted(tracks[1]) == [*range(20), *range(28, 50)]


def test_somebody_in_other_clothes_behind_the_tree_is_another_person():
    frames = [[] if 20 <= t < 28 else [person(4 * t, RED if t < 20 else BLUE)] for t in range(50)]
    tracks = follow(frames)
    assert [(min(s), max(s)) for s in tracks.values()] == [(0, 19), (28, 49)]


@pytest.mark.parametrize(("patience", "people"), [(9, 2), (10, 1)])
def test_a_person_out_of_sight_is_given_up_after_the_patience(patience, people):
    frames = [[] if 20 <= t < 30 else [person(100, RED)] for t in range(40)]
    assert len(follow(frames, patience)) == people


def test_a_blob_at_the_border_is_marked():
    blob = person(0, RED)
    blob.cut = True
    assert follow([[blob]]) == {1: {0: (0, "cut by the border")}}


def test_far_blobs_are_different_people():
    assert len(follow([[person(0, RED)], [person(200, RED)]])) == 2


def test_each_sighting_knows_its_silhouette():
    tracker = Tracker(5, 5)
    tracker.update(0, [person(0, RED), person(100, BLUE)], ["first", "second"])
    assert [t.sightings[0].silhouette for t in tracker.finish()] == ["first", "second"]
