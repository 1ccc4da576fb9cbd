"""Recording and checking the origin of a sky's files."""

import json
from pathlib import Path
from typing import Any

import pytest

from stargal.archive.origin import check_origin, origin_of_downloads, record_origin
from stargal.errors import StargalError
from stargal.io.files import ORIGIN

ARCHIVE = {"origin": "archive", "url": "https://archive.example", "release": "dr17"}
SIMULATOR = {"origin": "simulator", "seed": 1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "resources" / "sky"


@pytest.mark.parametrize("origin", [ARCHIVE, SIMULATOR])
def test_a_missing_folder_passes_and_is_not_created(folder: Path, origin: dict[str, Any]) -> None:
    check_origin(folder, origin)
    assert not folder.exists()


@pytest.mark.parametrize("origin", [ARCHIVE, SIMULATOR])
def test_the_origin_is_recorded_once(folder: Path, origin: dict[str, Any]) -> None:
    record_origin(folder, origin)
    assert json.loads((folder / ORIGIN).read_text()) == origin
    written = (folder / ORIGIN).stat().st_mtime_ns
    record_origin(folder, dict(reversed(origin.items())))
    assert (folder / ORIGIN).stat().st_mtime_ns == written
    assert [path.name for path in folder.iterdir()] == [ORIGIN]


@pytest.mark.parametrize(
    ("held", "wanted", "message"),
    [
        (ARCHIVE, SIMULATOR, r"archive https://archive\.example, release dr17, but .* the simulator, seed 1: give the"),
        (SIMULATOR, ARCHIVE, "files of the simulator, seed 1, but the configuration asks for the archive https"),
        (SIMULATOR, SIMULATOR | {"seed": 2}, "seed 1, but the configuration asks for the simulator, seed 2"),
        (ARCHIVE, ARCHIVE | {"release": "dr13"}, "release dr17, but the configuration asks for .*release dr13"),
        (ARCHIVE, ARCHIVE | {"url": "file:///mirror"}, r"only the address .* has changed, remove .*origin\.json"),
    ],
)
def test_another_origin_is_refused_and_the_record_kept(
    folder: Path, held: dict[str, Any], wanted: dict[str, Any], message: str
) -> None:
    record_origin(folder, held)
    for function in (check_origin, record_origin):
        with pytest.raises(StargalError, match=message):
            function(folder, wanted)
    assert json.loads((folder / ORIGIN).read_text()) == held


def test_a_failed_download_that_left_nothing_leaves_no_record(folder: Path) -> None:
    """The address can be corrected."""
    with pytest.raises(StargalError, match="no such file"), origin_of_downloads(folder, ARCHIVE):
        (folder / "frames").mkdir()
        raise StargalError("no such file")
    check_origin(folder, SIMULATOR)
    assert not (folder / ORIGIN).exists()


@pytest.mark.parametrize("name", ["frames/a.bz2", "frames/a.bz2.part", "catalogs/a.gz.part.validator"])
def test_what_a_failed_download_left_keeps_its_record(folder: Path, name: str) -> None:
    """Parts too: a later run resumes them."""
    with pytest.raises(StargalError, match="broke"), origin_of_downloads(folder, ARCHIVE):
        (folder / name).parent.mkdir()
        (folder / name).write_text("")
        raise StargalError("broke")
    with pytest.raises(StargalError, match="holds files of the archive"):
        check_origin(folder, ARCHIVE | {"url": "https://other.example"})


def test_an_older_record_stays(folder: Path) -> None:
    """Its files may be gone, but results of them are not."""
    record_origin(folder, ARCHIVE)
    with pytest.raises(StargalError, match="broke"), origin_of_downloads(folder, ARCHIVE):
        raise StargalError("broke")
    assert (folder / ORIGIN).exists()


def test_a_download_keeps_its_record_when_one_beside_it_fails(folder: Path) -> None:
    with origin_of_downloads(folder, ARCHIVE):
        (folder / ORIGIN).unlink()
    assert json.loads((folder / ORIGIN).read_text()) == ARCHIVE


def test_simulated_files_without_a_record_do_not_pass_as_an_archive(folder: Path) -> None:
    (folder / "frames").mkdir(parents=True)
    (folder / "frames/file").write_text("")
    (folder / "truth").mkdir()
    (folder / "truth/file").write_text("")
    with pytest.raises(StargalError, match="files of the simulator, but the configuration asks for the archive"):
        check_origin(folder, ARCHIVE)
    record_origin(folder, SIMULATOR)


def test_downloaded_files_without_a_record_do_not_pass_as_simulated(folder: Path) -> None:
    (folder / "frames").mkdir(parents=True)
    (folder / "frames/file").write_text("")
    with pytest.raises(StargalError, match="files of the archive, but the configuration asks for the simulator"):
        check_origin(folder, SIMULATOR)
    record_origin(folder, ARCHIVE)


def test_a_record_that_is_not_json(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / ORIGIN).write_text("{")
    with pytest.raises(StargalError, match=r"origin\.json: not readable .* restore it, or remove it and run again"):
        check_origin(folder, ARCHIVE)


@pytest.mark.parametrize("content", ["[]", "{}", '{"origin": "archive"}', "no JSON"])
def test_a_record_that_is_none_is_told(tmp_path, content):
    (tmp_path / "origin.json").write_text(content)
    with pytest.raises(StargalError, match=r"remove"):
        check_origin(tmp_path, {"origin": "archive", "url": "https://example.org", "release": "dr17"})
