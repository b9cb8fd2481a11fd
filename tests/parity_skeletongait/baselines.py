"""How the fixtures of GaitSet, GaitPart, GaitGL and GaitBase are computed (see `parity_attengait`)."""

import numpy as np
from fixtures import reader

from keras_gait.checkpoints.by_name import model_from_state
from parity_skeletongait.models import published


def _clips(inputs):
    """The sequences with values 0..255, filled up with -1 to one length: ``(n, s, h, w, 1)``."""
    frames = inputs["sils"][..., None] * np.float32(255)
    if "seqL" not in inputs:
        return frames
    lengths = inputs["seqL"].ravel()
    filled = np.full((len(lengths), lengths.max(), *frames.shape[2:]), -1, np.float32)
    for clip, sequence in zip(filled, np.split(frames[0], np.cumsum(lengths)[:-1]), strict=True):
        clip[: len(sequence)] = sequence
    return filled


def _outputs(meta, inputs, **options):
    """What the model computes with the fixture's weights; ``options`` are what weights do not tell."""
    clips = _clips(inputs)
    model = model_from_state(reader.state(meta), frame_shape=clips.shape[2:], **options)
    outputs = {name: published(value) for name, value in model(clips).items()}
    return outputs | {"embed_for_triplet": outputs["embeddings"]}


def gaitset(meta, inputs, path):
    return _outputs(meta, inputs, bins=meta["config"]["model_cfg"]["bin_num"])


def gaitpart(meta, inputs, path):
    config = meta["config"]["model_cfg"]
    layers = config["backbone_cfg"]["layers_cfg"]
    return _outputs(meta, inputs, backbone_layers=layers, bins=config["bin_num"])


def gaitgl(meta, inputs, path):
    return _outputs(meta, inputs)


def gaitbase(meta, inputs, path):
    config = meta["config"]["model_cfg"]
    backbone = config["backbone_cfg"]
    return _outputs(
        meta, inputs, strides=backbone["strides"], maxpool=backbone["maxpool"], bins=config["bin_num"]
    )


FAMILIES = {"gaitset": gaitset, "gaitpart": gaitpart, "gaitgl": gaitgl, "gaitbase": gaitbase}
