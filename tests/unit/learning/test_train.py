"""Training: reading patches from disk, faults in them, and the same result from the same seed."""

import tracemalloc
import zipfile

import keras
import numpy as np
import pandas as pd
import pytest

from stargal.errors import StargalError
from stargal.learning import architectures, train
from stargal.learning.network_files import save
from stargal.learning.predict import predict
from stargal.learning.threads import use_one_thread
from stargal.learning.training_data import border_noise, open_patches

use_one_thread()  # before anything is computed


def write_field(folder, name, n, size=15, seed=0):
    """A field whose stars are narrow and galaxies wide, in sky noise of 0.1 nMgy."""
    random = np.random.default_rng(seed)
    labels = (np.arange(n) % 2).astype(np.int8)
    axis = np.arange(size) - size // 2
    radius2 = axis[:, None] ** 2 + axis**2
    width2 = np.where(labels == 1, 1.0, 4.0)[:, None, None]
    light = np.exp(-radius2 / (2 * width2)) * random.uniform(2, 20, (n, 1, 1))
    patches = light[..., None] + random.normal(0, 0.1, (n, size, size, 5))
    np.save(folder / f"{name}.npy", patches.astype(np.float32))
    pd.DataFrame({"label": labels}).to_parquet(folder / f"{name}.parquet")
    return folder / f"{name}.npy", folder / f"{name}.parquet"


@pytest.fixture
def fields(tmp_path):
    return [write_field(tmp_path, f"field{k}", n, seed=k) for k, n in enumerate((40, 0, 60))]


def opened(fields):
    return open_patches([patches for patches, _ in fields], [sources for _, sources in fields])


def test_rows_come_in_the_order_asked_for(fields):
    found = opened(fields)
    everything = np.concatenate([np.load(patches) for patches, _ in fields])
    rows = np.random.default_rng(0).permutation(100)[:70]
    np.testing.assert_array_equal(found.read(rows), everything[rows])
    np.testing.assert_array_equal(np.concatenate([patches for (patches,) in found.chunks(33)]), everything)
    assert len(found) == 100
    assert found.shape == (15, 15, 5)


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-1000])


def not_an_array(path):
    path.write_bytes(b"not an array")


def one_missing(path):
    np.save(path, np.load(path)[1:])


def other_size(path):
    np.save(path, np.load(path)[:, 1:-1, 1:-1])


def other_type(path):
    np.save(path, np.load(path).astype(np.float64))


@pytest.mark.parametrize("spoil", [cut_short, not_an_array, one_missing, other_size, other_type, lambda p: p.unlink()])
def test_a_spoilt_patch_file_is_named_in_one_line(fields, spoil):
    spoil(fields[2][0])
    with pytest.raises(StargalError, match=r"^\S*field2\.npy: .*; remove the file and run again") as caught:
        opened(fields)
    assert "\n" not in str(caught.value)


def test_a_spoilt_source_file_is_named(fields):
    not_an_array(fields[0][1])
    with pytest.raises(StargalError, match=r"field0\.parquet: .*remove the file"):
        opened(fields)


def test_sky_sigma_is_that_of_the_border(fields):
    np.testing.assert_allclose(border_noise(opened(fields)), 0.1, rtol=0.1)


def test_a_band_without_noise_is_refused(fields):
    for patches, _ in fields:
        array = np.load(patches)
        array[..., 3] = 0
        np.save(patches, array)
    with pytest.raises(StargalError, match=r"band 3 .*no noise"):
        border_noise(opened(fields))


def test_batches_cover_an_epoch_in_a_new_order_each_time(fields):
    batches = train.Batches(opened(fields), 32, seed=1)
    orders = []
    for _ in range(2):
        batches.on_epoch_begin()
        orders.append(batches.rows.copy())
        assert sum(len(labels) for _, labels in (batches[k] for k in range(len(batches)))) == 100
    assert not np.array_equal(*orders)
    np.testing.assert_array_equal(np.sort(orders[1]), np.arange(100))


@pytest.mark.parametrize("epochs, patience", [(3, 3), (9, 1)])
def test_the_averages_of_the_best_epoch_are_validated_and_kept(fields, epochs, patience):
    """Whether the last epoch ends training or patience does: followed step by step."""
    patches = opened(fields)
    rows = np.arange(len(patches))
    network, twin = (architectures.build("base", size=15, sky_sigma=[0.1] * 5, seed=1) for _ in range(2))
    settings = {"learning_rate": 0.05, "batch_size": 50, "max_epochs": epochs, "max_patches": None}
    history = train.fit(network, patches, patches, seed=1, patience=patience, **settings)
    twin.compile(keras.optimizers.Adam(0.05), "binary_crossentropy")
    batches = train.Batches(patches, 50, seed=1)
    average, kept = None, {}
    for epoch in history["epoch"]:
        batches.on_epoch_begin()
        for batch in range(len(batches)):
            twin.train_on_batch(*batches[batch])
            now = twin.get_weights()
            average = now if average is None else [
                train.AVERAGE * old + (1 - train.AVERAGE) * new for old, new in zip(average, now, strict=True)
            ]  # fmt: skip
        kept[epoch] = average
    best = history.loc[history["val_loss"].idxmin(), "epoch"]
    for found, expected in zip(network.get_weights(), kept[best], strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    twin.set_weights(kept[epoch])
    probability = np.clip(
        np.where(patches.labels == 1, *(sign + (1 - 2 * sign) * predict(twin, patches.read(rows)) for sign in (0, 1))),
        1e-7,
        1,
    )
    assert -np.log(probability).mean() == pytest.approx(history["val_loss"].iloc[-1], rel=1e-3)


def test_batch_normalization_is_kept_with_the_weights(fields):
    patches = opened(fields)
    numbers = {"filters": [4], "kernel": 3, "pool": 2, "dense": 4, "batch_normalization": True, "dropout": 0, "l2": 0}
    network = architectures.build("cnn", size=15, sky_sigma=[0.1] * 5, seed=1, **numbers)
    settings = {"learning_rate": 1e-3, "batch_size": 100, "max_epochs": 1, "max_patches": None, "patience": 1}
    train.fit(network, patches, patches, seed=1, **settings)
    normalization = next(layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization))
    before = network.layers[network.layers.index(normalization) - 1]
    seen = keras.Model(network.inputs[0], before.output)(patches.read(np.arange(100))).numpy()
    np.testing.assert_allclose(
        normalization.moving_variance,
        architectures.MOMENTUM + (1 - architectures.MOMENTUM) * seen.var((0, 1, 2)),
        rtol=2e-2,
    )


