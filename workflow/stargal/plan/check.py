"""Check configuration files on their own: ``python -m stargal.plan.check mine.yaml``.

Snakemake reads these files before the Snakefile, and says of a fault neither the file nor the line. So `make run` and
`make classify` check the files of its command line first: ``python -m stargal.plan.check snakemake ARGUMENTS``.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from stargal.errors import StargalError


def read_overlay(path: Path) -> dict[str, object]:
    """Read a configuration file.

    Raises
    ------
    StargalError
        If it is not there, is not UTF-8 text or YAML, or has no keys; naming the line.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StargalError(f"{path}: {error.strerror or error}; name a file that exists") from None
    except UnicodeDecodeError:
        raise StargalError(f"{path}: not UTF-8 text; save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        said = getattr(error, "problem", None) or str(error).splitlines()[0]
        hint = "; YAML is indented by spaces, not by tabs" if "\\t" in said else "; a key ends in a colon and a space"
        raise StargalError(f"{path}: {place}{said}{hint}") from None
    if not isinstance(content, Mapping):
        raise StargalError(f"{path}: line 1: found no keys; a key ends in a colon and a space, for example `sky: mine`")
    return dict(content)


def config_files(arguments: list[str]) -> list[str]:
    """Return the configuration files among the arguments of Snakemake.

    Examples
    --------
    >>> config_files(["-n", "--configfile", "mine.yaml", "more.yaml", "--config", "labels=truth"])
    ['mine.yaml', 'more.yaml']
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    try:
        return list(parser.parse_known_args(arguments)[0].configfile)
    except argparse.ArgumentError:  # Snakemake says what is wrong
        return []


def main(arguments: list[str]) -> None:
    """Check some files, or those of a command line of Snakemake; exit with one line at the first fault."""
    names = config_files(arguments[1:]) if arguments[:1] == ["snakemake"] else arguments
    try:
        for name in names:
            read_overlay(Path(name))
    except StargalError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
