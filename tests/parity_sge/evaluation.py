"""Fixtures of ranking and matching."""

from keras_gait.evaluation.identification import identify, published_windows
from keras_gait.evaluation.matching import nearest_other


def ranking(meta, inputs, path):
    config = meta["config"]
    frames = config.get("time_steps", 6) if config.get("manner", "ap") == "ap" else 1
    scores, labels = published_windows(
        inputs["scores"], inputs["labels"], config.get("batch_size", 128), frames
    )
    found = identify(scores, labels)
    return {
        "rank_n": found.rank_n,
        "rank_1": round(found.rank_1, 6),  # as it is printed
        "nauc": found.nauc,
        "confusion": found.confusion,
        "sequences": len(found),
        "true": found.true,
        "predicted": found.named,
    }


def cme(meta, inputs, path):
    """The published rule takes the second nearest where both conditions are one, as the nearest is the probe
    itself, or a copy that fills a batch: ours leaves out the probe by its row, here the nearest."""
    gallery, probe = inputs["gallery"], inputs["probe"]
    asked, known = meta["config"].get("probe_type", "nm.nm").split(".")
    own = nearest_other(gallery, probe) if asked == known else None
    found = nearest_other(gallery, probe, own)
    right = inputs["gallery_labels"][found] == inputs["probe_labels"]
    return {"rank_1": right.mean(), "correct": right.sum()}


FAMILIES = {"ranking": ranking, "cme": cme}
