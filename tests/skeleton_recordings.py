"""Small recordings of skeletons in every format that is read, and what is made of them."""

import numpy as np

COMMAND = "preprocessing/pretreatment_skeleton.py"
NAME = "pretreatment_skeleton.py"
SMALL = ("--dataset", "Mine", "--length", 4, "--trim", 0)
BY_TAKE = ("--test", "b*")


def recording(person, take, frames=12, joints=20):
    """``(frames, joints, 3)``: every value tells its person, take, frame, joint and axis."""
    place = np.indices((frames, joints, 3)) * np.array([1, 0.01, 0.001]).reshape(3, 1, 1, 1)
    return (person * 1000 + take * 100 + place.sum(0)).astype(np.float32)


def write_npy(path, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, frames)


def write_people(root, frames=12, joints=20, write=write_npy, end=".npy"):
    """Takes a (0) and b (1) of persons 3 and 12."""
    for person in (3, 12):
        for take, name in enumerate("ab"):
            write(root / f"{person:03d}" / f"{name}{end}", recording(person, take, frames, joints))
    return root


def write_npz(path, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, poses=frames[:, :17], skeletons=frames)


def rows_of(frames):
    return frames.reshape(len(frames), -1).astype(str).tolist()


def write_csv(path, frames, header=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [f"{axis}{joint}" for joint in range(frames.shape[1]) for axis in "xyz"]
    lines = [names] * header + rows_of(frames)
    path.write_text("\n".join(map(",".join, lines)) + "\n")


def write_bare_csv(path, frames):
    write_csv(path, frames, header=False)


def write_counted_csv(path, frames):
    """As a table whose columns have no names."""
    write_bare_csv(path, frames)
    names = ",".join(map(str, range(frames[0].size)))
    path.write_text(f"{names}\n{path.read_text()}")


def write_european_csv(path, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(";".join(row).replace(".", ",") for row in rows_of(frames)))


def write_biwi(path, frames, counted=False, states=None):
    """A file a frame: x, y, z, two of the picture, the state, one more."""
    path.mkdir(parents=True)
    for number, joints in enumerate(frames):
        lines = []
        for joint, place in enumerate(joints.tolist()):
            state = 2 if states is None else states[number, joint]
            lines.append(",".join(map(str, [joint] * counted + [*place, 5, 6, state, 0])))
        (path / f"{number}-skel.txt").write_text("\n".join(lines) + "\n")


def write_counted_biwi(path, frames):
    write_biwi(path, frames, counted=True)


def write_kgbd(path, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"joint{n};{x};{y};{z}" for joints in frames.tolist() for n, (x, y, z) in enumerate(joints)]
    path.write_text("\n".join(lines) + "\n")


def write_ks20(path, frames):
    path.mkdir(parents=True)
    for number, joints in enumerate(frames.tolist()):
        text = "\n".join(",".join(map(str, [*place, 0, 0, 0])) for place in joints)
        (path / f"{number:04d}.txt").write_text(text)


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def arrays(folder):
    """The npy files below ``folder``; file name -> array."""
    return {path.name: np.load(path, allow_pickle=True) for path in folder.rglob("*.npy")}
