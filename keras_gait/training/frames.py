"""What a model of silhouettes or maps takes of a data set's frames."""

from keras_gait.data.warps import silhouette_width
from keras_gait.errors import GaitError


def frame_shape(dataset):
    """``(height, width, channels)``: the middle 44 columns for 64 rows.

    Raises:
        GaitError: the set holds poses, or narrower frames.
    """
    if len(dataset.frame_shape) != 3:
        raise GaitError(
            f"{dataset.path} holds {dataset.info.get('modality', 'sequence')}s of "
            f"{' x '.join(map(str, dataset.frame_shape))}, but the model takes frames of silhouettes or "
            "maps: give another data set"
        )
    height, width, channels = dataset.frame_shape
    wanted = silhouette_width(height, width)
    if width * 64 < height * 44:
        raise GaitError(
            f"{dataset.path} has frames of {height} x {width}; they must be {height * 44 // 64} columns "
            "wide, or wider: make the set again at that size"
        )
    return height, wanted, channels
