"""Data sets on disk, sampling, augmentation and the walk simulator."""

from keras_gait.data.opening import find_dataset, open_dataset

__all__ = ["find_dataset", "open_dataset"]
