"""Typed readers of the environment. A wrong value stops the start with one sentence; no setting is decided here."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

YES = {"1", "true", "yes", "on"}
NO = {"0", "false", "no", "off", ""}


def load(path: Path) -> None:
    """Take `NAME=value  # remark` lines from a file, without overruling what the environment says already."""
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ImproperlyConfigured(f"Line {number} of {path.name} is not of the form NAME=value.")
        os.environ.setdefault(name.strip(), value.split(" #")[0].strip().strip("\"'"))


def text(name: str, default: str | None = None) -> str:
    """The value of `name`; without a default it must be set and not empty."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is missing: set it in the environment.")
    return default


def flag(name: str, default: bool = False) -> bool:
    value = os.environ.get(name)
    if value is None:
        return default
    if value.strip().lower() in YES | NO:
        return value.strip().lower() in YES
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not “{value}”.")


def number(name: str, default: int, minimum: int = 0, maximum: int | None = None) -> int:
    value = text(name, default=str(default))
    with suppress(ValueError):
        found = int(value)
        if minimum <= found and (maximum is None or found <= maximum):
            return found
    wanted = f"from {minimum} to {maximum}" if maximum is not None else f"of at least {minimum}"
    raise ImproperlyConfigured(f"{name} must be a whole number {wanted}, not “{value}”.")


def choice(name: str, options: Sequence[str], default: str) -> str:
    value = text(name, default=default)
    if value not in options:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(options)}, not “{value}”.")
    return value


def csv(name: str, default: Sequence[str] = ()) -> list[str]:
    """A list, separated by commas."""
    value = os.environ.get(name, "")
    return [part.strip() for part in value.split(",") if part.strip()] or list(default)


def database(name: str, default: str | None = None) -> dict[str, Any]:
    """Django's DATABASES entry (without ENGINE) for a URL like postgresql://user:password@host:5432/name.

    A socket folder goes into the query: postgresql://user@/name?host=/run/postgresql. What else stands there
    (sslmode, sslrootcert…) is handed to libpq.
    """
    url = text(name, default=default)
    wanted = f"{name} must look like postgresql://user:password@host:5432/name."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(wanted) from error
    path = unquote(parts.path.lstrip("/"))
    if parts.scheme not in {"postgresql", "postgres"} or not path or not parts.username:
        # The value is not repeated: it may hold a password.
        raise ImproperlyConfigured(wanted)
    options = dict(parse_qsl(parts.query))
    return {
        "NAME": path,
        "USER": unquote(parts.username),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": options.pop("port", str(port or "")),
        "OPTIONS": options,
    }


def secret_file(path: Path) -> str:
    """A random secret kept in `path` (0600), made at the first call. For machines that serve one person only."""
    with suppress(FileNotFoundError):
        return path.read_text(encoding="ascii")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(draft, "w", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(secrets.token_urlsafe(60))
    # A link appears whole or not at all: of several processes that start together, one wins.
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    return path.read_text(encoding="ascii")
