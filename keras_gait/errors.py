"""The one exception for what a user can mend: wrong folders, files, flags and settings."""


class GaitError(ValueError):
    """Something in the user's files or settings is wrong.

    The message is one line: what was found where, what was expected, and how to mend it.
    Commands print it and end with exit code 2 (`keras_gait.commands.run`).
    """


# What h5py raises on a damaged file, by where the damage is. A `GaitError` is a ValueError: catch it first.
DAMAGED_HDF5 = (OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, MemoryError)
