"""What `make classify` is given: fields in both spellings and in files, the archive, the classifier."""

import hashlib
import json

import pytest

from stargal.errors import StargalError
from stargal.plan.overlay import overlay, read_fields
from stargal.survey.fields import Field

ONE, OTHER = Field(301, 3918, 3, 213), Field(301, 5112, 4, 345)
CONFIG = {
    "bands": ["u", "g", "r", "i", "z"],
    "archive": {
        "release": "dr17",
        "releases": {"dr17": {"frame": "{rerun}/{run}/{camcol}/{band}-{run:06d}-{field:04d}"}},
    },
    "classify": {"classifier": None},
}


@pytest.fixture
def classifier(tmp_path):
    folder = tmp_path / "classifier"
    folder.mkdir()
    (folder / "model.onnx").touch()
    digest = hashlib.sha256(b"").hexdigest()
    (folder / "classifier.json").write_text(json.dumps({"bands": "ugriz", "onnx_sha256": digest}))
    return str(folder)


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "archive/301/3918/3"
    folder.mkdir(parents=True)
    for band in "ugriz":
        (folder / f"{band}-003918-0213").touch()
    return tmp_path / "archive"


def made(tmp_path, fields="301-3918-3-213", **given):
    return overlay(CONFIG, tmp_path, fields=fields, sky="mine", **given)


def test_fields_are_named_in_both_spellings_and_listed_once():
    assert read_fields("301-5112-4-345 301-003918-3-0213,301-3918-3-213\n") == [OTHER, ONE]


@pytest.mark.parametrize(
    "text",
    [
        "# mine\n301-3918-3-213\n\n301-005112-4-0345  # the other\n",
        "301-3918-3-213, 301-5112-4-345",
        "rerun\trun\tcamcol\tfield\tbucket\n301\t3918\t3\t213\ttest\n301\t5112\t4\t345\ttest\n",
        "\ufeffRun,Rerun,camcol,field\n3918,301,3,213\n5112,301,4,345\n",
    ],
)
def test_many_fields_come_from_a_file(tmp_path, text):
    (tmp_path / "mine").write_text(text)
    assert read_fields(f"@{tmp_path / 'mine'}") == [ONE, OTHER]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" ", "FIELDS: name fields"),
        ("301-3918-3", "FIELDS: field '301-3918-3': expected rerun-run-camcol-field"),
        ("301-3918-7-213", "FIELDS: field '301-3918-7-213': camcol is 7; allowed: 1 to 6"),
        ("@none.txt", "FIELDS: none.txt: not a readable text file"),
    ],
)
def test_misspelt_fields_are_refused(text, said):
    with pytest.raises(StargalError, match=said):
        read_fields(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("301-3918-3-213\n301-3918\n", "mine, line 2: field '301-3918'"),
        ("# none\n", "mine holds no field"),
        ("rerun,run,camcol,field\n301,3918,3\n", "mine, line 2: field '301-3918-3-'"),
    ],
)
def test_a_fault_of_a_file_is_told_with_its_line(tmp_path, monkeypatch, text, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_text(text)
    with pytest.raises(StargalError, match=said):
        read_fields("@mine")


def test_an_overlay_has_three_blocks(tmp_path, archive, classifier):
    found = made(tmp_path, archive=str(archive), classifier=classifier)
    assert found == {
        "sky": "mine",
        "skies": {"mine": {"origin": "archive", "url": str(archive)}},
        "classify": {"classifier": classifier, "fields": ["301-003918-3-0213"]},
    }
    assert made(tmp_path, archive=f"file://{archive}", classifier=classifier) == found
    assert made(tmp_path, classifier=classifier)["skies"] == {"mine": {"origin": "archive"}}
    served = made(tmp_path, "301-9999-1-1", archive="https://example.org/sas", classifier=classifier)
    assert served["skies"]["mine"]["url"] == "https://example.org/sas"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("301-9999-3-213", "the archive has no run 9999 of rerun 301"),
        ("301-3918-3-214", "the archive has no field 214 of run 3918, camcol 3"),
        ("301-3918-2-213", "the archive has no field 213 of run 3918, camcol 2"),
    ],
)
def test_a_field_that_a_folder_lacks_is_refused(tmp_path, archive, classifier, fields, said):
    with pytest.raises(StargalError, match=said):
        made(tmp_path, fields, archive=str(archive), classifier=classifier)


def test_a_missing_band_is_named(tmp_path, archive, classifier):
    (archive / "301/3918/3/i-003918-0213").unlink()
    with pytest.raises(StargalError, match="301-003918-3-0213: the archive has no frame of band i "):
        made(tmp_path, archive=str(archive), classifier=classifier)


def test_archive_and_classifier_must_be_there(tmp_path, classifier):
    with pytest.raises(StargalError, match="ARCHIVE: nowhere: no such folder"):
        made(tmp_path, archive="nowhere", classifier=classifier)
    with pytest.raises(
        StargalError, match=r"CLASSIFIER: no .* in elsewhere: name the folder of a published classifier$"
    ):
        made(tmp_path, classifier="elsewhere")
    with pytest.raises(StargalError, match="CLASSIFIER: no classifier is released"):
        made(tmp_path)
