"""Registers every screen. Loaded by DeskConfig once the models are there; nothing else imports it."""

from clinic.admin import audit, checks, patients, scheduling, sites, team  # noqa: F401  (they register themselves)
