"""How the fixtures of losses are computed (see `parity_gaitgraph2`)."""

from gradients import gradient
from keras import ops

from keras_gait.losses import SupCon, SupConCosine, contrastive


def _cases(inputs):
    """``(number, embeddings [sample, part (1), dimension], labels)`` of each batch in a fixture."""
    for name, x in inputs.items():
        if name.startswith("embedding_"):
            number = name.removeprefix("embedding_")
            yield number, x[:, None], ops.convert_to_tensor(inputs[f"labels_{number}"])


def supcon(meta, inputs, path):
    found = {}
    for number, x, labels in _cases(inputs):
        temperature = inputs.get(f"temperature_{number}", meta["config"].get("temperature", 0.01))
        loss = SupCon(float(temperature))
        found[f"loss_{number}"] = ops.convert_to_numpy(loss(labels, ops.convert_to_tensor(x)))
        found[f"gradient_{number}"] = gradient(lambda x, y=labels, f=loss: f(y, x), x)[:, 0]
    return found


def contrastive_validation(meta, inputs, path):
    margins = meta["config"].get("pos_margin", 0), meta["config"].get("neg_margin", 1)
    return {
        f"loss_{number}": ops.convert_to_numpy(contrastive(labels, ops.convert_to_tensor(x), *margins))
        for number, x, labels in _cases(inputs)
    }


def v1_supcon(meta, inputs, path):
    """Views one after the other are views one below the other: first all first ones."""
    config, features = meta["config"], inputs["features"]
    samples, views, size = features.shape
    loss = SupConCosine(config.get("temperature", 0.07), config.get("base_temperature", 0.07))
    labels = ops.convert_to_tensor([*inputs["labels"]] * views)
    x = features.swapaxes(0, 1).reshape(-1, 1, size).copy()
    slope = gradient(lambda x: loss(labels, x), x)
    return {
        "loss": ops.convert_to_numpy(loss(labels, ops.convert_to_tensor(x))),
        "gradient": slope.reshape(views, samples, size).swapaxes(0, 1),
    }


FAMILIES = {
    "supcon": supcon,
    "contrastive_validation": contrastive_validation,
    "v1_supcon": v1_supcon,
}
