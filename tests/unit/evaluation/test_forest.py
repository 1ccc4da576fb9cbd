"""The random forest on the photometry."""

import numpy as np
import pandas as pd
import pytest

from stargal.errors import StargalError
from stargal.evaluation import forest
from stargal.survey.fields import BANDS


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    monkeypatch.setattr(forest, "TREES", 20)


def field(seed, n=200):
    """Detections and their labels: galaxies lose light outside the PSF; some lack a band."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, n)
    table = pd.DataFrame({"id": [f"{seed}-{k}" for k in range(n)]})
    for band in BANDS:
        table[f"model_mag_{band}"] = random.uniform(17, 22, n).astype(np.float32)
        table[f"psf_mag_{band}"] = table[f"model_mag_{band}"] + np.float32(random.normal(0.5 * (1 - label), 0.1))
    table.loc[: n // 10, "model_mag_u"] = np.nan
    known = pd.array(label, dtype="Int8")
    known[0] = pd.NA
    return table, pd.DataFrame({"id": table["id"], "label": known, "truth": 1 - known})


def test_features_are_those_of_the_paper():
    table, _ = field(1, 3)
    features = forest.photometric_features(table)
    assert features.shape == (3, 14)
    np.testing.assert_allclose(features[2, 6], table["model_mag_g"][2] - table["model_mag_r"][2], rtol=1e-6)
    np.testing.assert_allclose(features[2, 11], table["psf_mag_r"][2] - table["model_mag_r"][2], atol=1e-6)
    assert np.isnan(features[0, [0, 5, 9]]).all()


def test_it_separates_what_differs_and_repeats_itself():
    (training, matched), (other, known) = field(1), field(2)
    found = forest.classify_by_forest([training], [matched], [other, training], labels="photo", seed=1)
    assert found["id"].to_list() == [*other["id"], *training["id"]]
    right = (found["forest"][:200] > 0.5).to_numpy() == (known["label"].fillna(0) == 1).to_numpy()
    assert right[1:].mean() > 0.97
    again = forest.classify_by_forest([training], [matched], [other, training], labels="photo", seed=1)
    pd.testing.assert_frame_equal(found, again)
    turned = forest.classify_by_forest([training], [matched], [other], labels="truth", seed=1)
    assert np.corrcoef(turned["forest"], found["forest"][:200])[0, 1] < -0.9


def test_a_class_must_not_be_missing():
    table, matched = field(1)
    with pytest.raises(StargalError, match=r"^training fields of the forest: no galaxy among 200 sources"):
        forest.classify_by_forest([table], [matched.assign(label=1)], [table], labels="photo", seed=1)
