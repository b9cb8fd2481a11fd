"""Following blobs from frame to frame: who is who before, during and after people cross each other."""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

REACH = 0.5  # a blob this many body heights from where a track is expected can still be its own ...
REACH_PER_LOST_FRAME = 0.04  # ... and this many more for each frame since the track was last seen
LIKENESS = 0.4  # the most that the colours of a person differ from one frame to the next, 0..1 ...
LIKENESS_AFTER_LOSS = 0.3  # ... and after an interruption, where the place says less
YOUNG = 5  # a track with fewer sightings may be a part of somebody older who is looked for: it yields
COVERED = 0.4  # a track lost while this share of its box lies in another's blob is merged into it


@dataclass(slots=True)
class Sighting:
    """A track's blob in one frame: box and area in pixels, where its silhouette is kept, what is wrong."""

    frame: int
    x: int
    y: int
    width: int
    height: int
    area: int
    silhouette: object
    reason: str  # "" where nothing is wrong


@dataclass
class Track:
    """One person as far as the tracker knows, with the state that predicts the next frame.

    ``centre`` and ``velocity`` are ``(2,)`` in pixels and pixels per frame, ``size`` is ``(width,
    height)``; ``unsure`` counts the frames since the person was last seen alone.
    """

    number: int
    centre: np.ndarray
    size: np.ndarray
    colours: np.ndarray
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))
    unsure: int = 0
    lost: int = 0
    sightings: list = field(default_factory=list)

    def expect(self):
        """Move on by one frame, as the velocity says."""
        self.centre = self.centre + self.velocity

    def box(self):
        """The expected box as left, top, right, bottom."""
        return (*(self.centre - self.size / 2), *(self.centre + self.size / 2))

    def cost(self, blob):
        """How badly a blob fits: distance in heights + difference in size + in colours; inf: not at all."""
        height = self.size[1]
        distance = np.linalg.norm(blob.centre - self.centre) / height
        if distance > REACH + REACH_PER_LOST_FRAME * self.unsure:
            return np.inf
        size = np.abs(np.log([blob.width, blob.height] / self.size)) @ [0.3, 0.7]
        colours = np.sqrt(max(0.0, 1 - np.sqrt(self.colours * blob.colours).sum()))  # Bhattacharyya
        if colours > (LIKENESS_AFTER_LOSS if self.unsure > 2 else LIKENESS):
            return np.inf
        return distance + size + colours + (0.5 if len(self.sightings) < YOUNG else 0)

    def see(self, blob):
        """Take a blob of this person alone as the new state."""
        step = (blob.centre - self.centre) / (self.unsure + 1)
        # Right after the start there is no velocity to lean on, so the first steps count more.
        weight = max(0.25, 1 / (len(self.sightings) + 1))
        self.velocity = self.velocity + weight * step
        self.centre = blob.centre
        self.size = 0.8 * self.size + 0.2 * np.array([blob.width, blob.height])
        self.colours = 0.9 * self.colours + 0.1 * blob.colours
        self.unsure = self.lost = 0

    def hide(self, blob):
        """Stay within a blob that holds this person and others."""
        low = np.array([blob.x, blob.y]) + self.size / 2
        high = np.array([blob.x + blob.width, blob.y + blob.height]) - self.size / 2
        middle = (low + high) / 2
        self.centre = np.clip(self.centre, np.minimum(low, middle), np.maximum(high, middle))
        self.unsure += 1
        self.lost = 0


class Tracker:
    """Assigns the blobs of each frame to tracks, at the least total cost (Hungarian assignment).

    Args:
        patience: the number of frames after which a person who is out of sight is given up.
        patience_merged: the same for a person who is hidden in a blob with others.
    """

    def __init__(self, patience, patience_merged):
        self.patience = patience
        self.patience_merged = patience_merged
        self.active = []
        self.ended = []
        self.count = 0

    def update(self, frame, blobs, silhouettes):
        """Take the blobs of the next frame; ``silhouettes`` says where the mask of each is kept."""
        for track in self.active:
            track.expect()
        owner = self._assign(blobs)
        hidden = self._find_hidden(blobs, owner)
        crowded = set(hidden.values())
        for index, blob in enumerate(blobs):
            track = owner.get(index)
            if track is None:
                track = self._start(blob)
            elif index in crowded or blob.heads > 1:
                track.hide(blob)
            else:
                track.see(blob)
            reason = "merged with another person" if index in crowded or blob.heads > 1 else ""
            reason = reason or ("cut by the border" if blob.cut else "")
            box = blob.x, blob.y, blob.width, blob.height
            track.sightings.append(Sighting(frame, *box, blob.area, silhouettes[index], reason))
        for track in self.active:
            if id(track) in hidden:
                track.hide(blobs[hidden[id(track)]])
            elif track.sightings[-1].frame != frame:
                track.lost += 1
                track.unsure += 1
                track.velocity = track.velocity * 0.95
        self._end([t for t in self.active if t.lost > self.patience or t.unsure > self.patience_merged])

    def finish(self):
        """End all tracks -> every track of the video, in the order of their start."""
        self._end(list(self.active))
        return sorted(self.ended, key=lambda track: track.number)

    def _assign(self, blobs):
        """-> {index of a blob: its track}"""
        if not blobs or not self.active:
            return {}
        costs = np.array([[track.cost(blob) for blob in blobs] for track in self.active])
        allowed = np.isfinite(costs)
        rows, columns = linear_sum_assignment(np.where(allowed, costs, 1e6))
        return {int(c): self.active[r] for r, c in zip(rows, columns, strict=True) if allowed[r, c]}

    def _find_hidden(self, blobs, owner):
        """Tracks without a blob that are expected in one with others -> {id of track: index of blob}.

        Where the blob belongs to nobody, for its colours are a mixture, the first of them becomes its owner.
        """
        assigned = {id(track) for track in owner.values()}
        inside = {}
        for track in self.active:
            if id(track) in assigned or len(track.sightings) < YOUNG:
                continue
            shares = [_covered(track.box(), blob) for blob in blobs]
            best = int(np.argmax(shares)) if shares else None
            if best is not None and shares[best] >= COVERED:
                inside.setdefault(best, []).append(track)
        hidden = {}
        for index, tracks in inside.items():
            if index in owner or len(tracks) > 1:
                others = tracks if index in owner else tracks[1:]
                owner.setdefault(index, tracks[0])
                hidden |= {id(track): index for track in others}
        return hidden

    def _start(self, blob):
        self.count += 1
        track = Track(self.count, blob.centre, np.array([blob.width, blob.height], float), blob.colours)
        self.active.append(track)
        return track

    def _end(self, tracks):
        self.ended += tracks
        gone = {id(track) for track in tracks}
        self.active = [track for track in self.active if id(track) not in gone]


def _covered(box, blob):
    """The share of ``box`` (left, top, right, bottom) that lies in the box of ``blob``, 0..1."""
    left, top, right, bottom = box
    width = min(right, blob.x + blob.width) - max(left, blob.x)
    height = min(bottom, blob.y + blob.height) - max(top, blob.y)
    return max(width, 0) * max(height, 0) / ((right - left) * (bottom - top))
