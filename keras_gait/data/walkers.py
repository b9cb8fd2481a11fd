"""Simulated people: a body and a gait for each subject, and their walks as 3-D joints.

A gait is a set of joint-angle Fourier series around the published normative curves of level walking
(D. A. Winter, "Biomechanics and Motor Control of Human Movement"; J. Perry, "Gait Analysis"). A
subject bends those curves in amplitude, timing and offset, and has limb lengths and widths of its own
around the segment proportions of Drillis and Contini (in Winter, ch. 4). A take of the same subject
adds what changes from day to day: speed, phase, heading, posture and a little noise.
"""

from dataclasses import dataclass, replace

import numpy as np

FRAME_RATE = 25.0  # frames per second, as CASIA-B
SIDES = ("left", "right")

# Normative curves in degrees at 0, 10, ... 90 % of the stride, from heel strike to heel strike.
HIP = (26, 22, 12, 1, -10, -19, -12, 8, 25, 30)  # thigh against the vertical, flexion positive
KNEE = (5, 16, 16, 9, 6, 11, 37, 59, 52, 22)  # flexion positive
ANKLE = (0, -4, 2, 6, 9, 8, -14, -9, 0, 1)  # dorsiflexion positive
STRAIGHTEST_KNEE = 2.0  # degrees; a knee never bends backward


