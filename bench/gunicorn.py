"""The product's web server, without the replacement of workers: a measurement is no day's work."""

from config.gunicorn import *  # noqa: F403

max_requests = 0
max_requests_jitter = 0
