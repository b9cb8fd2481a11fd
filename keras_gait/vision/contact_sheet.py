"""One picture to look at: a row for each walk, its frames from left to right, the silhouette outlined."""

import cv2
import numpy as np

from keras_gait.errors import GaitError

TILE = (96, 144)  # width, height in pixels
LABEL = 20  # height of a row's label in pixels
OUTLINE = (0, 255, 255)  # yellow, as B, G, R


class ContactSheet:
    """Collects tiles of walks and lays them out.

    Args:
        labels: one line of text for each row.
        columns: tiles in a row.
    """

    def __init__(self, labels, columns):
        width, height = TILE
        self.picture = np.full((len(labels) * (height + LABEL), columns * width, 3), 32, np.uint8)
        for row, label in enumerate(labels):
            place = (4, row * (height + LABEL) + LABEL - 6)
            cv2.putText(
                self.picture, label, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA
            )

    def add(self, row, column, frame, mask, corner):
        """Put a person into a tile.

        Args:
            frame: ``(height, width, 3)`` uint8, the whole frame.
            mask: ``(h, w)`` uint8, 0 or 255, the silhouette in its box.
            corner: left and top of the box in the frame.
        """
        width, height = TILE
        scale = 0.8 * height / mask.shape[0]
        # Moves the middle of the box to the middle of the tile.
        shift_x = width / 2 - scale * (corner[0] + mask.shape[1] / 2)
        shift_y = height / 2 - scale * (corner[1] + mask.shape[0] / 2)
        tile = cv2.warpAffine(frame, np.array([[scale, 0, shift_x], [0, scale, shift_y]]), TILE)
        place = np.array([[scale, 0, shift_x + scale * corner[0]], [0, scale, shift_y + scale * corner[1]]])
        large = cv2.warpAffine(mask, place, TILE, flags=cv2.INTER_NEAREST)
        outlines, _ = cv2.findContours(large, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(tile, outlines, -1, OUTLINE, 1)
        top = row * (height + LABEL) + LABEL
        self.picture[top : top + height, column * width : (column + 1) * width] = tile

    def write(self, path):
        """Write the sheet as PNG."""
        if not cv2.imwrite(str(path), self.picture):
            raise GaitError(f"{path}: cannot be written. Check the free space, then run again.")
