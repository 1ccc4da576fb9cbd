"""Tables of fields, and the skies that they are of."""

import pytest

from configurations import FIELDS_SCHEMA, HEADER, ROOT, ROWS, default_config, write_table
from stargal.errors import StargalError
from stargal.plan.skies import Sky, read_fields, require_buckets, resolve_skies, resolve_training_set
from stargal.survey.fields import Field

TRAIN, VALIDATION, TEST = (Field(301, 8162, 6, number) for number in (174, 120, 80))


@pytest.fixture(autouse=True)
def fresh():
    """Tables are read once per path, and these tests change working directories."""
    read_fields.cache_clear()


def refused(path):
    with pytest.raises(StargalError) as caught:
        read_fields(path, FIELDS_SCHEMA)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "rows, expected",
    [
        ([*ROWS, ROWS[0]], "line 5: field 301-008162-6-0174 is listed twice, first in line 2"),
        ([*ROWS, "301\t8162\t6\t174\ttest"], "listed twice, first in line 2 in bucket train, here in test"),
        ([*ROWS, "301\t8162\t7\t10\ttest"], "line 5: camcol: found 7, allowed: a whole number from 1 to 6"),
        ([*ROWS, "301\t8162\t6\tx\ttest"], "line 5: field: found 'x', allowed: a whole number from 1 to 9999"),
        ([*ROWS, "301\t8162\t6\t90\tdev"], "line 5: bucket: found 'dev', allowed: one of train, validation, test"),
        ([*ROWS, "301\t8162\t6\t90"], "line 5: found 4 columns, expected 5, tab-separated"),
        ([*ROWS, "301\t8162\t6\t90\ttest\tmine"], "line 5: found 6 columns, expected 5, tab-separated"),
        (
            [*ROWS, "301\t8162\t6\t121\ttest"],
            "lines 3 and 5: fields 301-008162-6-0120 (validation) and 301-008162-6-0121 (test) share 128 rows of sky "
            "(50.7 arcsec)",
        ),
        ([*ROWS, "40\t8162\t6\t120\ttest"], "fields 40-008162-6-0120 and 301-008162-6-0120 are the same sky in two"),
    ],
)
def test_bad_tables_of_fields(tmp_path, rows, expected):
    assert expected in refused(write_table(tmp_path / "fields.tsv", rows))


@pytest.mark.parametrize("number, bucket", [(174, "train"), (120, "validation"), (80, "test")])
def test_the_same_sky_twice_in_a_bucket_is_refused(tmp_path, number, bucket):
    """In two reruns: its sources would count twice, under the same ids."""
    said = refused(write_table(tmp_path / "fields.tsv", [*ROWS, f"40\t8162\t6\t{number}\t{bucket}"]))
    assert "are the same sky in two reruns" in said and "line" in said


def test_table_of_fields_with_another_header(tmp_path):
    path = tmp_path / "fields.tsv"
    path.write_text("run,camcol\n1,2\n")
    assert "header: found ['run,camcol'], expected ['rerun', 'run', 'camcol', 'field', 'bucket']" in refused(path)
    path.write_text("# nothing but a comment\n")
    assert "header: found []" in refused(path)
    assert "no such file; config key `fields` of the sky names" in refused(tmp_path / "none.tsv")


def test_lines_are_counted_as_in_the_file(tmp_path):
    """Comments and empty lines before the fault count, as they do in an editor."""
    path = tmp_path / "fields.tsv"
    path.write_text("\n".join(["# one", "# two", HEADER, "# three", *ROWS[:2], "", "301\t8162\t6\t0\ttest"]) + "\n")
    assert "line 8: field: found 0, allowed: a whole number from 1 to 9999" in refused(path)
    path.write_text("\n".join(["# one", HEADER, *ROWS, "", ROWS[1]]) + "\n")
    assert "line 7: field 301-008162-6-0120 is listed twice, first in line 4" in refused(path)


