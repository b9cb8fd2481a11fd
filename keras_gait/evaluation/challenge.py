"""The answer to the GREW challenge: a table of the nearest gallery subjects of every probe video."""

import csv
import io

from keras_gait.errors import GaitError

RANKS = 20


def video_names(probe):
    """What the challenge calls each probe: its folder's name, which OpenGait's layout has for the view."""
    columns = zip(probe.video.tolist(), probe.view.tolist(), probe.subject.tolist(), strict=True)
    names = [video or view or subject for video, view, subject in columns]
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise GaitError(
            f"{probe.path}: the probe name {double} occurs twice; the challenge needs one row a video"
        )
    return names


def subject_numbers(gallery):
    """Gallery subjects as the whole numbers that the challenge expects, int64 ``(n,)``."""
    odd = [subject for subject in gallery.subjects if not subject.isdigit()]
    if odd:
        raise GaitError(
            f"{gallery.path}: gallery subjects must be numbers for the challenge. Found: '{odd[0]}'"
        )
    return gallery.subject.astype(int)


def as_csv(names, labels):
    """The challenge's table; ``labels`` ``(n, 20)``, nearest first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["videoId", *(f"rank{rank}" for rank in range(1, RANKS + 1))])
    writer.writerows([name, *row] for name, row in zip(names, labels.tolist(), strict=True))
    return text.getvalue()
