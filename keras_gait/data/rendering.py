"""Cameras and pictures of simulated walkers: clothes, RGB frames, silhouettes.

A body part is the convex hull of a few spheres, so its outline is right from every side; parts are
painted from the farthest to the nearest. Spots fixed to the surface give the clothes a texture that
moves with the limbs, which optical flow needs.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from keras_gait.data.walkers import SIDES, Body

FOCAL = 2.27  # focal length in frame heights
TALLEST_PART = 0.63  # of the frame's height, for a person of 1.70 m in the middle of the walk
CAMERA_HEIGHT = 1.15  # metres; the optical axis is horizontal through 0.88 m
AIM_HEIGHT = 0.88
SUBPIXEL = 4  # fractional bits of cv2's coordinates
_CIRCLE = np.stack([f(np.arange(14) * np.pi / 7) for f in (np.cos, np.sin)], axis=-1)


@dataclass(frozen=True)
class Camera:
    """A static pinhole camera: ``position`` and ``axes`` (right, down, away as rows) in metres."""

    position: np.ndarray
    axes: np.ndarray
    focal: float  # pixels
    centre: tuple  # x, y of the optical axis in pixels

    def coordinates(self, points):
        """World ``(..., 3)`` -> right, down, away from the camera in metres."""
        return (points - self.position) @ self.axes.T

    def pixels(self, points):
        """World ``(..., 3)`` -> ``(..., 2)`` pixels x, y and ``(...)`` pixels per metre there."""
        right, down, away = np.moveaxis(self.coordinates(points), -1, 0)
        scale = self.focal / away
        return np.stack([self.centre[0] + right * scale, self.centre[1] + down * scale], axis=-1), scale


def place_camera(view, path, height, width):
    """The camera that sees a walk of ``path`` metres from ``view`` degrees.

    0 looks the walker in the face, 90 stands at the walker's left, 180 behind. Longer walks are
    filmed from farther back, so that the walk fits into the frame.
    """
    scale = min(TALLEST_PART * height / 1.7, width / (path + 1.15))
    distance = FOCAL * height / scale
    angle = np.radians(view)
    outward = np.array([np.cos(angle), np.sin(angle), 0.0])
    position = outward * distance + np.array([0.0, 0.0, CAMERA_HEIGHT])
    away = np.array([0.0, 0.0, AIM_HEIGHT]) - position
    away /= np.linalg.norm(away)
    right = np.cross(away, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(away, right), away])
    return Camera(position, axes, FOCAL * height, ((width - 1) / 2, (height - 1) / 2))


@dataclass(frozen=True)
class Outfit:
    """What is worn and carried in one take. Colours are RGB 0..255 by part of the body."""

    colours: dict
    loose: float  # how much wider than the body
    coat: float  # 0 none; else how far down the thigh the skirt reaches
    coat_width: float
    bag: str  # "", "backpack", "shoulder" or "hand"
    bag_side: int  # 0 left, 1 right
    bag_size: float


def draw_outfit(condition, rng):
    """Clothes for one take, independent of who wears them. ``condition``: nm, bg or cl."""
    cloth = {name: rng.uniform(25, 225, 3) for name in ("top", "trousers", "shoes", "coat", "bag", "hair")}
    skin = np.array([205.0, 165.0, 140.0]) * rng.uniform(0.4, 1.15)
    colours = cloth | {"skin": skin, "sleeve": cloth["top"] if rng.uniform() < 0.6 else skin}
    colours["hair"] = np.array([70.0, 55.0, 45.0]) * rng.uniform(0.3, 2.2)
    coat = condition == "cl"
    if coat:
        colours |= {"top": cloth["coat"], "sleeve": cloth["coat"]}
    return Outfit(
        colours=colours,
        loose=float(np.exp(rng.normal(0.05, 0.05))),
        coat=float(rng.uniform(0.25, 0.85)) if coat else 0.0,
        coat_width=float(rng.uniform(1.15, 1.35)) if coat else 1.0,
        bag=str(rng.choice(["backpack", "shoulder", "hand"])) if condition == "bg" else "",
        bag_side=int(rng.integers(2)),
        bag_size=float(rng.uniform(0.8, 1.2)),
    )


class Figure:
    """The spheres, parts and surface spots of one dressed walker.

    Attributes:
        centres, radii: of all spheres, ``(F, S, 3)`` and ``(S,)`` in metres.
        parts: (colour, indices of its spheres, metres it is painted nearer) of each part.
        spots: (index of the part for each spot, centres ``(F, n, 3)``, radii, outward normals
            ``(F, n, 3)``, shades) of each part that has texture.
    """

    def __init__(self, body: Body, joints, outfit, rng):
        self.centres, self.radii, self.parts, self.spots = [], [], [], []
        self.rng = rng
        self.outfit = outfit
        across = joints["left_hip"] - joints["right_hip"]
        self.left = across / np.linalg.norm(across, axis=-1, keepdims=True)
        self.ahead = np.cross(self.left, [0.0, 0.0, 1.0])
        self._add_head(body, joints)
        self._add_trunk(body, joints)
        for column, side in enumerate(SIDES):
            self._add_arm(body, joints, side)
            self._add_leg(body, joints, side, 1 - 2 * column)
        if outfit.bag:
            self._add_bag(body, joints)
        self.centres = np.stack(self.centres, axis=1)
        self.radii = np.array(self.radii)

    def _part(self, colour, balls, spots=0, wide=1.0, nearer=0.0):
        """One part: hull of ``balls`` (centre, radius), painted as if ``nearer`` metres closer.

        Spots lie between the first and the last ball, ``wide`` times as far out at the sides.
        """
        first = len(self.radii)
        for centre, radius in balls:
            self.centres.append(centre)
            self.radii.append(radius)
        part = len(self.parts)
        self.parts.append(
            (np.clip(self.outfit.colours[colour], 0, 255), list(range(first, len(self.radii))), nearer)
        )
        if spots:
            self._add_spots(part, balls[0], balls[-1], spots, wide)

    def _add_spots(self, part, top, bottom, count, wide):
        """Texture at random places around the axis from ball ``top`` to ball ``bottom``."""
        (start, thick), (end, thin) = top, bottom
        axis = end - start
        axis = axis / np.maximum(np.linalg.norm(axis, axis=-1, keepdims=True), 1e-6)
        side = self.left - (self.left * axis).sum(-1, keepdims=True) * axis
        side = (side / np.linalg.norm(side, axis=-1, keepdims=True))[:, None]
        front = np.cross(axis[:, None], side)
        along, turn, size, light = self.rng.uniform(size=(4, count, 1))
        cos, sin = np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)
        radius = thick + (thin - thick) * along
        centre = (
            start[:, None] + (end - start)[:, None] * along + 0.8 * radius * (wide * cos * side + sin * front)
        )
        shade = np.sign(light - 0.5) * (25 + 70 * np.abs(light - 0.5))
        radius = radius * (0.3 + 0.3 * size)
        self.spots.append((np.full(count, part), centre, radius[:, 0], cos * side + sin * front, shade[:, 0]))

    def _add_head(self, body, joints):
        head, face = joints["head"], joints["face"]
        up = head - joints["neck"]
        up = up / np.linalg.norm(up, axis=-1, keepdims=True)
        r = body.head
        back = head - 0.2 * (face - head) + 0.62 * r * up
        self._part("skin", [(joints["neck"], 0.62 * r), (head - 0.4 * r * up, 0.58 * r)])
        jaw = head + 0.25 * (face - head) - 0.85 * r * up
        self._part("skin", [(head + 0.45 * r * up, r), (face, 0.2 * r), (jaw, 0.62 * r)], spots=3)
        self._part("hair", [(back, 1.02 * r), (back - 0.9 * r * up - 0.15 * (face - head), 0.8 * r)], spots=3)

    def _pair(self, middle, width, depth):
        """Two balls whose hull is ``width`` across and ``depth`` front to back."""
        apart = max(width - depth, 0.0) / 2 * self.left
        return [(middle + apart, depth / 2), (middle - apart, depth / 2)]

    def _add_trunk(self, body, joints):
        wide = self.outfit.loose * self.outfit.coat_width
        chest, waist, pelvis = joints["chest"], joints["waist"], joints["pelvis"]
        depth = body.depth * wide
        shoulders = [(joints[f"{side}_shoulder"], 0.030 * body.stature * wide) for side in SIDES]
        chests = self._pair(chest, (body.shoulders + 0.045) * wide, depth * 1.08)
        waists = self._pair(waist, (0.55 * body.shoulders + body.hips * 0.75) * wide, depth * 0.95)
        hips = self._pair(pelvis, (body.hips + 0.155 * body.leg_girth) * wide, depth * 1.08)
        bellies = [
            (waist - 0.03 * body.stature * np.array([0, 0, 1.0]) + self.ahead * body.belly, depth * 0.45)
        ]
        colour = "top"
        self._part("trousers", [(pelvis + 0.05 * (waist - pelvis), 0.4 * depth), *hips], 4, nearer=-0.02)
        self._part(
            colour, [(chest, depth / 2), *shoulders, *chests, *waists, *bellies, (waist, depth / 2)], 16, 1.5
        )
        if self.outfit.coat:
            reach = self.outfit.coat
            hems = []
            for side in SIDES:
                hip, knee = joints[f"{side}_hip"], joints[f"{side}_knee"]
                hems.append((hip + (knee - hip) * reach, 0.062 * body.stature * body.leg_girth * wide))
            hem = (hems[0][0] + hems[1][0]) / 2
            self._part(
                "coat", [(pelvis, depth / 2), *waists, *hips, *hems, (hem, depth / 2)], 12, 1.4, nearer=0.25
            )

    def _add_arm(self, body, joints, side):
        thick = body.stature * body.arm_girth * self.outfit.loose * (1 + 0.9 * (self.outfit.coat_width - 1))
        shoulder, elbow, wrist, hand = (joints[f"{side}_{n}"] for n in ("shoulder", "elbow", "wrist", "hand"))
        self._part("top", [(shoulder, 0.031 * thick), (elbow, 0.025 * thick)], 7)
        self._part("sleeve", [(elbow, 0.024 * thick), (wrist, 0.018 * thick)], 6)
        self._part("skin", [(wrist, 0.015 * body.stature), (hand, 0.020 * body.stature)], 1)

    def _add_leg(self, body, joints, side, sign):
        thick = body.stature * body.leg_girth * self.outfit.loose
        hip, knee, ankle, heel, toe = (joints[f"{side}_{n}"] for n in ("hip", "knee", "ankle", "heel", "toe"))
        upper = thick * (1 + 0.5 * (self.outfit.coat_width - 1))
        top = hip + 0.015 * sign * self.left
        self._part("trousers", [(top, 0.053 * upper), (knee, 0.036 * thick)], 12)
        self._part("trousers", [(knee, 0.035 * thick), (ankle, 0.024 * thick)], 10)
        foot = 0.020 * body.stature
        self._part("shoes", [(ankle, 1.15 * foot), (heel, foot), (toe, 0.75 * foot)], 2)

    def _add_bag(self, body, joints):
        size, up = self.outfit.bag_size, np.array([0.0, 0.0, 1.0])
        side = SIDES[self.outfit.bag_side]
        sign = 1 - 2 * self.outfit.bag_side
        if self.outfit.bag == "backpack":
            middle = joints["chest"] - self.ahead * (0.62 * body.depth + 0.07)
            tall, wide, deep = 0.15 * size, 0.28 * size, 0.14 * size
        elif self.outfit.bag == "shoulder":
            middle = (
                joints["pelvis"] + self.left * sign * (body.hips / 2 + 0.15) + 0.06 * up - 0.03 * self.ahead
            )
            tall, wide, deep = 0.09 * size, 0.10 * size, 0.10 * size
        else:
            middle = joints[f"{side}_hand"] - 0.19 * size * up
            tall, wide, deep = 0.10 * size, 0.11 * size, 0.11 * size
        ends = [self._pair(middle + shift * up, wide, deep) for shift in (tall, -tall)]
        along = [
            (place + shift * self.ahead, r) for pair in ends for place, r in pair for shift in self._lengths()
        ]
        self._part("bag", along, 10, 1.2)
        if self.outfit.bag == "shoulder":
            across = joints[f"{side}_shoulder"] + 0.06 * up
            self._part("bag", [(across, 0.014), (middle + tall * up, 0.014)])

    def _lengths(self):
        """How far a bag's corners lie before and behind its middle: flat on the back, long at the side."""
        return (0.0,) if self.outfit.bag == "backpack" else (0.09, -0.09)