def fitted(fields, path, seed):
    patches = opened(fields)
    network = architectures.build("regularized", size=15, sky_sigma=[0.1] * 5, seed=seed, dropout=0.2, l2=1e-4)
    settings = {"learning_rate": 1e-3, "batch_size": 32, "max_epochs": 4, "max_patches": None, "patience": 2}
    history = train.fit(network, patches, patches, seed=seed, **settings)
    save(network, path)
    return network, history


def test_the_same_seed_gives_the_same_model(fields, tmp_path):
    network, history = fitted(fields, tmp_path / "first.keras", 1)
    _, again = fitted(fields, tmp_path / "again.keras", 1)
    assert (tmp_path / "first.keras").read_bytes() == (tmp_path / "again.keras").read_bytes()
    pd.testing.assert_frame_equal(history, again)
    with zipfile.ZipFile(tmp_path / "first.keras") as archive:
        assert b"stargal" not in archive.read("config.json")  # keras alone reads it
    assert list(history) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    patches = opened(fields)
    probability = predict(network, patches.read(np.arange(100)))
    clipped = np.clip(np.where(patches.labels == 1, probability, 1 - probability), 1e-7, 1)
    assert -np.log(clipped).mean() == pytest.approx(history["val_loss"].min(), rel=1e-4)  # the best weights are kept


def test_training_stops_when_enough_patches_were_seen(fields):
    patches = opened(fields)
    network = architectures.build("base", size=15, sky_sigma=[0.1] * 5, seed=1)
    settings = {"learning_rate": 1e-4, "batch_size": 50, "max_epochs": 9, "patience": 9}
    assert len(train.fit(network, patches, patches, **settings, max_patches=201, seed=1)) == 3


def test_augmentation_is_new_in_each_epoch_whatever_the_order_of_the_batches(fields):
    patches = opened(fields)
    seen = []

    def augment(images, rows, rng):
        np.testing.assert_array_equal(images, patches.read(rows))
        seen.append((len(images), set(patches.fields(rows)), rng.integers(1_000_000)))
        return images

    batches = train.Batches(patches, 32, seed=1, augment=augment)
    for _ in range(2):
        batches.on_epoch_begin()
        for batch in range(len(batches)):
            batches[batch]
    assert [n for n, _, _ in seen] == [32, 32, 32, 4] * 2
    assert set.union(*(numbers for _, numbers, _ in seen)) == {0, 2}  # field 1 is empty
    assert len({drawn for _, _, drawn in seen}) == 8
    again = train.Batches(patches, 32, seed=1, augment=augment)
    again.on_epoch_begin()
    again[3], again[0]  # whichever batch is asked for first
    assert [seen[-1], seen[-2]] == [seen[0], seen[3]]


def test_a_loss_that_is_not_a_number_is_said(fields):
    patches = opened(fields)
    network = architectures.build("base", size=15, sky_sigma=[0.1] * 5, seed=1)
    with pytest.raises(StargalError, match=r"not a number in epoch 1: lower learning_rate"):
        train.fit(
            network,
            patches,
            patches,
            learning_rate=1e38,
            batch_size=8,
            max_epochs=3,
            max_patches=None,
            patience=2,
            seed=1,
        )


def test_memory_does_not_grow_with_the_patches(tmp_path):
    """Read an epoch of 1 and of 20 files of 12.5 MB, in batches of 3 MB."""
    paths = [write_field(tmp_path, f"field{k}", 1000, size=25) for k in range(2)]
    for k in range(2, 20):
        for path in paths[1]:
            (tmp_path / f"field{k}{path.suffix}").hardlink_to(path)
        paths.append((tmp_path / f"field{k}.npy", tmp_path / f"field{k}.parquet"))
    peaks = []
    for count in (1, 20):
        batches = train.Batches(opened(paths[:count]), 256, seed=1)
        tracemalloc.start()
        assert sum(len(batches[k][1]) for k in range(len(batches))) == count * 1000
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1, f"peaks of {peaks} MB"


def test_sources_without_a_label_are_left_out(tmp_path):
    """The truth is not known for every source; the others are not trained on."""
    patches, sources = write_field(tmp_path, "a", 4)
    truth = pd.array([pd.NA, 1, 0, pd.NA], dtype="Int8")
    pd.read_parquet(sources).assign(truth=truth).to_parquet(sources)
    found = open_patches([patches], [sources], "truth")
    batches = train.Batches(found, size=3)
    assert len(batches) == 1
    read, labels = batches[0]
    np.testing.assert_array_equal(labels[:, 0], [1, 0])
    np.testing.assert_array_equal(read, found.read(np.array([1, 2])))
