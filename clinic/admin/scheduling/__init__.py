"""Screens of services and appointments: booking with offered times, the day’s list, the visit’s buttons."""

from clinic.admin.scheduling import appointment, referral, service  # noqa: F401  (they register themselves)
