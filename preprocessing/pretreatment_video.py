r"""Your own video, taken with a camera that stands still, becomes walks laid out as CASIA-B's raw frames.

    python preprocessing/pretreatment_video.py --video street.mp4 --output_path street
    python preprocessing/pretreatment_casiab_of.py --input_path street/silhouettes \
        --input_path_rgb street/rgb --output_path street_of

Every person who is followed through the video becomes a subject, every uninterrupted part of the way a take:

    street/rgb/001/nm-01/000/001-nm-01-000-001.png           the picture, cut to the region of the whole walk
    street/silhouettes/001/nm-01/000/001-nm-01-000-001.png   0 or 255, the same region, only this person
    street/tracks.csv          every box that was followed: used, or rejected and why
    street/contact_sheet.png   the walks to look at: delete the folders of those that are not good

The region is the same for all frames of a take, so that the background stands still for optical flow; it
holds the whole way with a margin (`keras_gait.vision.walks.find_region`) and has even sides. Nothing is
scaled. A take skips at most two frames in a row; after a longer interruption the next take begins.

The video is read three times, one frame at a time: to learn the background, to follow people, to write.
"""

import csv
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from keras_gait.commands import CommandParser, report_problems, run
from keras_gait.data.problems import Problem
from keras_gait.data.provenance import note_source
from keras_gait.errors import GaitError
from keras_gait.vision.contact_sheet import ContactSheet
from keras_gait.vision.foreground import Background, Video, find_blobs
from keras_gait.vision.tracking import Tracker
from keras_gait.vision.walks import find_walks

BACKGROUND_FRAMES = 1000  # the background is learnt from at most about this many, spread over the video
TRACK_COLUMNS = ("track", "subject", "take", "frame", "x", "y", "width", "height", "used", "reason")
SHEET_ROWS, SHEET_COLUMNS = 100, 12


def parse(argv):
    parser = CommandParser(
        prog="pretreatment_video.py", description="Cut walking people out of a static camera's video."
    )
    parser.add_argument("--video", required=True, help="video file; the camera must stand still")
    parser.add_argument("--output_path", required=True, help="new folder for the two trees")
    parser.add_argument("--fps", type=float, help="frames per second to keep; without it all frames")
    parser.add_argument("--min_frames", type=int, default=30, help="leave out walks with fewer frames")
    parser.add_argument(
        "--min_height", type=int, default=32, help="leave out people lower than this, in pixels"
    )
    parser.add_argument("--method", choices=("mog2", "knn"), default="mog2", help="background subtraction")
    parser.add_argument("--view", default="000", help="name of the view in the layout, such as 090")
    parser.add_argument("--subject_start", type=int, default=1, help="number of the first subject")
    flags = parser.parse_args(argv)
    for name, least in {"min_frames": 2, "min_height": 8, "subject_start": 0}.items():
        if getattr(flags, name) < least:
            parser.error(f"--{name} must be {least} or more. Received: {getattr(flags, name)}")
    if not flags.view.isalnum():
        parser.error(f"--view must be letters or digits only, such as 090. Received: {flags.view!r}")
    return flags


class SilhouetteStore:
    """Silhouettes of all blobs in one open binary file, so that they take no memory."""

    def __init__(self, file):
        self.file = file

    def put(self, mask):
        """Keep a uint8 mask -> where it is, for `get`."""
        data = cv2.imencode(".png", mask)[1].tobytes()
        return self.file.seek(0, os.SEEK_END), self.file.write(data)

    def get(self, place):
        start, size = place
        self.file.seek(start)
        return cv2.imdecode(np.frombuffer(self.file.read(size), np.uint8), cv2.IMREAD_GRAYSCALE)


def follow(video, flags, store):
    """Learn the background, then follow people -> (tracks, numbers in the file of the frames seen)."""
    stride = max(1, round(video.stated_frames * video.share / BACKGROUND_FRAMES))
    history = max(100, round(video.stated_frames * video.share / stride))
    background = Background(flags.method, history, video.height)
    total = round(video.stated_frames * video.share) or None
    for index, (_, frame) in enumerate(tqdm(video, total=total, desc="background")):
        if index % stride == 0:
            background.learn(frame)
    tracker = Tracker(patience=round(1.5 * video.fps), patience_merged=round(4 * video.fps))
    numbers = []
    for index, (number, frame) in enumerate(tqdm(video, total=total, desc="following")):
        numbers.append(number)
        blobs = find_blobs(frame, background.mask(frame), flags.min_height)
        tracker.update(index, blobs, [store.put(blob.mask) for blob in blobs])
    return tracker.finish(), numbers


def take_name(walk, view):
    return f"{walk.subject:03d}", f"nm-{walk.take:02d}", view


