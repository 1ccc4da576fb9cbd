"""The command line of a job."""

import json
import shlex

from stargal.plan.jobs import file_options, options, pattern_of


def test_settings_as_options():
    settings = {
        "patch_size": 25,
        "limit": None,
        "sky": "",
        "refine": True,
        "study": False,
        "labels": "it's photo",
        "seeds": [1, 2],
        "model": {"l2": 0.0001, "name": "ä b"},
        "seed": 0,
    }
    words = shlex.split(options(settings))
    assert words[:4] == ["--patch-size=25", "--refine", "--no-study", "--labels=it's photo"]
    assert json.loads(words[4].removeprefix("--seeds=")) == [1, 2]
    assert json.loads(words[5].removeprefix("--model=")) == settings["model"]
    assert words[6:] == ["--seed=0"]
    assert options({}) == ""


def test_files_as_options():
    files = [
        ("cube", "results/my sky/301-008162-6-0080.fits"),
        ("frames", ["u.bz2", "g.bz2"]),
        ("record", "u.bz2.sha256"),
        ("records", ["g.bz2.sha256"]),
        ("shown_files", []),
    ]
    assert shlex.split(file_options(files)) == [
        "--cube=results/my sky/301-008162-6-0080.fits",
        "--frames=u.bz2",
        "--frames=g.bz2",
    ]
    assert shlex.split(file_options(files, named="input")) == [
        "--input=cube=results/my sky/301-008162-6-0080.fits",
        "--input=frames[]=u.bz2",
        "--input=frames[]=g.bz2",
    ]
    assert shlex.split(file_options([("shown_files", ["a"])])) == ["--shown-files=a"]


def test_thousands_of_fields_are_one_option():
    """A command line of a job over 10 000 fields stays short; a list without files has no option."""
    files = [("sources", [f"results/made/sources/301-008162-6-{number:04d}.parquet" for number in range(1, 10_000)])]
    assert file_options(files, ["sources"]) == "'--sources=results/made/sources/{field}.parquet'"
    assert file_options(files, ["sources"], "input") == "'--input=sources[]=results/made/sources/{field}.parquet'"
    assert file_options([("sources", [])], ["sources"]) == ""
    assert pattern_of("results/301-008162-6-0080/301-008162-6-0080.csv") == "results/{field}/{field}.csv"
    assert pattern_of("results/scores.csv") == "results/scores.csv"
