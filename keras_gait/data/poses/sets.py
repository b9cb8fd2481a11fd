"""What the commands share that make data sets of poses: the split's two sets, and what they tell."""

from pathlib import Path

from keras_gait.data.writer import write_dataset
from keras_gait.vision.joint_graphs import GRAPHS


def write_pose_sets(output, splits, load, *, layout, joints, keypoints, source, workers=1, shard=(0, 1)):
    """Write one data set a split, ``tfimdb_<layout>_N074_train_pose_hrnet``; an empty split is left out.

    Args:
        output: the data sets become folders in here.
        splits: dict of split ("train", "test") -> (count of subjects for the name, list of `Sequence`).
        load: as `write_dataset` takes it; gives float32 ``(frames, V, 3)``.
        layout: "casia-b" or "oumvlp". joints: name of the joint graph.
        keypoints: which estimator: "hrnet", "openpose" or "alphapose". source: where the poses are from.

    Returns the list of `Problem` of all sets.
    """
    problems = []
    for split, (count, sequences) in splits.items():
        if not sequences and any(others for _, others in splits.values()):
            print(f"{source}: no sequences for the {split} split, so it gets no data set")
            continue
        name = f"tfimdb_{layout.replace('-', '')}_N{count:03d}_{split}_pose_{keypoints}"
        problems += write_dataset(
            Path(output, name),
            sequences,
            load,
            modality="pose",
            source=source,
            split=split,
            frame_shape=(len(GRAPHS[joints].joints), 3),
            dtype="float32",
            channels=("x", "y", "confidence"),
            about={"layout": layout, "joints": joints, "keypoints": keypoints},
            workers=workers,
            shard=shard,
        )
    return problems
