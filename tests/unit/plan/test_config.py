"""Bad configuration: one clear line that names file, row or key, what was found and what is allowed."""

import copy
import re
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from stargal.errors import StargalError
from stargal.learning.auxiliary import OF_FIELDS
from stargal.plan.config import (
    all_comparisons,
    changed_keys,
    check_config,
    read_fields,
    resolve_training_set,
    vary_experiment,
)
from stargal.survey.fields import Field, format_fields, parse_fields

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "workflow/schemas"
DEFAULT = ROOT / "config/config.yaml"


@pytest.fixture
def config():
    return yaml.safe_load(DEFAULT.read_text())


def fault_of(config, files=(DEFAULT,)):
    with pytest.raises(StargalError) as caught:
        check_config(config, SCHEMAS / "config.schema.yaml", files)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_shipped_configurations_are_right(config):
    check_config(config, SCHEMAS / "config.schema.yaml", [DEFAULT])
    for overlay in [*sorted((ROOT / "config").glob("*.yaml")), ROOT / "tests/mirror.yaml"]:
        merged = copy.deepcopy(config)
        update_config(merged, yaml.safe_load(overlay.read_text()))
        check_config(merged, SCHEMAS / "config.schema.yaml", [DEFAULT, overlay])
        buckets = read_fields(ROOT / merged["fields"], SCHEMAS / "fields.schema.yaml")
        for name, members in merged["training_sets"].items():
            assert resolve_training_set(name, members, buckets)


@pytest.mark.parametrize(
    "path, value, expected",
    [
        (["patches", "size"], 24, "patches.size: found 24, allowed: an odd number of pixels from 15 to 199"),
        (["patches", "size"], "25", "patches.size: found '25', allowed: an odd number"),
        (["align", "method"], "cubic", "align.method: found 'cubic', allowed: one of lanczos3, exact, interp"),
        (["align", "refine"], "yes", "align.refine: found 'yes', allowed: boolean"),
        (["align", "kernel"], 3, "align.kernel: unknown key, allowed are method, refine"),
        (["bands"], ["u", "g", "r", "i"], "bands: found ['u', 'g', 'r', 'i'], allowed: each of u, g, r, i, z once"),
        (["bands"], ["u", "g", "r", "i", "r"], "allowed: each of u, g, r, i, z once"),
        (["archive", "connections"], 0, "archive.connections: found 0, allowed: a whole number from 1 to 8"),
        (["seeds"], [1, 1], "seeds: found [1, 1], allowed: a list of different whole numbers"),
        (["training_sets", "small"], [], "training_sets.small: found [], allowed: all, a whole number"),
        (["models", "base", "learning_rate"], 0, "models.base.learning_rate: found 0, allowed: more than 0"),
        (
            ["classify", "fields"],
            ["301-8162-7-80"],
            "classify.fields.0: found '301-8162-7-80', allowed: a field rer",
        ),
        (["classify", "classifier"], 3, "classify.classifier: found 3, allowed: a folder with model.keras"),
        (["classes"], 4, "classes: found 4, allowed: a name in experiments or null"),
        (
            ["augmentations", "blur"],
            {"generated": 0.5},
            "augmentations.blur: found {'generated': 0.5}, allowed: one key",
        ),
        (["augmentations", "blur"], {"generated": 2, "components": 1}, "blur.generated: found 2, allowed: 1 or less"),
        (["colour"], "red", "colour: unknown key"),
        (["sky"], "my sky", "sky: found 'my sky', allowed: a name of letters, digits and underscores"),
    ],
)
def test_each_fault_is_one_clear_line(config, path, value, expected):
    node = config
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    message = fault_of(config)
    assert message.startswith(str(DEFAULT)) and expected in message


def test_missing_key(config):
    del config["training"]["patience"]
    assert "training.patience: missing" in fault_of(config)


def test_experiment_must_name_what_exists(config):
    config["experiments"]["base_small"]["model"] = "bse"
    assert "experiments.base_small.model: found 'bse', allowed are the names in models: base" in fault_of(config)


def test_a_network_with_auxiliary_inputs_cannot_be_published(config):
    config["experiments"]["regularized_large"]["auxiliary"] = ["psf_fwhm"]
    assert "report.best: regularized_large takes auxiliary inputs; allowed are experiments without" in fault_of(config)


def test_networks_of_an_unknown_experiment_cannot_be_transferred(config):
    config["realism"]["transfer_experiment"] = "bse"
    assert "realism.transfer_experiment: found 'bse', allowed are the names in experiments: base" in fault_of(config)