TEXT = "\n".join([HEADER, *ROWS]) + "\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode("utf-8-sig"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("train\n", "train\t\n").encode(),
        TEXT.replace("\n", "\t\n").encode(),
        TEXT.replace("train", " train ").encode(),
        TEXT.replace("train", '"train"').encode(),
        TEXT.replace("\n", "\n\n").encode(),
        TEXT.replace("\n", "\n# a comment\n").encode(),
        TEXT.removesuffix("\n").encode(),
    ],
    ids=[
        "byte-order-mark",
        "crlf",
        "trailing-tab",
        "tabs",
        "spaces",
        "quotes",
        "empty-lines",
        "comments",
        "no-newline",
    ],
)
def test_tables_as_programs_write_them(tmp_path, content):
    path = tmp_path / "fields.tsv"
    path.write_bytes(content)
    assert read_fields(path, FIELDS_SCHEMA) == {TRAIN: "train", VALIDATION: "validation", TEST: "test"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_another_encoding_is_refused(tmp_path, encoding):
    path = tmp_path / "fields.tsv"
    path.write_bytes(TEXT.encode(encoding))
    assert "not UTF-8 text; save the table of fields as UTF-8" in refused(path)


def test_neighbours_in_one_bucket_are_fine(tmp_path):
    path = write_table(tmp_path / "fields.tsv", [*ROWS, "301\t8162\t6\t175\ttrain", "# a comment"])
    assert len(read_fields(path, FIELDS_SCHEMA)) == 4


def test_an_empty_bucket_is_named():
    sky = Sky("mine", "archive", {}, {TRAIN: "train", VALIDATION: "validation"})
    require_buckets(sky, "mine.tsv", ("train", "validation"))
    with pytest.raises(StargalError, match=r"^mine\.tsv: bucket test is empty; each of train, validation, test needs"):
        require_buckets(sky, "mine.tsv", ("train", "validation", "test"))


def test_training_sets():
    buckets = {TRAIN: "train", TEST: "test", Field(301, 8162, 6, 103): "train"}
    assert [field.field for field in resolve_training_set("large", "all", buckets)] == [103, 174]
    assert resolve_training_set("small", ["301-8162-6-174"], buckets) == [TRAIN]
    assert resolve_training_set("one", 1, buckets) == [TRAIN]
    assert resolve_training_set("four", 4, buckets) == resolve_training_set("large", "all", buckets)
    with pytest.raises(
        StargalError, match=r"training_sets\.small: field 301-008162-6-0080 is not in bucket train .*test"
    ):
        resolve_training_set("small", ["301-8162-6-80"], buckets)
    with pytest.raises(StargalError, match="bucket: none, the table of fields lacks it"):
        resolve_training_set("small", ["301-8162-6-81"], buckets)


def test_skies_know_where_their_files_come_from(tmp_path, monkeypatch):
    """A simulated sky by its seed, one of an archive by address and release, its own or those of the archive."""
    config = default_config()
    config["skies"] = {
        "made": {"origin": "simulator", "seed": 3, "fields": "mine.tsv"},
        "real": {"origin": "archive"},
        "hers": {"origin": "archive", "url": "/hers", "release": "dr18"},
        "gone": None,
    }
    write_table(tmp_path / "mine.tsv", ROWS)
    monkeypatch.chdir(tmp_path)
    skies = resolve_skies(config, ROOT, FIELDS_SCHEMA)
    assert list(skies) == ["made", "real", "hers"]
    assert skies["made"].record == {"origin": "simulator", "seed": 3}
    assert skies["real"].record == {"origin": "archive", "url": config["archive"]["url"], "release": "dr17"}
    assert skies["hers"].record == {"origin": "archive", "url": "/hers", "release": "dr18"}
    labels = ["simulated sky, seed 3", "SDSS imaging (real)", "SDSS imaging (hers)"]
    assert [sky.label for sky in skies.values()] == labels
    assert [sky.simulated for sky in skies.values()] == [True, False, False]
    assert [len(sky.buckets) for sky in skies.values()] == [3, 0, 0]


def test_tables_of_fields_are_found_beside_the_snakefile(tmp_path, monkeypatch):
    """In the working directory first, so that another folder may hold another table of the same name."""
    config = default_config() | {"skies": {"made": {"origin": "simulator", "seed": 1, "fields": "mine.tsv"}}}
    root, here = tmp_path / "checkout", tmp_path / "here"
    root.mkdir()
    here.mkdir()
    write_table(root / "mine.tsv", ROWS)
    monkeypatch.chdir(here)
    assert len(resolve_skies(config, root, FIELDS_SCHEMA)["made"].buckets) == 3
    write_table(here / "mine.tsv", ROWS[:2])
    assert len(resolve_skies(config, root, FIELDS_SCHEMA)["made"].buckets) == 2


def test_fields_of_a_sky():
    numbers = {174: "train", 175: "train", 120: "validation", 80: "test"}
    sky = Sky("mine", "archive", {}, {Field(301, 8162, 6, number): bucket for number, bucket in numbers.items()})
    assert [field.field for field in sky.fields()] == [80, 120, 174, 175]
    assert [field.field for field in sky.fields("test", "train")] == [80, 174, 175]
    assert sky.neighbours(TRAIN) == [175] and sky.neighbours(TEST) == []
    assert sky.neighbours(Field(301, 8162, 6, 176)) == [175]
    assert sky.camcol(301, 8162, 6) == sky.fields() and sky.camcol(301, 8162, 5) == []
    assert sky.listed([TEST, Field(301, 8162, 6, 81)]) == [TEST]
    assert sky.texts() == {
        "train": "301-8162-6:174-175",
        "validation": "301-8162-6:120",
        "test": "301-8162-6:80",
    }


def skies_with(**parts):
    """Resolve a sky of the default configuration that names tables."""
    config = default_config()
    config["skies"]["sdss"] |= parts
    return resolve_skies(config, ROOT, FIELDS_SCHEMA)["sdss"]


def test_tables_of_classes_are_found_or_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spectra.csv").write_text("ra,dec,class\n")
    sky = skies_with(
        truth={"spectra": {"table": "spectra.csv", "class": "CLASS"}, "gaia": None},
        classifiers={"theirs": {"table": str(tmp_path / "spectra.csv")}},
    )
    assert [(one["part"], one["name"], one["table"]) for one in sky.tables] == [
        ("truth", "spectra", "spectra.csv"),
        ("classifiers", "theirs", str(tmp_path / "spectra.csv")),
    ]
    with pytest.raises(
        StargalError, match=r"^config: skies\.sdss\.truth\.gaia\.table: no such file: gaia\.fits; name a CSV"
    ):
        skies_with(truth={"gaia": {"table": "gaia.fits"}})
