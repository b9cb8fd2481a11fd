"""Embeddings: whole sequences, independent of the batch, computed anew whenever something changed."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from keras_gait.errors import GaitError
from keras_gait.evaluation import embedding
from keras_gait.evaluation.embedding import cached_embeddings, embed, few_lengths, long_enough


class Clips:
    """A data set in memory: sequence i has ``lengths[i]`` frames of the value i, the last one of 99."""

    def __init__(self, lengths, shape=(2, 2, 1), fingerprint="f"):
        self.path, self.frame_shape, self.fingerprint = Path("clips"), shape, fingerprint
        self.frames = np.array(lengths, np.int32)
        self.subject = np.array([f"{i:03d}" for i in range(len(lengths))])
        self.condition = self.view = self.video = np.array([""] * len(lengths))

    def __len__(self):
        return len(self.frames)

    def select(self, mask):
        return Clips(self.frames[mask], self.frame_shape)

    def read(self, i):
        frames = np.full((self.frames[i], *self.frame_shape), i, np.uint8)
        frames[-1] = 99
        return frames


class Encoder:
    """Embeds a clip as [[its mean, its frames]] and keeps the shapes that it was given."""

    input_shape = (None, None, 2, 2, 1)

    def __init__(self):
        self.shapes = []

    def predict_on_batch(self, frames):
        self.shapes.append(frames.shape[:2])
        means = frames.mean(axis=(1, 2, 3, 4))
        return np.stack([means, np.full(len(frames), frames.shape[1])], axis=1)[:, None]


def model(**config):
    return SimpleNamespace(encoder=Encoder(), get_config=lambda: config)


def test_batches_hold_one_length_and_results_keep_the_order():
    net = model()
    values = embed(net, Clips([4, 3, 4, 3, 4]), batch_size=2)
    assert net.encoder.shapes == [(2, 4), (2, 4), (2, 3)]
    assert values.shape == (5, 1, 2)
    assert values[:, 0, 1].tolist() == [4, 3, 4, 3, 4]
    np.testing.assert_allclose(
        values[:, 0, 0], [(3 * 0 + 99) / 4, 101 / 3, 105 / 4, 105 / 3, 111 / 4], rtol=1e-6
    )


@pytest.mark.parametrize(("count", "batches"), [(3, [3]), (7, [4, 4]), (11, [4, 4, 4]), (5, [5])])
def test_one_length_has_one_batch_size_and_hardly_a_row_too_many(count, batches):
    net = model()
    values = embed(net, Clips([2] * count), batch_size=5)
    assert [size for size, _ in net.encoder.shapes] == batches
    np.testing.assert_array_equal(values[:, 0, 0], [(i + 99) / 2 for i in range(count)])


def test_long_sequences_come_in_smaller_batches(monkeypatch):
    monkeypatch.setattr(embedding, "BATCH_FRAMES", 10)
    net = model()
    embed(net, Clips([5, 5, 5, 20]))
    assert net.encoder.shapes == [(1, 20), (2, 5), (2, 5)]


class Masking(Encoder):
    """An `Encoder` for which frames of negative pixels count nowhere."""

    def predict_on_batch(self, frames):
        self.shapes.append(frames.shape[:2])
        assert frames.dtype == np.int16
        present = frames[:, :, 0, 0, 0] >= 0
        means = [clip[here].mean() for clip, here in zip(frames, present, strict=True)]
        return np.stack([means, present.sum(axis=1)], axis=1)[:, None]


def test_a_model_that_masks_padding_sees_few_lengths_and_gives_the_same_embeddings():
    lengths = [9, 10, 11, 12, 13, 30, 33, 70]
    plain, masking = model(), SimpleNamespace(encoder=Masking(), masks_padding=True)
    np.testing.assert_allclose(embed(masking, Clips(lengths)), embed(plain, Clips(lengths)), rtol=1e-6)
    assert masking.encoder.shapes == [(1, 80), (1, 40), (1, 32), (1, 14), (2, 12), (2, 10)]
    assert len(plain.encoder.shapes) == 8


def test_few_lengths_stay_and_many_grow_by_a_quarter_at_most():
    assert few_lengths(np.array([13, 77, 5, 9])).tolist() == [13, 77, 5, 9]
    many = np.arange(1, 1000)
    found = few_lengths(many)
    assert len(np.unique(found)) == 4 * 7 + 1  # octaves from 8 to 1024
    assert (found >= many).all()
    assert (found[8:] <= 1.25 * many[8:]).all()


def test_short_sequences_are_repeated_from_their_start():
    net = model()
    values = embed(net, Clips([3]), min_frames=5)
    assert net.encoder.shapes == [(1, 5)]
    assert values[0, 0, 0] == pytest.approx(99 / 5)  # 0 0 99 0 0


def test_short_sequences_are_named():
    dataset, names = long_enough(Clips([30, 12, 40]), 30)
    assert len(dataset) == 2
    assert names == ["001 (12)"]


def test_embeddings_can_be_written_to_a_file(tmp_path):
    values = embed(model(), Clips([4, 3]), output=tmp_path / "e.npy")
    assert isinstance(values, np.memmap)
    np.testing.assert_array_equal(np.load(tmp_path / "e.npy"), embed(model(), Clips([4, 3])))


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """Calls `cached_embeddings` and says whether the model had to work."""
    weights = tmp_path / "model.keras"
    weights.write_bytes(b"weights")

    def call(dataset=None, config=(), **settings):
        net = model(**dict(config))
        values = cached_embeddings(
            net, weights, dataset or Clips([4, 3]), tmp_path / "results", "probe", **settings
        )
        assert values.shape == (2, 1, 2)
        return bool(net.encoder.shapes)

    call.weights, call.folder = weights, tmp_path / "results"
    return call


def test_unchanged_embeddings_are_reused_whatever_the_batch_size(cached):
    assert cached(batch_size=1)
    assert not cached(batch_size=2)


def test_another_model_data_set_or_setting_computes_anew(cached):
    cached()
    assert cached(min_frames=7)
    assert cached(Clips([4, 3], fingerprint="other"))
    assert cached(config={"softmax_attention": True, "widths": (3, 4)})
    assert not cached(config={"softmax_attention": True, "widths": (3, 4)})
    cached.weights.write_bytes(b"trained on")
    assert cached()


def test_half_written_or_damaged_files_are_not_used(cached):
    cached()
    file = next(cached.folder.glob("*.npy"))
    file.write_bytes(file.read_bytes()[:100])
    assert cached()
    next(cached.folder.glob("*.json")).unlink()
    assert cached()


def test_an_interrupted_run_leaves_no_file(cached):
    class Broken(Clips):
        def read(self, i):
            raise GaitError("damaged")

    with pytest.raises(GaitError, match="damaged"):
        cached(Broken([4, 3]))
    assert list(cached.folder.iterdir()) == []


def test_embeddings_that_are_not_finite_are_refused():
    net = model()
    net.encoder.predict_on_batch = lambda frames: np.array([[[0.0]], [[np.inf]], [[0.0]]])
    with pytest.raises(GaitError, match="not finite for 001"):
        embed(net, Clips([4, 4, 4]))


def test_frames_of_another_shape_are_refused():
    with pytest.raises(GaitError, match="holds frames of 64x64x3, but the model takes 2x2x1"):
        embed(model(), Clips([4], (64, 64, 3)))


def test_frames_narrower_than_the_model_works_on_are_refused():
    net = model()
    net.encoder.input_shape, net.frame_shape = (None, None, 2, None, 1), (2, 44, 1)
    with pytest.raises(GaitError, match="frames 32 wide, but the model works on the middle 44 columns"):
        embed(net, Clips([4], (2, 32, 1)))
    assert embed(net, Clips([4], (2, 64, 1))).shape == (1, 1, 2)


def test_no_sequence_is_refused():
    with pytest.raises(GaitError, match="no sequence"):
        embed(model(), Clips([]))


def test_cut_shows_the_model_the_middle_columns_only():
    class Wide(Clips):
        def read(self, i):
            frames = np.full((self.frames[i], *self.frame_shape), 200, np.uint8)
            frames[:, :, :10] = frames[:, :, 54:] = 0
            return frames

    net = model()
    net.encoder.input_shape = (None, None, 4, 64, 3)
    assert embed(net, Wide([2], (4, 64, 3)), cut=True)[0, 0, 0] == 200
    assert embed(net, Wide([2], (4, 64, 3)))[0, 0, 0] < 200


def test_cut_needs_frames_of_its_width():
    net = model()
    with pytest.raises(GaitError, match="--cut is for frames 64 wide; those of clips are 2 wide"):
        embed(net, Clips([2]), cut=True)


class PoseClips(Clips):
    """Sequences of poses: all of sequence i is the value i, but its last frame is 99."""

    def __init__(self, lengths, shape=(2, 3), channels=("x", "y", "confidence"), **info):
        super().__init__(lengths, shape)
        self.channels, self.info = channels, info
        self.asked = []  # how many at once, and of one alone nothing

    def read_many(self, which):
        self.asked.append(len(which))
        return np.stack([self.read(i) for i in which])


class PoseDouble:
    """A model of poses of two joints: 4 frames, the middle ones; embeds as `Encoder` does."""

    frames, batch_frames = 4, 12
    tta_encoder = None

    class Graph:
        name = "coco"

        def __len__(self):
            return 2

    graph = Graph()

    class Encoder(Encoder):
        input_shape = (None, None, 2, 3)

        def predict_on_batch(self, poses):
            return super().predict_on_batch(poses[..., None])

    class Views(Encoder):
        def predict_on_batch(self, poses):
            return np.tile(super().predict_on_batch(poses), 3)

    def __init__(self):
        self.encoder, self.tta_encoder = self.Encoder(), self.Views()

    def get_config(self):
        return {}

    def prepare(self, sequence):
        start = max(0, len(sequence) - self.frames) // 2
        return np.resize(sequence[start:], (self.frames, *sequence.shape[1:]))


def test_sequences_of_poses_are_prepared_and_not_repeated():
    net = PoseDouble()
    values = embed(net, PoseClips([9, 1, 5, 4, 30]), min_frames=30)
    assert net.encoder.shapes == [(3, 4), (3, 4)]  # 12 frames a batch
    assert values[:, 0, 0].tolist() == [0, 99, 2, (9 + 99) / 4, 4]


@pytest.mark.parametrize(("windows", "asked"), [(256, [3, 3, 3, 3]), (2, [1, 1, 1, 1, 2, 2, 2, 2])])
def test_sequences_of_one_length_are_read_many_at_once(monkeypatch, windows, asked):
    monkeypatch.setattr("keras_gait.evaluation.embedding.WINDOWS", windows)
    net, clips = PoseDouble(), PoseClips([4] * 12)
    values = embed(net, clips)
    assert sorted(clips.asked) == asked
    assert values[:, 0, 0].tolist() == [(3 * i + 99) / 4 for i in range(12)]
    mixed = PoseClips([4, 5])
    embed(net, mixed)
    assert mixed.asked == []


def test_test_time_views_have_an_encoder_of_their_own(tmp_path):
    net = PoseDouble()
    assert embed(net, PoseClips([4]), tta=True).shape == (1, 1, 6)
    assert net.encoder.shapes == []
    with pytest.raises(GaitError, match="SimpleNamespace has no test-time views: leave --tta out"):
        embed(model(), Clips([4]), tta=True)
    (tmp_path / "model").touch()
    sizes = [
        cached_embeddings(net, tmp_path / "model", PoseClips([4]), tmp_path, "probe", tta=tta).shape[-1]
        for tta in (False, True, False)
    ]
    assert sizes == [2, 6, 2]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            PoseClips([4], (18, 3), joints="oumvlp"),
            r"poses of 18 joints \(oumvlp\), but .* of 2 joints \(coco\)",
        ),
        (Clips([4]), r"frames of 2x2x1, but the model takes poses of 2 joints \(coco\)"),
        (PoseClips([4], (2, 2), ("x", "y")), "asked for x, y: leave --channels out"),
        (PoseClips([4], channels=("y", "x", "confidence")), "in this order; asked for y, x, confidence"),
    ],
)
def test_what_are_no_poses_of_the_models_joints_is_refused(data, message):
    with pytest.raises(GaitError, match=message):
        embed(PoseDouble(), data)


def test_poses_are_no_frames_and_cannot_be_cut():
    with pytest.raises(GaitError, match="holds poses of 2 joints, but the model takes frames of 2x2x1"):
        embed(model(), PoseClips([4]))
    with pytest.raises(GaitError, match="--cut is for pictures, and clips holds poses: leave it out"):
        embed(PoseDouble(), PoseClips([4]), cut=True)
