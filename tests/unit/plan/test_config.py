"""Bad configuration: one line that names file and key, what was found and what is allowed."""

import copy

import pytest
import yaml
from snakemake.utils import update_config

from configurations import CONFIG_SCHEMA, DEFAULT, FIELDS_SCHEMA, ROOT, default_config
from stargal.errors import StargalError
from stargal.plan.config import check_config
from stargal.plan.run import Run


@pytest.fixture
def config():
    return default_config()


def fault_of(config, files=(DEFAULT,)):
    with pytest.raises(StargalError) as caught:
        check_config(config, CONFIG_SCHEMA, files)
    message = str(caught.value)
    assert "\n" not in message
    return message


OVERLAYS = [*sorted((ROOT / "config").glob("*.yaml")), ROOT / "tests/mirror.yaml"]


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_shipped_configurations_are_right(config, overlay, monkeypatch):
    monkeypatch.chdir(ROOT)
    merged = copy.deepcopy(config)
    update_config(merged, yaml.safe_load(overlay.read_text()))
    check_config(merged, CONFIG_SCHEMA, [DEFAULT, overlay])
    run = Run(merged, ROOT, FIELDS_SCHEMA)
    for experiment in run.experiments.values():
        assert all(run.fields_of_set(*members) for members in experiment.sets.values())


@pytest.mark.parametrize(
    "path, value, expected",
    [
        (["patches", "size"], 24, "patches.size: found 24, allowed: an odd number of pixels from 15 to 199"),
        (["patches", "size"], "25", "patches.size: found '25', allowed: an odd number"),
        (["patches"], None, "patches: found None, allowed: object"),
        (["align", "method"], "cubic", "align.method: found 'cubic', allowed: one of lanczos3, exact, interp"),
        (["align", "refine"], "yes", "align.refine: found 'yes', allowed: boolean"),
        (["align", "kernel"], 3, "align.kernel: unknown key, allowed are method, refine"),
        (["bands"], ["u", "g", "r", "i"], "bands: found ['u', 'g', 'r', 'i'], allowed: each of u, g, r, i, z once"),
        (["bands"], ["u", "g", "r", "i", "r"], "allowed: each of u, g, r, i, z once"),
        (["archive", "attempts"], 0, "archive.attempts: found 0, allowed: a whole number from 1 to 20"),
        (["archive", "connections"], 2, "archive.connections: unknown key, allowed are url, release, releases"),
        (
            ["archive", "url"],
            "mirror",
            "archive.url: found 'mirror', allowed: https://…, http://…, file://…, a folder (",
        ),
        (["seeds"], [1, 1], "seeds: found [1, 1], allowed: a list of different whole numbers"),
        (["training_sets", "small"], [], "training_sets.small: found [], allowed: all, a whole number"),
        (["training_sets", "test"], "all", "training_sets: found 'test', allowed: a name of letters, digits"),
        (["models", "base", "learning_rate"], 0, "models.base.learning_rate: found 0, allowed: more than 0"),
        (["classify", "fields"], ["301-8162-7-80"], "classify.fields.0: found '301-8162-7-80', allowed: a field rer"),
        (["classify", "classifier"], 3, "classify.classifier: found 3, allowed: a folder with model."),
        (["augmentations", "blur"], {"generated": 0.5}, "augmentations.blur: found {'generated': 0.5}, allowed: one"),
        (["augmentations", "blur"], {"generated": 2, "components": 1}, "blur.generated: found 2, allowed: 1 or less"),
        (["colour"], "red", "colour: unknown key"),
        (["container"], "docker://my image", "container: found 'docker://my image', allowed: path or address of an"),
        (["container"], "missing.sif", "container: found 'missing.sif', which does not exist; allowed: the path"),
        (["fields"], "fields.tsv", "fields: unknown key"),
        (["simulate"], None, "simulate: unknown key"),
        (["sky"], "my sky", "sky: found 'my sky', allowed: a name of letters, digits and underscores"),
        (["skies", "sdss", "truth"], {"photo": {"table": "a.csv"}}, "but not photo or truth"),
        (
            ["skies", "sdss", "truth"],
            {"gaia": {"star": "p", "table": "a.csv"}},
            "truth.gaia.star: unknown key, allowed",
        ),
        (["skies", "sdss", "truth"], {"gaia": {"ra": "RA"}}, "skies.sdss.truth.gaia.table: missing"),
        (["skies", "sdss", "truth"], {"a": {"table": "a.csv", "radius": 0}}, "truth.a.radius: found 0, allowed: more"),
        (
            ["skies", "sdss", "truth"],
            {"a": {"table": "a.csv", "values": {"X": "dust"}}},
            "values.X: found 'dust', allo",
        ),
        (["skies", "sdss", "classifiers"], {"forest": {"table": "a.csv"}}, "but not that of a classifier in tables"),
        (
            ["skies", "sdss", "classifiers"],
            {"a": {"table": "a.csv", "star": "p", "class": "c"}},
            "allowed: either `star`",
        ),
        (["experiments", "base_small", "task"], "stars", "base_small.task: found 'stars', allowed: one of star_galaxy"),
    ],
)
def test_each_fault_is_one_clear_line(config, path, value, expected):
    node = config
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    message = fault_of(config)
    assert message.startswith(("--config: ", str(DEFAULT))) and expected in message


