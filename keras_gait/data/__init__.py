"""Data sets on disk, sampling, augmentation and the walk simulator."""