def test_four_classes_are_learned_with_a_known_experiment_or_not_at_all(config):
    config["classes"] = "bse"
    assert "classes: found 'bse', allowed are the names in experiments: base" in fault_of(config)
    config["classes"] = None
    check_config(config, SCHEMAS / "config.schema.yaml", [DEFAULT])


def test_truth_is_known_for_a_simulated_sky_alone(config):
    config["labels"], config["simulate"] = "truth", None
    assert "labels: found 'truth', which is known for a simulated sky alone" in fault_of(config)
    config["simulate"] = {"seed": 1}
    check_config(config, SCHEMAS / "config.schema.yaml", [DEFAULT])


def test_the_file_at_fault_is_named(config, tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("patches: {size: 8}\n")
    config["patches"]["size"] = 8
    assert fault_of(config, [DEFAULT, overlay]).startswith(str(overlay))


COLUMNS = ("rerun", "run", "camcol", "field", "bucket")
HEADER = "rerun\trun\tcamcol\tfield\tbucket\n"
GOOD = ["301\t8162\t6\t174\ttrain", "301\t8162\t6\t120\tvalidation", "301\t8162\t6\t80\ttest"]


@pytest.mark.parametrize(
    "rows, expected",
    [
        ([*GOOD, GOOD[0]], "row 5: field 301-008162-6-0174 is listed twice, first in row 2"),
        ([*GOOD, "301\t8162\t6\t174\ttest"], "listed twice, first in row 2 in bucket train, here in test"),
        ([*GOOD, "301\t8162\t7\t10\ttest"], "row 5: camcol: found 7, allowed: a whole number from 1 to 6"),
        ([*GOOD, "301\t8162\t6\tx\ttest"], "row 5: field: found 'x', allowed: a whole number from 1 to 9999"),
        ([*GOOD, "301\t8162\t6\t90\tdev"], "row 5: bucket: found 'dev', allowed: one of train, validation, test"),
        ([*GOOD, "301\t8162\t6\t90"], "row 5: bucket: found None"),
        (GOOD[:2], "bucket test is empty"),
        (
            [*GOOD, "301\t8162\t6\t121\ttest"],
            "rows 3 and 5: fields 301-008162-6-0120 (validation) and 301-008162-6-0121 (test) share 128 rows of sky "
            "(50.7 arcsec)",
        ),
        ([*GOOD, "40\t8162\t6\t120\ttest"], "share 1489 rows of sky"),
    ],
)
def test_bad_tables_of_fields(tmp_path, rows, expected):
    path = tmp_path / "fields.tsv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    with pytest.raises(StargalError) as caught:
        read_fields(path, SCHEMAS / "fields.schema.yaml")
    assert str(caught.value).startswith(str(path)) and expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_table_of_fields_with_another_header(tmp_path):
    path = tmp_path / "fields.tsv"
    path.write_text("run,camcol\n1,2\n")
    with pytest.raises(StargalError, match="header: found"):
        read_fields(path, SCHEMAS / "fields.schema.yaml")
    with pytest.raises(StargalError, match="no such file"):
        read_fields(tmp_path / "none.tsv", SCHEMAS / "fields.schema.yaml")


def test_neighbours_in_one_bucket_are_fine(tmp_path):
    path = tmp_path / "fields.tsv"
    path.write_text(HEADER + "\n".join([*GOOD, "301\t8162\t6\t175\ttrain"]) + "\n# a comment\n")
    assert len(read_fields(path, SCHEMAS / "fields.schema.yaml")) == 4


def test_training_sets():
    buckets = {Field(301, 8162, 6, 174): "train", Field(301, 8162, 6, 80): "test", Field(301, 8162, 6, 103): "train"}
    assert [field.field for field in resolve_training_set("large", "all", buckets)] == [103, 174]
    assert resolve_training_set("small", ["301-8162-6-174"], buckets) == [Field(301, 8162, 6, 174)]
    assert resolve_training_set("one", 1, buckets) == [Field(301, 8162, 6, 174)]
    assert resolve_training_set("four", 4, buckets) == resolve_training_set("large", "all", buckets)
    with pytest.raises(StargalError, match=r"training_sets\.small: field 301-008162-6-0080 is not in bucket train"):
        resolve_training_set("small", ["301-8162-6-80"], buckets)


def test_fields_on_a_command_line():
    fields = [Field(301, 8162, 6, number) for number in (80, 103, 111, 112, 113)] + [Field(40, 4192, 4, 300)]
    text = format_fields(fields)
    assert text == "40-4192-4:300 301-8162-6:80,103,111-113"
    assert parse_fields(text) == sorted(fields)
    assert Field.parse("301-8162-6-80").name == "301-008162-6-0080"
    for bad in ("301-8162-6", "301-8162-6:x", "301-8162:5"):
        with pytest.raises(StargalError):
            parse_fields(bad)


def test_a_comparison_makes_an_experiment_of_each_combination(config):
    config["studies"] = {
        "tuning": {"base": "regularized_small", "vary": {"dropout": [0.2, 0.5], "patch_size": [15, 25]}}
    }
    check_config(config, SCHEMAS / "config.schema.yaml", [DEFAULT])
    varied = vary_experiment("tuning", config)
    assert list(varied) == ["tuning-0.2-15", "tuning-0.5-15", "tuning-0.5-25"]  # 0.2 and 25 are the base's own
    assert varied["tuning-0.5-15"].patch_size == 15
    assert varied["tuning-0.5-15"].model == {**config["models"]["regularized"], "dropout": 0.5}
    assert varied["tuning-0.5-15"].training_set == "small" and varied["tuning-0.5-15"].augmentation == {}
    rotated = vary_experiment("augmentation_small", config)["augmentation_small-rotation"]
    assert rotated.augmentation == {"rotations": True}
    config["comparisons"]["augmentation_small"] = None
    assert "augmentation_small" not in all_comparisons(config)


def test_auxiliary_inputs_are_the_experiments_own(config):
    check_config(config, SCHEMAS / "config.schema.yaml", [DEFAULT])
    varied = vary_experiment("auxiliary", config)
    told = {name: experiment.settings["auxiliary"] for name, experiment in varied.items()}
    both = ["psf_fwhm", "sky_sigma"]
    assert told == {"auxiliary-psf_fwhm": both[:1], "auxiliary-sky_sigma": both[1:], "auxiliary-both": both}
    assert all(experiment.model == config["models"]["regularized"] for experiment in varied.values())
    config["experiments"]["base_small"]["auxiliary"] = ["redshift", "photo_type"]
    assert "experiments.base_small.auxiliary.1: found 'photo_type', allowed: psf_fwhm, sky_sigma" in fault_of(config)


def test_a_case_changes_some_keys_of_the_experiment_and_of_its_model(config):
    config["studies"] = {
        "mine": {
            "base": "regularized_small",
            "cases": {
                "deep": {"model": "cnn", "filters": [8, 8, 8]},
                "wide": {"model": "unet", "patch_size": 49},
                "same": {"l2": config["models"]["regularized"]["l2"]},
            },
        }
    }
    check_config(config, SCHEMAS / "config.schema.yaml", [DEFAULT])
    varied = vary_experiment("mine", config)
    assert list(varied) == ["mine-deep", "mine-wide"]  # the third is the base itself
    assert varied["mine-deep"].model == {**config["models"]["cnn"], "filters": [8, 8, 8]}
    assert (varied["mine-deep"].patch_size, varied["mine-wide"].patch_size) == (25, 49)
    assert varied["mine-wide"].training_set == "small"
    assert changed_keys(config["studies"]["mine"]) == ["model", "filters", "patch_size", "l2"]
    assert changed_keys(config["comparisons"]["augmentation_small"]) == ["augmentation"]


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
        ({"de/ep": {"l2": 0}}, "studies.mine.cases: found 'de/ep', allowed: a name of letters"),
        (None, "studies.mine: found {'base': 'regularized_small'}, allowed: base, and either vary or cases"),
    ],
)
def test_a_bad_case_is_named(config, cases, expected):
    config["studies"] = {"mine": {"base": "regularized_small"} | ({"cases": cases} if cases else {})}
    assert expected in fault_of(config)


def test_what_an_architecture_takes_is_said(config):
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
    ],
)
def test_a_bad_comparison_is_named(config, base, vary, expected):
    config["studies"] = {"tuning": {"base": base, "vary": vary}}
    assert expected in fault_of(config)


def test_every_key_is_documented(config):
    """config/README.md names each key that config.yaml holds, and no other."""
    rows = re.findall(r"^\| `([a-z0-9_.{}]+)` \|", (ROOT / "config/README.md").read_text(), re.M)
    documented = {row for row in rows if row not in (*COLUMNS, *OF_FIELDS)}
    keys = set()
    for section, value in config.items():
        if section in ("training_sets", "experiments", "comparisons", "studies"):
            keys.add(f"{section}.{{name}}")
        elif section in ("models", "augmentations"):
            keys |= {f"{section}.{{name}}.{key}" for block in value.values() for key in block}
        else:
            keys |= {f"{section}.{key}" for key in value} if isinstance(value, dict) else {section}
    assert documented - {"simulate.seed"} == keys - {"simulate", "simulate.seed"}
