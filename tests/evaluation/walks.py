"""Labels of walks, written as one reads them."""

from pathlib import Path

import numpy as np


class Walks:
    """The labels of a data set, from rows such as ``"075 nm-01 090"``; "-" is no type or view."""

    def __init__(self, name, *rows, **info):
        self.name, self.path, self.rows, self.info = name, Path(name), rows, info
        fields = [["" if word == "-" else word for word in row.split(" ")] for row in rows]
        columns = zip(*fields, strict=True) if rows else [(), (), ()]
        self.subject, self.types, self.view = (np.array(column, str) for column in columns)
        self.condition = np.array([name.partition("-")[0] for name in self.types.tolist()], str)

    def __len__(self):
        return len(self.rows)

    def select(self, mask):
        return Walks(
            self.name, *(row for row, kept in zip(self.rows, mask, strict=True) if kept), **self.info
        )


def on_a_line(*places):
    """Embeddings ``(n, 1, 1)``."""
    return np.array(places, "float32")[:, None, None]
