"""Windows in a recording: the published rules of each data set, trimming, strides, offsets, centring."""

import tracemalloc

import numpy as np
import pytest

from keras_gait.data.skeletons.tree_writer import PersonFrames, write_npy_tree
from keras_gait.data.skeletons.windows import (
    WindowRules,
    frames_needed,
    plan_windows,
    prepare,
    published_rules,
    window_starts,
    windows_of,
)


@pytest.mark.parametrize(
    ("name", "role", "expected"),
    [
        ("BIWI", "train", WindowRules(6, (10, 10), 3, 6)),
        ("BIWI", "test", WindowRules(6, (10, 10), 6, 1)),
        ("IAS", "train", WindowRules(6, (10, 0), 3, 6)),
        ("IAS", "test", WindowRules(6, (10, 10), 6, 1)),
        ("KGBD", "train", WindowRules(6, (10, 10), 6, 1)),
        ("KS20", "train", WindowRules(6, (0, 0), 3, 6)),
        ("KS20", "test", WindowRules(6, (0, 0), 6, 1)),
        ("Mine", "train", WindowRules(6, (10, 10), 3, 6)),
    ],
)
def test_each_data_set_has_its_published_rules(name, role, expected):
    assert published_rules(name, 6, role) == expected


def test_what_is_chosen_takes_the_place_of_the_published():
    chosen = {"trim": 2, "stride": 5, "offsets": 1, "center": 0}
    assert published_rules("IAS", 4, "train", **chosen) == WindowRules(4, (2, 2), 5, 1, 0)
    # Test windows never overlap, whatever the training windows do.
    assert published_rules("IAS", 4, "test", **chosen) == WindowRules(4, (2, 2), 4, 1, 0)
    assert published_rules("BIWI", 4, "train", trim=0).trim == (0, 0)


def test_the_ends_are_cut_and_a_joint_is_subtracted():
    frames = np.arange(5 * 2 * 3, dtype="float32").reshape(5, 2, 3)
    cut = prepare(frames, WindowRules(2, (1, 2)))
    np.testing.assert_array_equal(cut, frames[1:3])
    centred = prepare(frames, WindowRules(2, (1, 2), center=1))
    np.testing.assert_array_equal(centred, np.tile([[-3.0], [0.0]], (2, 1, 3)))
    assert len(prepare(frames, WindowRules(2, (3, 3)))) == 0
    assert len(prepare(frames, WindowRules(2, (0, 0)))) == 5


def test_windows_lie_whole_in_the_recording():
    rules = WindowRules(4, stride=2)
    assert window_starts(8, rules).tolist() == [0, 2, 4]
    assert window_starts(9, rules, 1).tolist() == [1, 3, 5]
    assert window_starts(3, rules).tolist() == []
    windows = windows_of(np.arange(16).reshape(8, 2), np.array([0, 4]), 4)
    assert windows[:, :, 0].tolist() == [[0, 2, 4, 6], [8, 10, 12, 14]]


def test_a_recording_of_just_the_needed_frames_gives_a_window():
    rules = published_rules("BIWI", 6, "train")
    assert frames_needed(rules) == 26
    for count, windows in ((26, 1), (25, 0)):
        kept = prepare(np.zeros((count, 20, 3)), rules)
        assert len(window_starts(len(kept), rules)) == windows


def test_all_recordings_come_from_one_offset_before_any_from_the_next():
    plan = [(n, starts.tolist()) for n, starts in plan_windows([5, 4], WindowRules(3, stride=1, offsets=2))]
    assert plan == [(0, [0, 1, 2]), (1, [0, 1]), (0, [1, 2]), (1, [1])]


def test_a_tree_takes_no_more_memory_than_its_recordings_though_windows_overlap(tmp_path):
    people = [PersonFrames(n, np.full((500, 20, 3), n, np.float32)) for n in range(20)]
    raw = sum(person.frames.nbytes for person in people)
    rules = {role: published_rules("Mine", 10, role) for role in ("train", "test")}
    tracemalloc.start()
    written = write_npy_tree(tmp_path / "tree", "Mine", {"train": people, "test": people}, rules)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    source = np.load(tmp_path / "tree/Mine_train_npy_data/source_x_Mine_10.npy", mmap_mode="r")
    assert source.shape == (written["train"] * 10, 20)
    assert source.nbytes > 6 * raw
    assert peak < 0.8 * raw
