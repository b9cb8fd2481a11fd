"""Short motions of body parts, weighed by attention (GaitPart, Fan et al., CVPR 2020, section 3.4)."""

from keras import layers, ops

from keras_gait.layers.parts_over_time import PartsConvolution, WindowPooling
from keras_gait.layers.residual import relu

WINDOWS = ((3, 1), (5, 3))  # of the two blocks: frames that move together, frames that a score looks at


def micro_motion(
    parts,
    present,
    hidden,
    name,
    branches=("conv_list_1", "conv_list_2"),
    suffix="",
    activation=relu,
    **options,
):
    """Add the two micro-motion blocks: what moves in 3 and in 5 frames around each, by attention, summed.

    ``y = sum of sigmoid(conv(act(conv3(x)))) * (max + mean of the window)`` for both blocks, per part;
    ``(batch, frames, parts, channels)`` and ``present (batch, frames)`` of a functional model, shape kept.
    The blocks of all parts are computed at once, parts first from the first of them to the last.

    Args:
        parts: descriptors of the parts of every frame.
        present: 1 for frames that are there, 0 for those that fill a clip up.
        hidden: channels between the two convolutions of a block.
        name: what the names of the layers begin with: ``name-branch-0`` and ``-2`` are the convolutions.
        branches: names of the two blocks.
        suffix: what the convolutions' names end with.
        activation: ``activation(maps, name)`` adds the activation between them.
        options: of `PartsConvolution`.
    """

    channels = parts.shape[-1]
    parts = ops.transpose(parts, (2, 0, 1, 3))

    def attended(branch, window, size):
        prefix = f"{name}-{branch}"
        x = PartsConvolution(hidden, 3, name=f"{prefix}-0{suffix}", **options)(parts, present)
        x = activation(x, f"{prefix}-0")
        x = PartsConvolution(channels, size, name=f"{prefix}-2{suffix}", **options)(x, present)
        scores = layers.Activation("sigmoid", name=f"{prefix}-attention")(x)
        moved = WindowPooling(window, name=f"{prefix}-window")(parts, present)
        return layers.Multiply(name=f"{prefix}-attended")([moved, scores])

    both = [attended(branch, *sizes) for branch, sizes in zip(branches, WINDOWS, strict=True)]
    return ops.transpose(layers.Add(name=f"{name}-add")(both), (1, 2, 0, 3))