def draw_background(height, width, rng):
    """A static scene ``(height, width, 3)`` uint8: a wall, a floor, a few things, texture on all."""
    wall, floor = rng.uniform(60, 190, (2, 1)) + rng.uniform(-22, 22, (2, 3))
    scene = np.empty((height, width, 3), np.float32)
    horizon = int(height * rng.uniform(0.60, 0.8))
    scene[:horizon], scene[horizon:] = wall, floor
    for _ in range(rng.integers(2, 6)):
        x, y = rng.integers(0, width), rng.integers(0, horizon)
        w, h = rng.integers(width // 12, width // 3), rng.integers(height // 8, height // 2)
        scene[y : min(y + h, horizon), x : x + w] += rng.uniform(-40, 40) + rng.uniform(-15, 15, 3)
    for cells, strength in ((4, 14), (14, 9), (48, 7)):
        grain = rng.normal(0, strength, (cells, cells, 1)) + rng.normal(0, strength / 3, (cells, cells, 3))
        scene += cv2.resize(grain.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(scene, 5, 250).astype(np.uint8)


def render(figure, camera, background, rng):
    """Paint every frame -> RGB ``(F, H, W, 3)`` uint8 and clean silhouettes ``(F, H, W)`` uint8, 0/255."""
    frames = len(figure.centres)
    height, width = background.shape[:2]
    place, scale = camera.pixels(figure.centres)
    radius = figure.radii * scale
    rims = place[:, :, None] + radius[..., None, None] * _CIRCLE
    rims = np.round(rims * (1 << SUBPIXEL)).astype(np.int32)
    depth = camera.coordinates(figure.centres)[..., 2]
    far = [depth[:, balls].mean(axis=1) - nearer for _, balls, nearer in figure.parts]
    order = np.argsort(-np.stack(far, axis=1), axis=1)
    spots = _visible_spots(figure, camera)
    lit = rng.uniform(0.85, 1.1)
    pictures = np.empty((frames, height, width, 3), np.uint8)
    masks = np.zeros((frames, height, width), np.uint8)
    for frame in range(frames):
        picture, mask = background.copy(), masks[frame]
        for part in order[frame]:
            colour, balls, _ = figure.parts[part]
            hull = cv2.convexHull(rims[frame, balls].reshape(-1, 2))
            cv2.fillConvexPoly(picture, hull, (colour * lit).tolist(), cv2.LINE_AA, SUBPIXEL)
            cv2.fillConvexPoly(mask, hull, 255, cv2.LINE_8, SUBPIXEL)
            for centre, size, shade in spots[frame][part]:
                cv2.circle(picture, centre, size, (colour * lit + shade).tolist(), -1, cv2.LINE_AA, SUBPIXEL)
        pictures[frame] = picture
    return pictures, masks


def _visible_spots(figure, camera):
    """Spots that face the camera: per frame and part a list of (centre, radius, shade) for cv2."""
    parts, centres, sizes, normals, shades = (
        np.concatenate(field, axis=-2 if field[0].ndim == 3 else 0)
        for field in zip(*figure.spots, strict=True)
    )
    sight = camera.position - centres
    facing = (sight * normals).sum(-1) / np.linalg.norm(sight, axis=-1) > 0.35
    place, scale = camera.pixels(centres)
    place = np.round(place * (1 << SUBPIXEL)).astype(int).tolist()
    radius = np.round(sizes * scale * (1 << SUBPIXEL)).astype(int).tolist()
    parts, shades = parts.tolist(), shades.tolist()
    seen = [[[] for _ in figure.parts] for _ in range(len(centres))]
    for frame, spot in np.argwhere(facing).tolist():
        seen[frame][parts[spot]].append((place[frame][spot], radius[frame][spot], shades[spot]))
    return seen


def add_sensor_noise(pictures, rng, strength=1.6):
    """Add grain of ``strength`` grey levels to each frame, in place: random windows of one field of noise."""
    frames, height, width, _ = pictures.shape
    field = rng.normal(0, strength, (height + 40, width + 40, 3)).round().astype(np.int16)
    for picture, (y, x) in zip(pictures, rng.integers(0, 41, (frames, 2)), strict=True):
        noisy = picture + field[y : y + height, x : x + width]
        np.clip(noisy, 0, 255, out=picture, casting="unsafe")


def spoil_silhouettes(masks, figure, camera, rng):
    """What background subtraction makes of clean ``masks`` (F, H, W): ragged borders, holes, missing bits."""
    frames, height, width = masks.shape
    field = cv2.GaussianBlur(rng.normal(0, 1, (height + 40, width + 40)).astype(np.float32), (3, 3), 0)
    ragged = (field / field.std() * 48).astype(np.int16)
    shifts = rng.integers(0, 41, (frames, 2))
    spoilt = np.empty_like(masks)
    for frame, (y, x) in enumerate(shifts):
        soft = cv2.GaussianBlur(masks[frame], (3, 3), 0)
        border = (soft > 0) & (soft < 255)
        kept = soft + ragged[y : y + height, x : x + width] > 127
        spoilt[frame] = np.where(border, kept, soft > 0) * np.uint8(255)
    place, scale = camera.pixels(figure.centres)
    for _ in range(rng.poisson(1 + frames / 12)):  # a hole or a missing bit stays for some frames
        ball, size, first = (
            rng.integers(len(figure.radii)),
            rng.uniform(0.02, 0.075),
            rng.integers(-4, frames),
        )
        for frame in range(max(first, 0), min(first + rng.integers(2, 9), frames)):
            centre = np.round(place[frame, ball] * (1 << SUBPIXEL)).astype(int).tolist()
            radius = int(size * scale[frame, ball] * (1 << SUBPIXEL))
            cv2.circle(spoilt[frame], centre, radius, 0, -1, cv2.LINE_8, SUBPIXEL)
    return spoilt
