"""Train what a recipe says, by its system's way of training."""

from keras_gait.training import sge, supervised
from keras_gait.training.settings import METHODS

OWN_ORDER = {"sge": sge.train}  # systems that train several networks, one after another


def train(recipe):
    """Train what a recipe says -> the run's folder, or a list of folders where it trains several models.

    Goes on where a stopped run was; returns at once if the run is complete.
    """
    return OWN_ORDER.get(METHODS[recipe["method"]].way, supervised.train)(recipe)
