"""Training as this workflow does it, beside the report's way.

    python tests/benchmark_training.py [patches]

Both train the report's network with `keras.Model.fit`: once on patches that are read from disk and augmented as they
are read, once on the report's stored set, 48 variants of each patch in memory. Prints CPU seconds per epoch and peak
memory, each way in its own process, and the ratio. An epoch of the stored set is extrapolated from an eighth of the
patches; the first epoch, in which tensorflow compiles, is left out.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORKFLOW = Path(__file__).parents[1] / "workflow"
sys.path.insert(0, str(WORKFLOW))
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3"}

SIZE, BANDS, BATCH, SEED = 25, 5, 64, 1
EPOCHS = 3
"""Number of timed epochs."""

FRACTION = 8
"""Share of the patches in the stored set, one in so many; 48 variants of all would need gigabytes."""

VARIANTS = {"rotations": True, "reflections": True, "offset": 0.1, "blur": 1.0}


def made_patches(count: int):
    """Patches of noise, and labels."""
    import numpy as np

    random = np.random.default_rng(SEED)
    return random.normal(0, 0.1, (count, SIZE, SIZE, BANDS)).astype(np.float32), (np.arange(count) % 2).astype(np.int8)


def network():
    from stargal.learning import architectures
    from stargal.learning.threads import use_one_thread

    use_one_thread()
    return architectures.build("regularized", size=SIZE, sky_sigma=[0.1] * BANDS, seed=SEED, dropout=0.3, l2=1e-4)


def streamed(count: int) -> float:
    """CPU seconds of an epoch of `stargal.learning.train.fit`, validation on 64 patches included."""
    import numpy as np
    import pandas as pd

    from stargal.learning.train import fit
    from stargal.learning.training_data import augmentation_of, open_patches

    model = network()
    with tempfile.TemporaryDirectory() as folder:
        patches, labels = made_patches(count)
        opened = []
        for name, rows in (("training", slice(None)), ("validation", slice(64))):
            files = Path(folder, f"{name}.npy"), Path(folder, f"{name}.parquet")
            np.save(files[0], patches[rows])
            pd.DataFrame({"label": labels[rows]}).to_parquet(files[1])
            opened.append(open_patches([files[0]], [files[1]]))
        del patches
        seeing = np.full((1, BANDS), 1.3)
        augment = augmentation_of(opened[0], VARIANTS, classes=(0, 1), noise=[0.1] * BANDS, seeing=seeing, seed=SEED)

        def seconds(epochs: int) -> float:
            start = time.process_time()
            stop = {"max_epochs": epochs, "max_patches": None, "patience": epochs}
            fit(model, *opened, learning_rate=1e-3, batch_size=BATCH, seed=SEED, augment=augment, **stop)
            return time.process_time() - start

        return (seconds(1 + EPOCHS) - seconds(1)) / EPOCHS


def stored(count: int) -> float:
    """CPU seconds of an epoch of the report's way: all 48 variants in memory."""
    import keras
    import numpy as np

    from stargal.learning.augment import Augmentation

    model = network()
    patches, labels = made_patches(count // FRACTION)
    augmentation = Augmentation(**VARIANTS)
    random = np.random.default_rng(SEED)
    sky, seeing = np.full(BANDS, 0.1), np.full((len(patches), BANDS), 1.3)
    everything = np.concatenate(
        [
            augmentation.make(np.tile(one, (len(patches), 1)), patches, random, sky, seeing)
            for one in np.array(list(augmentation.variants()))
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="binary_crossentropy")
    targets = np.tile(labels, 48)[:, None].astype(np.float32)

    def seconds() -> float:
        start = time.process_time()
        model.fit(everything, targets, batch_size=BATCH, epochs=1, verbose=0)
        return time.process_time() - start

    seconds()
    return min(seconds() for _ in range(EPOCHS)) * FRACTION


def measured(name: str, count: int) -> tuple[float, float]:
    """CPU seconds of an epoch and peak memory, MB, of one way in its own process."""
    done = subprocess.run([sys.executable, __file__, str(count), name], stdout=subprocess.PIPE, check=True, text=True)
    seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak


def main(count: int) -> None:
    """Print the table."""
    titles = {"streamed": f"{count} patches, augmented as read", "stored": f"48 x {count} patches, stored"}
    print(f"{'way':34}{'s an epoch':>12}{'peak MB':>9}")
    seconds = {}
    for name, title in titles.items():
        seconds[name], peak = measured(name, count)
        print(f"{title:34}{seconds[name]:12.1f}{peak:9.0f}")
    print(f"the stored set takes {seconds['stored'] / seconds['streamed']:.0f} times as long per epoch")


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 4096
    if len(sys.argv) < 3:
        main(number)
    else:
        cost = {"streamed": streamed, "stored": stored}[sys.argv[2]](number)
        print(json.dumps([cost, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
