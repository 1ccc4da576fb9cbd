"""Fields that the archive does not have are refused at planning, where that is known without a network."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stargal.errors import StargalError
from stargal.plan.availability import check_fields, listed_runs
from stargal.plan.paths import FIELD_LIST, FRAME, archive_keys, fill
from stargal.plan.skies import Sky
from stargal.survey.fields import Field

TEMPLATE = "{rerun}/{run}/{camcol}/{band}-{run:06d}-{field:04d}"
ONE, OTHER, NONE = (Field.parse(name) for name in ("301-3918-3-213", "301-5112-4-345", "301-9999-1-11"))
SERVER = "https://example.org/sas"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with an archive that has two fields."""
    monkeypatch.chdir(tmp_path)
    for field in (ONE, OTHER):
        for band in "ugriz":
            frame = tmp_path / "archive" / TEMPLATE.format(**vars(field), band=band)
            frame.parent.mkdir(parents=True, exist_ok=True)
            frame.touch()
    return tmp_path


def check(url: str, classified: Iterable[Field], table: Iterable[Field] = (), prefix: str = "") -> None:
    """Check a sky that classifies some fields, and has others in its table."""
    sky = Sky("mine", "archive", {"url": url, "release": "dr17"}, dict.fromkeys(table, "train"))
    config: dict[str, Any] = {
        "skies": {"mine": {"origin": "archive", "url": url, "fields": "mine.tsv"}},
        "archive": {"url": SERVER, "releases": {"dr17": {"frame": TEMPLATE}}},
        "classify": {"fields": [field.name for field in classified]},
        "bands": list("ugriz"),
    }
    check_fields(sky, config, None if url == SERVER else Path(url), prefix)


def keep_list() -> None:
    """Keep a list of fields as `make fields` does."""
    Path(FIELD_LIST).parent.mkdir(exist_ok=True)
    rows = [(field.rerun, field.run, number) for field in (ONE, OTHER) for number in (11, 12)]
    pd.DataFrame(rows, columns=["rerun", "run", "field"]).to_parquet(FIELD_LIST)


def download(field: Field, bands: str, prefix: str = "") -> None:
    for band in bands:
        frame = Path(prefix + fill(FRAME, sky="mine", band=band, **archive_keys(field)))
        frame.parent.mkdir(parents=True, exist_ok=True)
        frame.touch()


def test_fields_of_a_folder_pass() -> None:
    check("archive", [ONE, OTHER], [ONE])


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (NONE, "config: classify.fields: 301-009999-1-0011: the archive has no run 9999 of rerun 301 "),
        (replace(ONE, field=214), "the archive has no field 214 of run 3918, camcol 3 "),
        (replace(ONE, rerun=40), "the archive has no run 3918 of rerun 40 "),
    ],
)
def test_a_field_to_classify_that_a_folder_lacks_is_refused(field: Field, said: str) -> None:
    with pytest.raises(StargalError, match=said + ".*; correct the name, or see which fields cover a place"):
        check("archive", [ONE, field])


def test_a_missing_band_is_named(folder: Path) -> None:
    (folder / "archive" / TEMPLATE.format(**vars(ONE), band="i")).unlink()
    with pytest.raises(StargalError, match=r"classify.fields: 301-003918-3-0213: the archive has no frame of band i "):
        check("archive", [ONE])


def test_a_folder_may_hold_a_part_of_the_table() -> None:
    check("archive", [ONE], [ONE, NONE])


@pytest.mark.parametrize("prefix", ["", "surveys/first/"])
def test_what_has_been_downloaded_is_not_looked_for(prefix: str) -> None:
    download(NONE, "ugri", prefix)
    with pytest.raises(StargalError, match="no run 9999"):
        check("archive", [NONE], prefix=prefix)
    download(NONE, "z", prefix)
    check("archive", [NONE], prefix=prefix)


def test_of_a_server_nothing_is_known_without_a_list() -> None:
    check(SERVER, [NONE], [NONE])


def test_runs_that_the_survey_does_not_list_are_refused() -> None:
    keep_list()
    check(SERVER, [ONE], [ONE, OTHER])
    with pytest.raises(StargalError, match=r"classify.fields: 301-009999-1-0011: the survey has no run 9999 in rerun"):
        check(SERVER, [ONE, NONE])
    with pytest.raises(StargalError, match=r"mine\.tsv: 301-009999-1-0011: the survey has no run 9999 in rerun 301"):
        check(SERVER, [ONE], [ONE, NONE])
    download(NONE, "ugriz")
    check(SERVER, [NONE], [NONE])


@pytest.mark.parametrize("content", [b"", b"PAR1", b"<html>"])
def test_a_list_that_is_none_is_refused(content: bytes) -> None:
    keep_list()
    Path(FIELD_LIST).write_bytes(content)
    with pytest.raises(StargalError, match=r"field_list.parquet: not the survey's list of fields \(.*: remove it"):
        check(SERVER, [ONE])


def test_a_list_without_runs_is_refused() -> None:
    keep_list()
    pd.DataFrame({"a": [1]}).to_parquet(FIELD_LIST)
    with pytest.raises(StargalError, match="not the survey's list of fields"):
        listed_runs(Path(FIELD_LIST))
