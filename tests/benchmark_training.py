"""Training beside what the machine's convolutions allow, and beside the report's way.

    python tests/benchmark_training.py [patches]

The yardstick is the two convolutions of the report's network alone, forward and backward, at the best of some batch
sizes. Then an epoch of this workflow: patches read from disk, as they are, and with all of the report's augmentations
drawn as they are read. Then the report's way: `keras.Model.fit` on the stored set of 48 variants of each patch.
Everything in CPU time, each in a process of its own, for its memory; the first epoch, in which tensorflow compiles, is
not counted, and of the others the fastest is.
"""

import dataclasses
import itertools
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORKFLOW = Path(__file__).parents[1] / "workflow"
sys.path.insert(0, str(WORKFLOW))
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1"}

SIZE, BANDS, BATCH, SEED = 25, 5, 64, 1
EPOCHS = 5
"""How often each way is timed; the fastest counts, of the yardstick as of the rest."""

LAYERS = {"conv_1": ((25, 25, 5), 32), "conv_2": ((11, 11, 32), 64)}
"""Input and filters of the network's convolutions, all of 3 x 3 pixels."""


def flops(layer: str) -> int:
    """Operations of a convolution and its gradients, a patch: by the weights and, but for the first, by the input."""
    (rows, columns, channels), filters = LAYERS[layer]
    passes = 2 if layer == "conv_1" else 3
    return passes * 2 * (rows - 2) * (columns - 2) * filters * 9 * channels


def convolutions(_: int) -> float:
    """CPU seconds a patch of the convolutions alone."""
    import numpy as np
    import tensorflow as tf

    from stargal.learning import models

    models.use_one_thread()
    random = np.random.default_rng(SEED)

    def seconds(layer: str, batch: int) -> float:
        shape, filters = LAYERS[layer]
        pixels = tf.constant(random.normal(size=(batch, *shape)).astype(np.float32))
        kernel = tf.constant(random.normal(size=(3, 3, shape[2], filters)).astype(np.float32))
        wanted = [kernel] if layer == "conv_1" else [kernel, pixels]

        @tf.function
        def both_ways() -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(wanted)
                features = tf.nn.conv2d(pixels, kernel, 1, "VALID")
            return tape.gradient(features, wanted, output_gradients=features)

        both_ways()
        return min(timed(lambda: [both_ways() for _ in range(2048 // batch)]) for _ in range(EPOCHS)) / 2048

    return sum(min(seconds(layer, batch) for batch in (32, 64, 128)) for layer in LAYERS)


def timed(work) -> float:
    """CPU time of some work, s."""
    start = time.process_time()
    work()
    return time.process_time() - start


def made_patches(count: int):
    """Noise, in the place of patches, and labels."""
    import numpy as np

    random = np.random.default_rng(SEED)
    return random.normal(0, 0.1, (count, SIZE, SIZE, BANDS)).astype(np.float32), (np.arange(count) % 2).astype(np.int8)


def network():
    from stargal.learning import models

    return models.build("regularized", size=SIZE, sky_sigma=[0.1] * BANDS, seed=SEED, dropout=0.3, l2=1e-4)


def streamed(count: int, **variants: float) -> float:
    """CPU seconds a patch of `stargal.learning.train.fit`."""
    import numpy as np
    import pandas as pd

    from stargal.learning import models, train
    from stargal.learning.augment import Augmentation

    models.use_one_thread()
    with tempfile.TemporaryDirectory() as folder:
        patches, labels = made_patches(count)
        np.save(Path(folder, "field.npy"), patches)
        pd.DataFrame({"label": labels}).to_parquet(Path(folder, "field.parquet"))
        del patches
        opened = train.open_patches([Path(folder, "field.npy")], [Path(folder, "field.parquet")])
        few = dataclasses.replace(opened, labels=np.where(np.arange(count) < 64, labels, -1))  # quick to validate on
        sky, seeing = np.full(BANDS, 0.1), np.full((1, BANDS), 1.3)
        augmentation = Augmentation(**variants)

        batches = math.ceil(count / BATCH)
        begun = []

        def vary(cut, rows, chance):
            begun.append(time.process_time())
            return augmentation.draw(cut, chance, sky, seeing[opened.fields(rows)])

        stop = {"max_epochs": EPOCHS + 2, "max_patches": None, "patience": EPOCHS + 2}
        train.fit(network(), opened, few, learning_rate=1e-3, batch_size=BATCH, seed=SEED, vary=vary, **stop)
        starts = begun[batches::batches]  # of all epochs but the first, in which tensorflow compiles
        return min(after - before for before, after in itertools.pairwise(starts)) / count


def as_they_are(count: int) -> float:
    """An epoch of the patches."""
    return streamed(count)


def augmented(count: int) -> float:
    """An epoch of the patches, one variant of each."""
    return streamed(count, rotations=True, reflections=True, offset=0.1, blur=1.0)


def stored(count: int) -> float:
    """The report's way: all 48 variants in memory, `keras.Model.fit` as it comes."""
    import keras
    import numpy as np

    from stargal.learning.augment import Augmentation

    patches, labels = made_patches(count // 8)
    augmentation = Augmentation(rotations=True, reflections=True, offset=0.1, blur=1.0)
    random = np.random.default_rng(SEED)
    sky, seeing = np.full(BANDS, 0.1), np.full((len(patches), BANDS), 1.3)
    variants = np.array(list(augmentation.variants()))
    everything = np.concatenate(
        [augmentation.make(np.tile(one, (len(patches), 1)), patches, random, sky, seeing) for one in variants]
    )
    model = network()
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="binary_crossentropy")
    targets = np.tile(labels, 48)[:, None].astype(np.float32)

    def epoch() -> float:
        return timed(lambda: model.fit(everything, targets, batch_size=BATCH, epochs=1, verbose=0))

    epoch()
    return min(epoch() for _ in range(EPOCHS)) / len(everything)


def measured(name: str, count: int) -> tuple[float, float]:
    """CPU seconds a patch and peak memory, MB, of one way in a process of its own."""
    done = subprocess.run([sys.executable, __file__, str(count), name], stdout=subprocess.PIPE, check=True, text=True)
    seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak


def main(count: int) -> None:
    """Print the table."""
    best, _ = measured("convolutions", count)
    total = sum(map(flops, LAYERS))
    print(f"convolutions alone: {total / 1e6:.1f} MFLOP a patch, {best * 1e6:.0f} us, {total / best / 1e9:.0f} GFLOP/s")
    print(f"{'way':34}{'us a patch':>12}{'GFLOP/s':>9}{'of the best':>13}{'peak MB':>9}")
    ways = {
        "as_they_are": "streamed, as they are",
        "augmented": "streamed, one of 48 variants",
        "stored": f"stored x48 of {count // 8}, model.fit",
    }
    seconds = {}
    for name, title in ways.items():
        seconds[name], peak = measured(name, count)
        rate = total / seconds[name] / 1e9
        print(f"{title:34}{seconds[name] * 1e6:12.0f}{rate:9.0f}{best / seconds[name]:13.0%}{peak:9.0f}")
    print(f"an epoch of the stored set over one of the streamed: {48 * seconds['stored'] / seconds['augmented']:.0f} x")


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 4096
    if len(sys.argv) < 3:
        main(number)
    else:
        cost = globals()[sys.argv[2]](number)
        print(json.dumps([cost, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
