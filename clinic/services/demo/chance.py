"""Where all chance of the demo comes from."""

from random import Random


def chance(*parts) -> Random:
    """A generator of its own for these parts: what one draws does not shift what another finds."""
    return Random(":".join(map(str, parts)))  # noqa: S311  (no secret hangs on it)
