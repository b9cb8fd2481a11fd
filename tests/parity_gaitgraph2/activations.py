"""How the fixtures of joints' activations are computed (see `parity_gaitgraph2`)."""

from fixtures import reader

from keras_gait.evaluation.activations import drawn_joints, drawn_places, joint_activation
from keras_gait.vision.joint_graphs import find_graph
from parity_gaitgraph2.models import any_network, computed


def activation(meta, inputs, path):
    """Of the first sample alone, whose first branch begins with x, y and the confidence."""
    x = inputs["x"][:1]
    _, maps = computed(meta, x, any_network)
    poses = x[0, :, :, 0, :3]
    places = drawn_places(poses)
    graph = find_graph(meta["config"].get("dataset", "coco"))
    return {
        "activation": joint_activation(maps[0], reader.state(meta)["fcn.weight"].T, len(poses)),
        "drawn_x": places[..., 0],
        "drawn_y": places[..., 1],
        "visible": drawn_joints(poses, graph.connect_joint),
    }


FAMILIES = {"activation": activation}
