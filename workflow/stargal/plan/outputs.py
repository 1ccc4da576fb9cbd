"""Tables and figures for the page: registered where a rule makes them, found again by their path."""

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stargal.errors import StargalError
from stargal.survey.fields import Field, format_fields


@dataclass(frozen=True)
class Shown:
    """A table or figure, or a family of them.

    Attributes
    ----------
    pattern : str
        Path with its wildcards in braces.
    title : str
        With the same wildcards.
    caption : str
        Name of the caption in ``workflow/report``, without ``.rst``.
    """

    pattern: str
    title: str
    caption: str

    def match(self, path: str) -> dict[str, str] | None:
        """Return the wildcards of a path of the family, None for another path."""
        parts = re.split(r"\{(\w+)\}", self.pattern)
        seen: set[str] = set()
        expression = ""
        for number, part in enumerate(parts):
            if number % 2 == 0:
                expression += re.escape(part)
            else:
                expression += f"(?P={part})" if part in seen else f"(?P<{part}>[^/]+)"
                seen.add(part)
        found = re.fullmatch(expression, path)
        return found.groupdict() if found else None


def place_on_page(
    files: Sequence[str], registered: Sequence[Shown], chapters: Mapping[str, Sequence[str]], folder: str
) -> list[dict[str, str]]:
    """Sort tables and figures into the chapters of the page.

    Parameters
    ----------
    files : sequence of str
        Paths below `folder`.
    registered : sequence of Shown
        What the rules have registered.
    chapters : mapping
        Patterns of paths below `folder` by chapter, in order; what none matches ends the last chapter.
    folder : str
        Folder of the results of a sky.

    Returns
    -------
    list of dict
        name, file, chapter, title and caption of each.

    Raises
    ------
    StargalError
        If a file is not registered.
    """
    order = [(chapter, pattern) for chapter, patterns in chapters.items() for pattern in patterns]
    order.append((list(chapters)[-1], "*"))
    placed = []
    for file in files:
        name = file.removeprefix(f"{folder}/")
        place = next(place for place, (_, pattern) in enumerate(order) if fnmatch.fnmatch(name, pattern))
        found = [(shown, wildcards) for shown in registered if (wildcards := shown.match(file)) is not None]
        if not found:
            raise StargalError(f"{file} is on the page, but no rule registers it")
        # The most particular pattern: the fewest wildcards and, of these, the most text.
        shown, wildcards = min(found, key=lambda pair: (len(pair[1]), -len(re.sub(r"\{\w+\}", "", pair[0].pattern))))
        title = shown.title.format(**wildcards).replace("_", " ")
        item = {"name": name, "file": file, "chapter": order[place][0], "title": title[0].upper() + title[1:]}
        placed.append((place, item | {"caption": shown.caption}))
    return [item for _, item in sorted(placed, key=lambda pair: pair[0])]


def field_groups(patterns: Mapping[str, Iterable[Field]], folder: str) -> list[str]:
    """Write files of fields as ``FIELDS=PATH``, the path below a folder, with the name of the field left open."""
    return [f"{format_fields(fields)}={path.removeprefix(f'{folder}/')}" for path, fields in patterns.items() if fields]


def wildcards_in(outputs: Mapping[str, str]) -> str:
    """Return the wildcards of the first of some outputs but the sky, as part of the path of a log."""
    names = re.findall(r"\{(\w+)\}", next(iter(outputs.values())))
    return "-".join(f"{{{name}}}" for name in names if name != "sky")
