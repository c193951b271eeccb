"""The appointment's screens: booking with offered times, the day's list, the visit's buttons."""

from clinic.admin.scheduling import appointment  # noqa: F401  (registers itself)
