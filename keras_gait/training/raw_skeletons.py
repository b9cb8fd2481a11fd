"""What SGE's features must beat: the same recognition network on the skeletons themselves."""

import numpy as np

from keras_gait.evaluation.closed_set import identified, test_sets
from keras_gait.files import RECIPE_FILE
from keras_gait.models.sge import recognition_network
from keras_gait.training import sge_data
from keras_gait.training.recipes import load_recipe
from keras_gait.training.recognition import Features, train_recognition


def raw_skeletons(run, folder):
    """Train SGE's recognition network on raw frames, and score the test set by it.

    Everything else is as in a finished run of SGE: people, windows, those held out to choose the epoch by,
    epochs, batches, mean over the frames of a sequence.

    Args:
        run: folder of that run.
        folder: of the network trained here, which goes on where it was stopped.

    Returns:
        List of `Identified`, one for each test set.
    """
    recipe = load_recipe(run / RECIPE_FILE)
    dataset = sge_data.training_set(recipe)
    learnt, apart = sge_data.divided(recipe, dataset)
    parts = [
        None if which is None else _features(dataset.select(which), dataset.labels[which])
        for which in (learnt, apart)
    ]
    people = tuple(dataset.subjects.tolist())
    network = recognition_network(parts[0].values.shape[-1], len(people), recipe["model"]["hidden"])
    folder.mkdir(parents=True, exist_ok=True)
    network.set_weights(train_recognition(recipe, len(people), *parts, folder)["final"])
    probe, labels = sge_data.test_set(recipe, dataset)
    values = _features(probe, labels).values
    logits = network.predict(values.reshape(-1, values.shape[-1]), batch_size=4096, verbose=0)
    scores = np.asarray(logits).reshape(*values.shape[:2], -1).mean(axis=1)
    sets = test_sets(probe)
    return identified(sets, {each.condition: scores for each in sets}, probe.subject, people)


def _features(dataset, labels):
    """All frames, each as one vector of its joints' coordinates."""
    frames = dataset.read_many(np.arange(len(dataset)))
    return Features(frames.reshape(*frames.shape[:2], -1), labels, dataset.condition)
