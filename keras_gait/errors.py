"""The one exception for what a user can mend: wrong folders, files, flags and settings."""


class GaitError(ValueError):
    """Something in the user's files or settings is wrong.

    The message is one line: what was found where, what was expected, and how to mend it.
    Commands print it and end with exit code 2 (`keras_gait.commands.run`).
    """
