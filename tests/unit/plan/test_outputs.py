"""Tables and figures, registered by the rules and found again by their path."""

import pytest

from stargal.errors import StargalError
from stargal.plan.outputs import Shown, field_groups, place_on_page, wildcards_in
from stargal.survey.fields import Field

FOLDER = "results/made"
REGISTERED = [
    Shown(f"{FOLDER}/tables/{{comparison}}.csv", "{comparison}", "comparison"),
    Shown(f"{FOLDER}/tables/scores.csv", "scores, all sources", "scores"),
    Shown(f"{FOLDER}/figures/patches/{{size}}/{{field}}.png", "{field}: example patches", "patches"),
]


def test_a_path_is_known_by_its_pattern():
    size = REGISTERED[2]
    assert size.match(f"{FOLDER}/figures/patches/25/1.png") == {"size": "25", "field": "1"}
    assert size.match(f"{FOLDER}/figures/patches/25/more/1.png") is None
    assert size.match(f"{FOLDER}/figures/patches/25/1xpng") is None
    twice = Shown("{sky}/{name}-{sky}.svg", "", "")
    assert twice.match("made/plot-made.svg") == {"sky": "made", "name": "plot"}
    assert twice.match("made/plot-real.svg") is None


def test_tables_and_figures_come_in_the_order_of_the_chapters():
    """By the first pattern that matches; among those of one pattern, in the order given; the rest ends the page."""
    chapters = {"Data": ["figures/patches/*"], "Scores": ["tables/scores.csv", "tables/a_*"]}
    files = ["tables/z.csv", "tables/a_2.csv", "tables/a_1.csv", "tables/scores.csv", "figures/patches/25/1.png"]
    placed = place_on_page([f"{FOLDER}/{name}" for name in files], REGISTERED, chapters, FOLDER)
    assert [(item["chapter"], item["name"]) for item in placed] == [
        ("Data", "figures/patches/25/1.png"),
        ("Scores", "tables/scores.csv"),
        ("Scores", "tables/a_2.csv"),
        ("Scores", "tables/a_1.csv"),
        ("Scores", "tables/z.csv"),
    ]
    assert placed[0] == {
        "name": "figures/patches/25/1.png",
        "file": f"{FOLDER}/figures/patches/25/1.png",
        "chapter": "Data",
        "title": "1: example patches",
        "caption": "patches",
    }


def test_the_most_particular_pattern_gives_title_and_caption():
    scores, other = place_on_page(
        [f"{FOLDER}/tables/scores.csv", f"{FOLDER}/tables/patch_size.csv"], REGISTERED, {"All": []}, FOLDER
    )
    assert (scores["title"], scores["caption"]) == ("Scores, all sources", "scores")
    assert (other["title"], other["caption"]) == ("Patch size", "comparison")


def test_of_patterns_with_as_many_wildcards_the_longer_gives_title_and_caption():
    registered = [*REGISTERED, Shown(f"{FOLDER}/tables/{{scope}}_scores.csv", "{scope}: scores", "peers")]
    for order in (registered, registered[::-1]):
        (item,) = place_on_page([f"{FOLDER}/tables/peers_scores.csv"], order, {"All": []}, FOLDER)
        assert (item["title"], item["caption"]) == ("Peers: scores", "peers")


def test_a_file_that_no_rule_registers_is_refused():
    with pytest.raises(StargalError, match=r"^results/made/figures/roc\.svg is on the page, but no rule registers it$"):
        place_on_page([f"{FOLDER}/figures/roc.svg"], REGISTERED, {"All": []}, FOLDER)


def test_files_of_fields_are_grouped():
    fields = [Field(301, 8162, 6, number) for number in (80, 81, 103)]
    patterns = {"results/{sky}/aligned/{field}.fits": fields, "results/{sky}/empty/{field}.fits": []}
    assert field_groups(patterns, "results/{sky}") == ["301-8162-6:80-81,103=aligned/{field}.fits"]


def test_a_log_is_named_by_the_wildcards_of_its_job():
    assert wildcards_in({"table": "results/{sky}/{size}/{field}.png", "other": "{more}"}) == "{size}-{field}"
    assert wildcards_in({"table": "results/{sky}/scores.csv"}) == ""
