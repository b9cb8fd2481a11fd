"""Published names of a SelfGait, whose checkpoint holds modules by themselves (SelfGait, section 5)."""

import re

from keras_gait.models import SelfGait

MODULE = re.compile(r"(\w+)_state_dict/(?:module\.)?(.+)")
HEADS = ("projection_1.", "projection_2.", "predictor.")
UNUSED = ("online_network.fc_bin", "target_network.fc_bin")  # maps that the published encoder never applies
# modules of the target -> those of the online network that they follow
TARGET = {"target_network.": "online_network.", "TP_2.": "TP_1.", "projection_2.": "projection_1."}
BINS, FRAME = (1, 2, 4, 8, 16), (64, 44)  # of the published model, which weights do not tell


def plain_name(name):
    """``"TP_1_state_dict/module.fc_bin"`` -> ``"TP_1.fc_bin"``; any other name as it is."""
    return re.sub(MODULE, r"\1.\2", name)


def selfgait(state):
    """Of `SelfGait`: widths, strips, whether it has heads and their widths."""
    first = [state[f"online_network.set_layer{i}.forward_block.conv.weight"].shape for i in (1, 3, 5)]
    hidden = state["conv_trans.conv_list_1.0.weight"].shape[1]
    parts, channels, hidden_dim = state["TP_1.fc_bin"].shape
    settings = {
        "channels": tuple(shape[0] for shape in first),
        "hidden_dim": hidden_dim,
        "bins": BINS if parts == sum(BINS) else (parts,),
        "div": channels // hidden,
        "heads": any(name.startswith(HEADS) for name in state),
        "frame_shape": (*FRAME, first[0][1]),
    }
    if settings["heads"]:
        size, mlp_hidden_size, *_ = state["projection_1.net.3.weight"].shape
        settings |= {"mlp_hidden_size": mlp_hidden_size, "projection_size": size}
    return settings


def without_unused(state, heads):
    """The state without the maps that nothing uses and, where the model has no heads, without theirs."""
    dropped = UNUSED if heads else (*UNUSED, *HEADS)
    return {name: array for name, array in state.items() if not name.startswith(dropped)}


def followers(expected, state):
    """What is expected of the target, where the state has one: as its online network, by its own names.

    ``expected``: anything by the online network's names.
    """
    if not any(name.startswith(tuple(TARGET)) for name in state):
        return {}
    return {
        theirs + name.removeprefix(ours): value
        for theirs, ours in TARGET.items()
        for name, value in expected.items()
        if name.startswith(ours)
    }


def target_part(state):
    """The target's arrays by the online network's names; empty where the state has no target."""
    return {
        ours + name.removeprefix(theirs): array
        for theirs, ours in TARGET.items()
        for name, array in state.items()
        if name.startswith(theirs) and name not in UNUSED
    }


# a name that only this model's checkpoint has -> the model, and what tells its arguments
MODELS = {"online_network.set_layer1.forward_block.conv.weight": (SelfGait, selfgait)}