def write_walks(video, walks, store, folder, numbers, view):
    """Write both trees and the contact sheet, in one pass over the video."""
    by_frame = {}
    for row, walk in enumerate(walks):
        for tree in ("rgb", "silhouettes"):
            folder.joinpath(tree, *take_name(walk, view)).mkdir(parents=True)
        for count, sighting in enumerate(walk.sightings):
            by_frame.setdefault(sighting.frame, []).append((row, walk, count, sighting))
    shown = walks[:SHEET_ROWS]
    sheet = ContactSheet([describe(walk, numbers) for walk in shown], SHEET_COLUMNS)
    for index, (_, frame) in enumerate(tqdm(video, total=len(numbers), desc="writing")):
        for row, walk, count, sighting in by_frame.get(index, ()):
            mask = store.get(sighting.silhouette)
            write_frame(frame, mask, sighting, walk, folder, count, view)
            picks = np.linspace(0, len(walk.sightings) - 1, SHEET_COLUMNS).round().astype(int)
            for column in np.flatnonzero(picks == count) if row < len(shown) else ():
                sheet.add(row, column, frame, mask, (sighting.x, sighting.y))
    sheet.write(folder / "contact_sheet.png")


def write_frame(frame, mask, sighting, walk, folder, count, view):
    left, top, width, height = walk.region
    silhouette = np.zeros((height, width), np.uint8)
    y, x = sighting.y - top, sighting.x - left
    silhouette[y : y + sighting.height, x : x + sighting.width] = mask[: height - y, : width - x]
    parts = take_name(walk, view)
    digits = max(3, len(str(len(walk.sightings))))  # equally long names, so that sorting keeps their order
    name = f"{'-'.join(parts)}-{count + 1:0{digits}d}.png"
    for tree, picture in (
        ("rgb", frame[top : top + height, left : left + width]),
        ("silhouettes", silhouette),
    ):
        path = folder.joinpath(tree, *parts, name)
        if not cv2.imwrite(str(path), picture):
            raise GaitError(f"{path}: cannot be written. Check the free space, then run again.")


def describe(walk, numbers):
    first, last = numbers[walk.sightings[0].frame], numbers[walk.sightings[-1].frame]
    return (
        f"{walk.subject:03d} nm-{walk.take:02d}  track {walk.track}  frames {first}-{last}"
        f"  ({len(walk.sightings)} used)  {walk.region[2]}x{walk.region[3]}"
    )


def write_tracks(path, tracks, walks, numbers):
    takes = {id(sighting): walk for walk in walks for sighting in walk.sightings}
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(TRACK_COLUMNS)
        for track in tracks:
            for s in track.sightings:
                walk = takes.get(id(s))
                place = (f"{walk.subject:03d}", f"nm-{walk.take:02d}") if walk else ("", "")
                box = s.x, s.y, s.width, s.height
                rows.writerow((track.number, *place, numbers[s.frame], *box, int(walk is not None), s.reason))


def explain_nothing(video, flags, tracks):
    reasons = Counter(s.reason.split(" to ")[0] for track in tracks for s in track.sightings)
    longest = max((len(track.sightings) for track in tracks), default=0)
    why = ", ".join(f"{count} boxes: {reason}" for reason, count in reasons.most_common(3))
    raise GaitError(
        f"{video.path}: no walk of {flags.min_frames} frames by one whole person at least {flags.min_height} "
        f"pixels high; {len(tracks)} things moved, the longest for {longest} frames ({why or 'no boxes'}). "
        "The camera must stand still; try a lower --min_frames or --min_height, or the other --method."
    )


def cut_out(video, flags, store, folder):
    """Everything from the video to the files in ``folder`` -> (walks, numbers of the frames in the file)."""
    tracks, numbers = follow(video, flags, store)
    walks = find_walks(tracks, video.fps, (video.width, video.height), flags.min_frames, flags.subject_start)
    if not walks:
        explain_nothing(video, flags, tracks)
    write_walks(video, walks, store, folder, numbers, flags.view)
    write_tracks(folder / "tracks.csv", tracks, walks, numbers)
    for tree in ("rgb", "silhouettes"):
        note_source(folder / tree, f"video {video.path.name}")
    return walks, numbers


def main(argv):
    flags = parse(argv)
    video = Video(flags.video, flags.fps)
    output = Path(flags.output_path)
    if output.exists():
        raise GaitError(f"{output} exists already. Give a new folder with --output_path, or remove this one.")
    partial = output.parent / f".{output.name}.{os.getpid()}.partial"
    partial.mkdir(parents=True)
    try:
        with tempfile.TemporaryFile(dir=partial) as file:
            walks, numbers = cut_out(video, flags, SilhouetteStore(file), partial)
        partial.rename(output)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for walk in walks:
        print(describe(walk, numbers))
    subjects = len({walk.subject for walk in walks})
    print(f"{subjects} subjects, {len(walks)} walks, {sum(len(w.sightings) for w in walks)} frames: {output}")
    print(f"Look at {output / 'contact_sheet.png'} and delete the folders of walks that are not good.")
    readable = round(video.stated_frames * video.share)
    if len(numbers) < 0.95 * readable:
        report_problems([Problem(str(video.path), f"{len(numbers)} of {readable} frames could be read")])


if __name__ == "__main__":
    run(main)
