"""YAML as people write it: the file and the line are named."""

import pytest

from configurations import DEFAULT
from stargal.errors import StargalError
from stargal.plan.check import main, read_overlay


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sky:hers\n", "line 1: found no keys; a key ends in a colon and a space"),
        ("labels: photo\nsky: hers: his\n", "line 2, column 10: mapping values are not allowed here"),
        ("archive:\n\turl: /here\n", "line 2, column 1: found character .* YAML is indented by spaces"),
        ("sky: [1, 2\nlabels: photo\n", "line 2"),
        ("sky: 'hers\n", "line [12]"),
        ("", "found no keys"),
        ("- sky\n", "found no keys"),
    ],
)
def test_yaml_as_people_write_it_is_told_with_its_line(text, said, tmp_path, monkeypatch):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(StargalError, match=rf"mine\.yaml: .*{said}") as caught:
        read_overlay(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(SystemExit, match=r"^error: "):
        main([str(path)])


def test_yaml_that_is_not_there_or_no_text_is_told(tmp_path):
    with pytest.raises(StargalError, match=r"none\.yaml: No such file"):
        read_overlay(tmp_path / "none.yaml")
    (tmp_path / "mine.yaml").write_text("sky: hers\n", encoding="utf-16")
    with pytest.raises(StargalError, match="not UTF-8 text"):
        read_overlay(tmp_path / "mine.yaml")


def test_the_default_configuration_is_yaml():
    main([str(DEFAULT)])
    assert read_overlay(DEFAULT)["sky"]
