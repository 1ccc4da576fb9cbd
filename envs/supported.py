"""Say at once whether the packages of cpu.txt exist for this Python and computer, rather than after minutes of pip.

`make` runs it with the interpreter of the environment that it makes; so it is written for every Python 3.
"""

import platform
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
"""Versions of Python for which all packages have wheels."""

MACHINES = {"Linux": ("x86_64", "aarch64"), "Darwin": ("arm64",)}
"""Systems and processors for which all packages have wheels."""


def fault(version, system, machine, libc, macos):
    """Return what is not supported, as one line; an empty text if all is.

    Parameters
    ----------
    version : tuple of int
        Of Python.
    system, machine, libc, macos : str
        As the functions of `platform` give them; the last two empty on other systems.
    """
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        return (
            "stargal needs Python 3.11, 3.12 or 3.13, this is {}.{}: name another one, for example "
            "`make run PYTHON=python3.12`".format(*version[:2])
        )
    needed = "stargal runs on Linux (x86_64 or aarch64, glibc) and on Macs with Apple silicon (macOS 14 or newer)"
    if machine not in MACHINES.get(system, ()):
        hint = "; on Windows, use WSL" if system == "Windows" else ""
        return f"{needed}, this is {system} on {machine}: tensorflow and onnxruntime have no packages for it{hint}"
    if system == "Linux" and libc != "glibc":
        return "{}, this Linux has {}".format(needed, libc or "another C library")
    if system == "Darwin" and macos and int(macos.split(".")[0]) < 14:
        return f"{needed}, this is macOS {macos}"
    return ""


if __name__ == "__main__":
    found = fault(
        sys.version_info, platform.system(), platform.machine(), platform.libc_ver()[0], platform.mac_ver()[0]
    )
    sys.exit("error: " + found if found else 0)
