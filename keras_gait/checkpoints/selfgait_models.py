"""Published weights of SelfGait's target network into ours; `by_name` loads its online network."""

from keras_gait.checkpoints.by_name import load_state, model_from_state, read_plain
from keras_gait.checkpoints.selfgait_names import target_part
from keras_gait.errors import GaitError
from keras_gait.models.selfgait import target_of


def target_from_state(state, **options):
    """The target network that published weights hold beside the online one, with its own weights loaded.

    Args:
        state: ``{published name: array}`` or a file, as for `model_from_state`.
        options: of the `SelfGait` that it belongs to, for what weights do not tell.

    Returns:
        A `keras.Model`, see `target_of`.

    Raises:
        GaitError: not the whole weights of a SelfGait, or there is no target among them.
    """
    plain, _ = read_plain(state)
    model = model_from_state(plain, method="selfgait", **options)
    followed = target_part(plain)
    if not followed:
        raise GaitError("the weights hold no target network (target_network, TP_2, projection_2)")
    if not model.heads:
        raise GaitError("the weights hold no projector, without which a target network has no output")
    target = target_of(model)
    load_state(target, followed)
    return target
