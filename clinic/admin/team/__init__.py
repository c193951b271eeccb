"""Screens of practitioners with their hours, of absences, and of staff with their roles."""

from clinic.admin.team import absences, practitioners, staff  # noqa: F401  (they register themselves)
