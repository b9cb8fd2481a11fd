"""What the models of sequences share: configuration and encoder; the input of maps and silhouettes."""

import inspect
import numbers
from functools import cached_property

import keras

from keras_gait.layers import CentreColumns, FramesPresent


class ClipModel(keras.Model):
    """A functional model of sequences, made of its constructor's arguments and nothing else.

    A subclass hands over its input ``clips``, ``outputs`` and its arguments by name; they are its
    configuration, and those of another name than Keras's own its attributes.

    Attributes:
        nclasses: classes of the classifier; 0 where there is none.
        frame_shape: ``(height, width, channels)`` that a network of pictures works on.
        min_frames: frames that a clip needs.
        not_in_recipes: arguments that are taken from the data or from another section of a recipe.
    """

    min_frames = 1
    has_classifier = True
    not_in_recipes = ("nclasses", "frame_shape", "weight_decay")
    masks_padding = True  # frames of negative pixels count nowhere

    def __init__(self, clips, outputs, name=None, trainable=True, **arguments):
        unknown = sorted(set(arguments) - set(inspect.signature(type(self).__init__).parameters))
        if unknown:
            raise ValueError(f"{type(self).__name__} has no argument {unknown[0]!r}. Received: {unknown}")
        if arguments["nclasses"] and not self.has_classifier:
            raise ValueError(
                f"{type(self).__name__} learns from distances and has no classifier. Received: "
                f"nclasses={arguments['nclasses']}"
            )
        super().__init__(inputs=clips, outputs=outputs, name=name, trainable=trainable)
        self._arguments = tuple(
            (argument, tuple(value) if isinstance(value, list | tuple) else value)
            for argument, value in arguments.items()
        )
        for argument, value in self._arguments:
            if not hasattr(type(self), argument):  # Keras has its own meaning of `layers` and `inputs`
                setattr(self, argument, value)

    @classmethod
    def for_classes(cls, classes, classifier=True, **options):
        """The model for data of so many classes, with or without ``classifier``."""
        return cls(nclasses=classes if classifier else 0, **options)

    @cached_property
    def encoder(self):
        """The same input to ``embeddings`` alone; shares this model's weights."""
        return keras.Model(self.input, self.output["embeddings"], name="encoder")

    def get_config(self):
        return dict(self._arguments) | {"name": self.name, "trainable": self.trainable}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


def clip_input(frame_shape):
    """The input of a model for frames of ``frame_shape (height, width, channels)``.

    Returns:
        ``clips (batch, frames, height, any width, channels)``, the input itself; its centre columns on the
        scale 0..1; ``present (batch, frames)``.
    """
    if len(frame_shape) != 3 or min(frame_shape) < 1:
        raise ValueError(
            f"frame_shape must be (height, width, channels). Received: frame_shape={tuple(frame_shape)}"
        )
    height, width, channels = frame_shape
    clips = keras.Input((None, height, None, channels), name="frames")
    centre = CentreColumns(width, name="centre_columns")(clips)
    return clips, centre, FramesPresent(name="present")(clips)


def check_sizes(**arguments):
    """Refuse, by its name, an argument that is no whole number from 1, or no list of them."""
    for name, value in arguments.items():
        sizes = value if isinstance(value, list | tuple) else [value]
        if not sizes or not all(isinstance(size, numbers.Integral) and size > 0 for size in sizes):
            raise ValueError(f"{name} must be whole numbers from 1. Received: {name}={value!r}")


def check_count(count, **arguments):
    """Refuse, by its name, a list that does not have ``count`` entries."""
    for name, value in arguments.items():
        if not isinstance(value, list | tuple) or len(value) != count:
            raise ValueError(f"{name} must have {count} entries. Received: {name}={value!r}")


def leaky(maps, name):
    return keras.layers.LeakyReLU(negative_slope=0.01, name=f"{name}-relu")(maps)
