"""Read image files, and tell damaged ones from whole ones."""

import os

import cv2
import numpy as np

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp")
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"


def image_names(folder):
    """The names of a folder's image files, sorted; hidden files are left out."""
    return sorted(
        name for name in os.listdir(folder) if name.lower().endswith(EXTENSIONS) and not name.startswith(".")
    )


def read_image(path, flags=cv2.IMREAD_COLOR):
    """An image as ``cv2.imread`` gives it (uint8), or None where it is missing, truncated or damaged."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return None
    if not data or (data.startswith(_PNG_START) and _PNG_END not in data[-64:]):
        return None  # the decoder would fill the missing rows of a truncated PNG with anything
    return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
