"""Whether embeddings still tell sequences apart: what a network that learns without labels may lose."""

import numpy as np


def spread(embeddings):
    """How far the embeddings point apart: 1 in all directions alike, 0 all the same, which is collapse.

    The standard deviation of the descriptors' channels, each descriptor brought to length 1, times the root
    of their number; mean over channels and parts (Chen and He, Exploring Simple Siamese Representation
    Learning, fig. 2).

    Args:
        embeddings: ``(n, parts, dim)``.
    """
    descriptors = np.asarray(embeddings, np.float64)
    lengths = np.linalg.norm(descriptors, axis=-1, keepdims=True)
    directions = descriptors / np.maximum(lengths, 1e-12)
    return float(directions.std(axis=0).mean() * np.sqrt(directions.shape[-1]))


def effective_rank(embeddings):
    """In how many dimensions the embeddings differ: from 0, all the same, to ``min(n - 1, dim)``.

    The exponential of the entropy of the singular values' shares in their sum (Roy and Vetterli, The
    Effective Rank), of each part's descriptors about their mean; mean over the parts.

    Args:
        embeddings: ``(n, parts, dim)``.
    """
    descriptors = np.moveaxis(np.asarray(embeddings, np.float64), 1, 0)
    values = np.linalg.svd(descriptors - descriptors.mean(axis=1, keepdims=True), compute_uv=False)
    rounding = np.finfo(np.float32).eps * np.linalg.norm(descriptors, axis=(1, 2))
    values = np.where(values > rounding[:, None], values, 0)
    sums = values.sum(axis=1, keepdims=True)
    shares = values / np.where(sums > 0, sums, 1)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=1)
    return float(np.where(sums[:, 0] > 0, np.exp(entropy), 0).mean())
