"""Augmentation of whole batches of clips, in NumPy.

Clips are float32 ``(batch, frames, height, width, channels)`` in any value range, targets float32
``(batch, classes)``, one-hot. ``partners (batch,)`` holds each clip's partner, ``shares (batch,)`` the
part of itself that each clip keeps.
"""

import numpy as np


def mixup(clips, targets, partners, shares):
    """Blend every clip and target with its partner's: ``share x + (1 - share) x[partner]``."""
    return _blend(clips, partners, shares), _blend(targets, partners, shares)


def cutmix(clips, targets, partners, shares, rows, columns, published=True):
    """Fill one rectangle of every clip, the same in all frames, from its partner.

    The rectangle about ``rows, columns (batch,)`` has sides ``sqrt(1 - share)`` of the frame's, cut at the
    border. Targets blend by the area.

    Args:
        published: as AttenGait does it: both sides measured by the height, filled from the partner's
            first frame, targets blended by the uncut area. Otherwise each side by its own length, frame by
            frame, by the area that was filled.
    """
    height, width = clips.shape[2:4]
    scale = np.sqrt(1.0 - shares)
    tall = (scale * height).astype(int)
    wide = tall if published else (scale * width).astype(int)
    inside = _interval(rows, tall, height)[:, :, None] & _interval(columns, wide, width)[:, None, :]
    source = clips[partners, :1] if published else clips[partners]
    mixed = np.where(inside[:, None, :, :, None], source, clips)
    filled = tall * wide if published else inside.sum(axis=(1, 2))
    return mixed, _blend(targets, partners, 1.0 - filled / (height * width))


def _blend(values, partners, shares):
    shares = shares.reshape(-1, *[1] * (values.ndim - 1)).astype(values.dtype)
    return shares * values + (1 - shares) * values[partners]


def _interval(centres, lengths, size):
    """``(batch, size)``: which pixels i fulfil centre - length / 2 <= i < centre + length / 2."""
    pixels = np.arange(size)
    lower, upper = (centres - lengths / 2)[:, None], (centres + lengths / 2)[:, None]
    return (pixels >= lower) & (pixels < upper)


def mix_batch(clips, targets, rng, mixup_rate=0.25, cutmix_rate=0.25, published=True):
    """With the given probabilities mix the whole batch up, then cut and mix it.

    The shares are uniform in 0..1: the published code draws them as g1 / (g1 + g2) from two exponential
    variables, whatever its alpha. Clips of any dtype come back as float32.
    """
    batch, _, height, width, _ = clips.shape
    clips = clips.astype(np.float32)
    draw_mixup, draw_cutmix = rng.random(2)
    if draw_mixup < mixup_rate:
        clips, targets = mixup(clips, targets, rng.permutation(batch), rng.random(batch))
    if draw_cutmix < cutmix_rate:
        centres = rng.integers(0, height, batch), rng.integers(0, width, batch)
        clips, targets = cutmix(
            clips, targets, rng.permutation(batch), rng.random(batch), *centres, published=published
        )
    return clips, targets
