"""As the product's, without its screens to read before the first fork."""

from bench.gunicorn import *  # noqa: F403


def when_ready(server):
    pass
