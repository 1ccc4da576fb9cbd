"""Paths and their wildcards."""

import re

from stargal.plan import paths
from stargal.plan.paths import CATALOG, FRAME, OF_FIELD, WILDCARDS, archive_keys, fill, one_of
from stargal.survey.fields import Field

FIELD = Field(301, 8162, 6, 80)


def test_some_wildcards_are_filled_in():
    assert fill(paths.PATCHES, sky="made", size=25) == "results/made/patches/{positions}/25/{field}.npy"
    assert fill(paths.PATCHES) == paths.PATCHES


def test_files_of_the_archive_by_field():
    keys = archive_keys(FIELD)
    assert fill(FRAME, sky="made", band="g", **keys) == "resources/made/frames/301/frame-g-008162-6-0080.fits.bz2"
    assert fill(CATALOG, sky="made", kind="gal", **keys) == "resources/made/catalogs/301/calibObj-008162-6-gal.fits.gz"
    assert fill(OF_FIELD, **keys) == FIELD.name


def test_each_path_is_known_by_its_wildcards_and_lies_below_its_sky():
    examples = {"field": FIELD.name, "positions": "places25", "size": 25, "seed": 1, "kind": "star", "band": "r"}
    examples |= {"sky": "made", "scope": "peers", **archive_keys(FIELD)}
    for name in WILDCARDS:
        assert re.fullmatch(WILDCARDS[name], str(examples[name]))
    patterns = [value for name, value in vars(paths).items() if name.isupper() and isinstance(value, str)]
    assert len(patterns) > 20
    for pattern in patterns:
        of_no_sky = (OF_FIELD, paths.RELEASED, paths.FIELD_LIST)
        assert pattern.startswith(("resources/{sky}", "results/{sky}")) or pattern in of_no_sky


def test_a_wildcard_is_one_of_some_names():
    assert re.fullmatch(one_of(["a.b", "c"]), "a.b") and not re.fullmatch(one_of(["a.b", "c"]), "axb")
    assert not re.fullmatch(one_of([]), "")
