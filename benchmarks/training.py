"""What a training step costs, and whether it waits for its input, on the backend of ``KERAS_BACKEND``.

    python benchmarks/training.py --model_size small
    KERAS_BACKEND=jax python benchmarks/training.py

The step against the forward pass (the published grouped convolutions took 300 times the forward pass on a
CPU), steps and embedded clips a second, and the share of time that ``fit``'s batches are waited for. Prints
one JSON line per figure.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
from input_pipeline import SUBJECTS, write_both
from timing import shortest

from keras_gait.data.pipeline import ClipBatches
from keras_gait.data.sampling import ClipSampling, PKSampler
from keras_gait.losses import BatchAllTriplet, PartsCrossentropy
from keras_gait.models import AttenGait


def waiting_share(model, batches, steps):
    """The part of the time of ``steps`` training steps that is spent waiting for the next batch."""
    iterator = iter(batches.to_tf_data())
    model.train_on_batch(*_arrays(next(iterator)))
    waited, start = 0.0, time.perf_counter()
    for _ in range(steps):
        asked = time.perf_counter()
        batch = next(iterator)
        waited += time.perf_counter() - asked
        model.train_on_batch(*_arrays(batch))
    return waited / (time.perf_counter() - start)


def _arrays(batch):
    clips, wanted = batch
    return clips.numpy(), {name: value.numpy() for name, value in wanted.items()}


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model_size", default="small", choices=("small", "medium", "large"))
    parser.add_argument("--p", type=int, default=2)
    parser.add_argument("--k", type=int, default=2)
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args(argv)
    model = AttenGait(
        SUBJECTS,
        model_size=args.model_size,
        combined_output_length=32,
        split_crossentropy=True,
        softmax_attention=True,
        attention_drop_rate=0.1,
        weight_decay=1e-5,
    )
    model.compile("adam", loss={"embeddings": BatchAllTriplet(), "logits": PartsCrossentropy()})
    with tempfile.TemporaryDirectory() as folder:
        dataset, _ = write_both(Path(folder))
        sampler = PKSampler(dataset.labels, args.p, args.k, seed=0)
        batches = ClipBatches(
            dataset, dataset.labels, SUBJECTS, sampler, ClipSampling(args.frames), mixing={}
        )
        clips, labels, targets = batches[0]
        calls = args.repeats + 1  # the first compiles
        forward = shortest(lambda: model.predict_on_batch(clips), calls)
        wanted = {"embeddings": labels, "logits": targets}
        step = shortest(lambda: model.train_on_batch(clips, wanted), calls)
        share = waiting_share(model, batches, 2 * args.repeats)
    figures = {
        "step to forward pass": step / forward,
        "steps a second": 1 / step,
        "clips embedded a second": len(clips) / forward,
        "share of time waiting for input": share,
    }
    setting = {"backend": keras.backend.backend(), "clips": np.shape(clips)[0], "frames": args.frames}
    for figure, value in figures.items():
        line = {"benchmark": "training", "figure": figure, "value": round(value, 4)}
        print(json.dumps(line | setting | {"model_size": args.model_size}))


if __name__ == "__main__":
    main(sys.argv[1:])