@pytest.mark.parametrize(
    "path, value",
    [(["simulate"], None), (["sky"], None), (["patches", "size"], 24), (["patches"], None), (["seeds", 0], -1)],
)
def test_overrides_on_the_command_line_are_named(config, path, value):
    """A value that no file has is from --config; an override of what a file has, too."""
    node = config
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    assert fault_of(config).startswith(f"--config: {'.'.join(map(str, path))}: ")


def test_missing_key(config):
    del config["training"]["patience"]
    assert "training.patience: missing" in fault_of(config)


def test_the_file_at_fault_is_named(config, tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("patches: {size: 8}\n")
    config["patches"]["size"] = 8
    assert fault_of(config, [DEFAULT, overlay]).startswith(str(overlay))


@pytest.mark.parametrize(
    "sky, expected",
    [
        ({"fields": "mine.tsv"}, "skies.mine.origin: missing"),
        ({"origin": "telescope"}, "skies.mine.origin: found 'telescope', allowed: one of archive, simulator"),
        ({"origin": "simulator"}, "skies.mine.seed: missing"),
        ({"origin": "simulator", "seed": -1}, "skies.mine.seed: found -1, allowed: 0 or more"),
        (
            {"origin": "simulator", "seed": 1, "url": "/here"},
            "found 'url', allowed: origin, seed, fields, truth and classifiers,",
        ),
        ({"origin": "archive", "seed": 1}, "found 'seed', allowed: origin, url, release, fields, truth and"),
        ({"origin": "archive", "release": "dr1"}, "skies.mine.release: found 'dr1', allowed are the names in archive"),
        ({"origin": "archive", "url": "hers"}, "skies.mine.url: found 'hers', allowed: https://"),
    ],
)
def test_a_sky_has_an_origin_and_the_keys_of_it(config, sky, expected):
    config["skies"]["mine"] = sky
    assert expected in fault_of(config)


@pytest.mark.parametrize(
    "path",
    [
        ["sky"],
        ["realism", "real"],
        *(["experiments", "base_small", f"{role}_on"] for role in ("train", "validate", "test")),
    ],
    ids=".".join,
)
def test_a_sky_must_be_defined(config, path):
    node = config
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = "hers"
    assert f"{'.'.join(path)}: found 'hers', allowed are the names in skies: simulated, sdss" in fault_of(config)
    config["skies"]["hers"] = None
    assert f"{'.'.join(path)}: found 'hers', allowed are the names in skies: simulated, sdss" in fault_of(config)
    config["skies"]["hers"] = {"origin": "archive"}
    check_config(config, CONFIG_SCHEMA, [DEFAULT])


def test_the_release_must_be_defined(config):
    config["archive"]["release"] = "dr1"
    assert "archive.release: found 'dr1', allowed are the names in archive.releases: dr17, dr18" in fault_of(config)


def test_truth_is_known_for_a_simulated_sky_alone(config):
    config["labels"], config["sky"] = "truth", "sdss"
    assert "labels: found 'truth', which is known for a simulated sky alone" in fault_of(config)
    config["sky"] = "simulated"
    check_config(config, CONFIG_SCHEMA, [DEFAULT])


def test_an_experiment_must_name_what_exists(config):
    config["experiments"]["base_small"]["model"] = "bse"
    assert "experiments.base_small.model: found 'bse', allowed are the names in models: base" in fault_of(config)


def test_the_published_network_takes_patches_alone_and_tells_two_classes(config):
    config["report"]["best"] = "bse"
    assert "report.best: found 'bse', allowed are the names in experiments: base_small" in fault_of(config)
    config["report"]["best"] = "four_classes"
    assert "report.best: four_classes takes auxiliary inputs or has four classes; allowed are" in fault_of(config)
    config["report"]["best"] = "regularized_large"
    config["experiments"]["regularized_large"]["auxiliary"] = ["psf_fwhm"]
    assert "report.best: regularized_large takes auxiliary inputs" in fault_of(config)


def test_an_auxiliary_input_must_not_give_the_class(config):
    config["experiments"]["base_small"]["auxiliary"] = ["redshift", "photo_type"]
    assert "experiments.base_small.auxiliary.1: found 'photo_type', allowed: psf_fwhm, sky_sigma" in fault_of(config)


def test_an_overlay_takes_out_what_it_sets_to_null(config):
    config["experiments"]["four_classes"] = config["comparisons"]["augmentation_small"] = config["skies"]["sdss"] = None
    check_config(config, CONFIG_SCHEMA, [DEFAULT])


@pytest.mark.parametrize(
    "cases, expected",
    [
        (
            {"deep": {"model": "ccn"}},
            "studies.mine.cases.deep.model: found 'ccn', allowed are the names in models: base",
        ),
        ({"deep": {"model": "cnn", "filters": [0]}}, "studies.mine.cases.deep: filters.0: found 0, allowed: 1 or more"),
        ({"deep": {"filters": [8]}}, "studies.mine.cases.deep: found 'filters', allowed: one of architecture, learn"),
        ({"deep": {"patch_size": 24}}, "studies.mine.cases.deep: patch_size: found 24, allowed: an odd number"),
        (
            {"told": {"auxiliary": ["psf_fwhm", "label"]}},
            "studies.mine.cases.told: auxiliary.1: found 'label', allowed: psf_fwhm, sky_sigma, or a column of the sou",
        ),
        ({"told": {"auxiliary": "psf_fwhm"}}, "cases.told: auxiliary: found 'psf_fwhm', allowed: a list of different"),
        (
            {"four": {"task": "stars"}},
            "studies.mine.cases.four: task: found 'stars', allowed: one of star_galaxy, four",
        ),
        ({"de/ep": {"l2": 0}}, "studies.mine.cases: found 'de/ep', allowed: a name of letters"),
        (None, "studies.mine: found {'base': 'regularized_small'}, allowed: base, and either vary or cases"),
    ],
)
def test_a_bad_case_is_named(config, cases, expected):
    config["studies"] = {"mine": {"base": "regularized_small"} | ({"cases": cases} if cases else {})}
    assert expected in fault_of(config)


def test_each_architecture_has_its_keys(config):
    config["models"]["base"]["dropout"] = 0.1
    assert "models.base: found 'dropout', allowed: one of architecture, learning_rate" in fault_of(config)
    del config["models"]["base"]["dropout"], config["models"]["cnn"]["kernel"]
    assert "models.cnn.kernel: missing" in fault_of(config)


@pytest.mark.parametrize(
    "base, vary, expected",
    [
        ("none", {"dropout": [0.5]}, "studies.tuning.base: found 'none', allowed are the names in experiments: base_"),
        (
            "base_small",
            {"augmentation": ["turn"]},
            "studies.tuning.vary.augmentation: found 'turn', allowed are the names",
        ),
        ("regularized_small", {"dropout": [1.5]}, "studies.tuning.vary: dropout: found 1.5, allowed: less than 1"),
        (
            "regularized_small",
            {"patch_size": [24]},
            "studies.tuning.vary: patch_size: found 24, allowed: an odd number",
        ),
        (
            "regularized_small",
            {"depth": [1]},
            "studies.tuning.vary: found 'depth', allowed: one of architecture, learning_rate",
        ),
        (
            "regularized_small",
            {"filters": [[8]]},
            "vary.filters.0: found [8], allowed: a name, a number, true or false",
        ),
        (
            "regularized_small",
            {"test_on": ["hers"]},
            "studies.tuning.vary.test_on: found 'hers', allowed are the names in skies: simulated",
        ),
    ],
)
def test_a_bad_comparison_is_named(config, base, vary, expected):
    config["studies"] = {"tuning": {"base": base, "vary": vary}}
    assert expected in fault_of(config)
