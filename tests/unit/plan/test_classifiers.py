import hashlib
import json

import pytest

from stargal.errors import StargalError
from stargal.plan.classifiers import find_classifier


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "hers"
    folder.mkdir()
    (folder / "model.onnx").touch()
    described = {"size": 25, "bands": "ugriz", "onnx_sha256": hashlib.sha256(b"").hexdigest()}
    (folder / "classifier.json").write_text(json.dumps(described))
    return folder


def test_none_is_the_one_of_the_run(tmp_path):
    assert find_classifier(None, tmp_path, "ugriz") is None


def test_a_folder_of_the_working_directory_comes_before_one_of_the_checkout(folder, tmp_path, monkeypatch):
    checkout, elsewhere = tmp_path, tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert find_classifier("hers", checkout, "ugriz") == "../hers"
    monkeypatch.chdir(checkout)
    assert find_classifier("hers", checkout / "another", "ugriz") == "hers"


def test_the_home_folder_may_be_written_as_a_tilde(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_classifier("~/hers", tmp_path, "ugriz") == str(folder)


@pytest.mark.parametrize("missing", ["model.onnx", "classifier.json"])
def test_a_folder_without_a_classifier_is_refused(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(StargalError, match=f"classify.classifier: no {missing} in .*hers: name the folder"):
        find_classifier(str(folder), folder, "ugriz")


@pytest.mark.parametrize("text", ["", "[1]", "{", "{}", '{"bands": "ugriz"}', "\ufffe"])
def test_a_description_that_is_none_is_refused(folder, text):
    (folder / "classifier.json").write_text(text)
    with pytest.raises(StargalError, match="describes no classifier"):
        find_classifier(str(folder), folder, "ugriz")


def test_what_does_not_fit_is_told_at_planning(folder):
    """The bands in another order; a model and a description that do not belong together."""
    with pytest.raises(StargalError, match=r"takes bands ugriz, but .bands. of the configuration has zirgu; set it to"):
        find_classifier(str(folder), folder, "zirgu")
    (folder / "model.onnx").write_bytes(b"another")
    with pytest.raises(StargalError, match=r"classify.classifier: .*model.onnx is not the model that .* describes"):
        find_classifier(str(folder), folder, "ugriz")