def fourier(curve):
    """Samples of one period ``(n,)`` -> complex coefficients of harmonics 0 .. (n - 1) // 2."""
    return (np.fft.rfft(curve) * np.r_[1, np.full(len(curve) // 2, 2)] / len(curve))[: (len(curve) + 1) // 2]


def series(coefficients, phase):
    """Real Fourier series at ``phase`` (any shape, in strides)."""
    turns = np.exp(2j * np.pi * np.multiply.outer(phase, np.arange(len(coefficients))))
    return (turns @ coefficients).real


@dataclass(frozen=True)
class Body:
    """Lengths and widths in metres."""

    stature: float
    thigh: float
    shank: float
    ankle_height: float
    foot: float
    trunk: float  # hip centre to shoulder centre
    neck: float  # shoulder centre to the centre of the head
    head: float  # radius
    upper_arm: float
    forearm: float
    hand: float
    shoulders: float  # shoulder joint to shoulder joint
    hips: float  # hip joint to hip joint
    depth: float  # of the chest, front to back
    belly: float  # how far it stands out
    leg_girth: float  # thickness relative to the average person
    arm_girth: float


@dataclass(frozen=True)
class Gait:
    """How somebody walks. Angles in degrees, amplitudes from the middle, lags in strides."""

    hip: np.ndarray  # Fourier coefficients
    knee: np.ndarray
    ankle: np.ndarray
    cadence: float  # strides per second
    asymmetry: float  # amplitude of the left leg over that of the right, less one
    limp: float  # right leg's delay beyond half a stride
    spread: float  # abduction of the legs
    toe_out: float
    obliquity: float  # pelvis drop
    pelvis_turn: float
    shoulder_turn: float
    sway: float  # sideways, metres
    lean: float
    head_pitch: float
    arm_swing: float
    arm_bias: float  # mean shoulder flexion
    arm_spread: float
    arm_lag: float
    elbow: float
    elbow_swing: float
    carrying: tuple = (1.0, 1.0)  # what is left of the swing of the left and of the right arm
    heading: float = 0.0
    phase: float = 0.0


def draw_body(rng):
    """A person's body. ``rng`` is the subject's own generator."""
    stature = float(np.clip(rng.normal(1.70, 0.085), 1.5, 1.92))

    def own(part, spread):
        return stature * part * float(np.exp(rng.normal(0, spread)))

    leg = float(np.exp(rng.normal(0, 0.045)))
    build = float(rng.normal(0, 1))  # slight .. heavy
    return Body(
        stature=stature,
        thigh=own(0.245, 0.025) * leg,
        shank=own(0.246, 0.025) * leg,
        ankle_height=own(0.039, 0.05),
        foot=own(0.135, 0.06),
        trunk=own(0.288, 0.03) / leg,
        neck=own(0.115, 0.06),
        head=own(0.062, 0.06),
        upper_arm=own(0.176, 0.035),
        forearm=own(0.150, 0.035),
        hand=own(0.075, 0.06),
        shoulders=own(0.215, 0.07) * (1 + 0.03 * build),
        hips=own(0.108, 0.08) * (1 + 0.02 * build),
        depth=own(0.125, 0.07) * (1 + 0.09 * build),
        belly=max(0.0, float(rng.normal(0.02 + 0.025 * build, 0.015))),
        leg_girth=float(np.exp(rng.normal(0.07 * build, 0.07))),
        arm_girth=float(np.exp(rng.normal(0.07 * build, 0.09))),
    )


def _bent(curve, rng, amplitude, lag, offset):
    """A normative curve made somebody's own -> Fourier coefficients."""
    coefficients = fourier(curve)
    order = np.arange(len(coefficients))
    own = np.exp(rng.normal(0, amplitude, order.shape) * (order > 0))
    turned = coefficients * own * np.exp(2j * np.pi * order * rng.normal(0, lag))
    turned[0] += rng.normal(0, offset)
    return turned


def draw_gait(rng):
    """A person's usual way of walking. ``rng`` is the subject's own generator."""
    return Gait(
        hip=_bent(HIP, rng, 0.12, 0.008, 2.0),
        knee=_bent(KNEE, rng, 0.11, 0.012, 3.5),
        ankle=_bent(ANKLE, rng, 0.15, 0.012, 2.5),
        cadence=float(np.clip(rng.normal(0.92, 0.07), 0.76, 1.1)),
        asymmetry=float(rng.normal(0, 0.05)),
        limp=float(rng.normal(0, 0.012)),
        spread=float(np.clip(rng.normal(1.5, 1.3), -0.5, 4.5)),
        toe_out=float(rng.normal(8, 6)),
        obliquity=float(abs(rng.normal(4, 1.8))),
        pelvis_turn=float(abs(rng.normal(5, 2.5))),
        shoulder_turn=float(abs(rng.normal(6, 3.5))),
        sway=float(abs(rng.normal(0.022, 0.009))),
        lean=float(rng.normal(3.5, 3.2)),
        head_pitch=float(rng.normal(5, 7)),
        arm_swing=float(np.clip(rng.normal(19, 8), 3, 40)),
        arm_bias=float(rng.normal(-6, 4.5)),
        arm_spread=float(np.clip(rng.normal(7, 3.5), 1, 16)),
        arm_lag=float(rng.normal(0.03, 0.03)),
        elbow=float(np.clip(rng.normal(20, 9), 5, 50)),
        elbow_swing=float(abs(rng.normal(9, 5))),
    )


def draw_take(gait, rng):
    """The gait of one take: a new start, speed and heading, and the day's form."""
    pace = float(np.exp(rng.normal(0, 0.045)))

    def unsteady(curve):
        return curve * np.exp(rng.normal(0, 0.025, curve.shape))

    return replace(
        gait,
        hip=unsteady(gait.hip) * np.r_[1.0, np.full(len(gait.hip) - 1, pace)],
        knee=unsteady(gait.knee),
        ankle=unsteady(gait.ankle),
        cadence=gait.cadence * pace,
        lean=gait.lean + float(rng.normal(0, 0.9)),
        head_pitch=gait.head_pitch + float(rng.normal(0, 2.5)),
        arm_swing=gait.arm_swing * float(np.exp(rng.normal(0, 0.12))) * pace,
        arm_bias=gait.arm_bias + float(rng.normal(0, 1.2)),
        elbow=gait.elbow * float(np.exp(rng.normal(0, 0.08))),
        heading=float(rng.normal(0, 2.0)),
        phase=float(rng.uniform()),
    )


def _turned(vector, yaw):
    """Vectors ``(..., 3)`` turned about the vertical by ``yaw`` degrees (left positive)."""
    angle = np.radians(yaw)
    cos, sin = np.cos(angle), np.sin(angle)
    x, y, z = np.moveaxis(vector, -1, 0)
    return np.stack([cos * x - sin * y, sin * x + cos * y, np.broadcast_to(z, (cos * x).shape)], axis=-1)


def _swung(angle, outward=0.0):
    """Unit vectors of a limb that hangs down, swung forward by ``angle`` and to the left by ``outward``."""
    a, o = np.radians(angle), np.radians(outward)
    return np.stack([np.sin(a) * np.ones_like(o), np.cos(a) * np.sin(o), -np.cos(a) * np.cos(o)], axis=-1)


def leg_angles(gait, phase):
    """Hip, knee and ankle angles in degrees, each ``phase.shape + (2,)``: left, right."""
    both = np.stack([phase, phase + 0.5 - gait.limp], axis=-1)
    scale = np.array([1 + gait.asymmetry / 2, 1 - gait.asymmetry / 2])
    knee = np.maximum(series(gait.knee, both) * scale, STRAIGHTEST_KNEE)
    return series(gait.hip, both) * scale, knee, series(gait.ankle, both) * scale


def _legs(body, gait, phase, sway):
    """Leg joints around the hip centre: dict name -> ``(F, 3)``; ``sway`` (F,) is the pelvis' own shift."""
    hip, knee, ankle = leg_angles(gait, phase)
    roll = np.radians(gait.obliquity * np.cos(2 * np.pi * (phase - 0.12)))
    turn = gait.pelvis_turn * np.cos(2 * np.pi * (phase + 0.03))
    joints = {}
    for column, (side, sign) in enumerate(zip(SIDES, (1, -1), strict=True)):
        flat = np.zeros((len(phase), 3))
        flat[:, 1] = sign * body.hips / 2
        flat[:, 2] = sign * body.hips / 2 * np.sin(roll)
        # The hip of the leading leg comes forward: a turn to the right for the left leg.
        start = _turned(flat, -turn)
        # The leg leans with the pelvis' shift, so that the feet keep to their lines.
        outward = sign * gait.spread - np.degrees(np.arcsin(sway / (body.thigh + body.shank)))
        knees = start + body.thigh * _swung(hip[:, column], outward)
        shank = hip[:, column] - knee[:, column]
        ankles = knees + body.shank * _swung(shank, outward)
        pitch = shank + ankle[:, column]
        along = _turned(_swung(pitch + 90.0), sign * gait.toe_out)
        below = _turned(_swung(pitch), sign * gait.toe_out)
        sole = ankles + body.ankle_height * 0.6 * below
        joints |= {
            f"{side}_hip": start,
            f"{side}_knee": knees,
            f"{side}_ankle": ankles,
            f"{side}_heel": sole - 0.25 * body.foot * along,
            f"{side}_toe": sole + 0.75 * body.foot * along,
        }
    return joints


def _sway(gait, phase):
    return gait.sway * np.cos(2 * np.pi * (phase - 0.25))


def _stride(body, gait):
    """What the legs do to the body -> (height series of the hip centre, metres walked per stride).

    The lowest foot is on the ground, and the foot that stands flat does not slide.
    """
    phase = np.arange(64) / 64
    legs = _legs(body, gait, phase, _sway(gait, phase))
    soles = np.stack([legs[f"{side}_{end}"][:, 2] for side in SIDES for end in ("heel", "toe")])
    height = fourier(-soles.min(axis=0))[:5]
    height[0] += 0.4 * body.ankle_height
    stands = (phase > 0.02) & (phase < 0.48)
    slope = np.polyfit(phase[stands], legs["left_ankle"][stands, 0], 1)[0]
    slope += np.polyfit(phase[stands], np.roll(legs["right_ankle"][:, 0], -32)[stands], 1)[0]
    return height, -slope / 2


def _upper(body, gait, phase, centre):
    """Trunk, head and arms above the hip centre ``(F, 3)``: dict name -> ``(F, 3)``."""
    lean = gait.lean + 1.2 * np.cos(4 * np.pi * (phase - 0.1))
    side = 1.5 * np.cos(2 * np.pi * (phase - 0.25))
    spine = -_swung(-lean, -side)
    turn = gait.shoulder_turn * np.cos(2 * np.pi * (phase + 0.03 - gait.arm_lag))
    neck = centre + body.trunk * spine
    nod = _swung(-(0.5 * lean + gait.head_pitch))
    head = neck - body.neck * nod
    forward = _turned(_swung(90.0 - gait.head_pitch), 0.3 * turn)
    joints = {"neck": neck, "head": head, "face": head + body.head * forward}
    joints["waist"] = centre + 0.38 * body.trunk * spine
    joints["chest"] = centre + 0.74 * body.trunk * spine
    across = _turned(np.array([0.0, 1.0, 0.0]) * np.ones((len(phase), 1)), turn)
    for column, (name, sign) in enumerate(zip(SIDES, (1, -1), strict=True)):
        shoulder = neck + sign * body.shoulders / 2 * across - 0.035 * body.stature * spine
        beat = -np.cos(2 * np.pi * (phase + 0.5 * column - gait.arm_lag)) * gait.carrying[column]
        swing = gait.arm_bias + lean * 0.5 + gait.arm_swing * beat
        bend = np.maximum(gait.elbow + gait.elbow_swing * beat, 3.0)
        outward = sign * gait.arm_spread
        elbow = shoulder + body.upper_arm * _swung(swing, outward)
        wrist = elbow + body.forearm * _swung(swing + bend, 0.3 * outward)
        hand = wrist + body.hand * _swung(swing + bend + 8, 0.2 * outward)
        joints |= {f"{name}_shoulder": shoulder, f"{name}_elbow": elbow}
        joints |= {f"{name}_wrist": wrist, f"{name}_hand": hand}
    return joints


def walk_path(body, gait, frames):
    """Metres walked between the first and the last of ``frames``."""
    return _stride(body, gait)[1] * gait.cadence * (frames - 1) / FRAME_RATE


def walk(body, gait, frames, rng):
    """Joints of a walk through the origin: dict name -> ``(frames, 3)`` in metres.

    x points where the walker goes (but for ``gait.heading``), y to the walker's left, z up, the
    ground is at 0; the walker passes the origin in the middle frame. ``rng`` draws the unsteadiness.
    """
    time = (np.arange(frames) - (frames - 1) / 2) / FRAME_RATE
    unsteady = 0.012 * np.sin(2 * np.pi * (rng.uniform(0.2, 0.5) * time + rng.uniform()))
    phase = gait.phase + gait.cadence * time + unsteady
    height, stride = _stride(body, gait)
    sway = _sway(gait, phase)
    centre = np.stack([stride * (phase - gait.phase), sway, series(height, phase)], axis=-1)
    joints = {name: centre + place for name, place in _legs(body, gait, phase, sway).items()}
    joints |= {"pelvis": centre} | _upper(body, gait, phase, centre)
    return {name: _turned(place, gait.heading) for name, place in joints.items()}
