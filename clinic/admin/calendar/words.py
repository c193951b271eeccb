"""What the calendar's scripts say, in the person's language."""

from django.utils.translation import gettext as _

from clinic.admin.scheduling.columns import ICONS

STATUS_ICONS = {str(status): icon for status, icon in ICONS.items()}


def texts() -> dict[str, str]:
    """Sentences by name; `%s` is filled in by the script."""
    return {
        "again": _("second time"),
        "back": _("Undo"),
        "book": _("Book an appointment"),
        "bookFor": _("Book"),
        "busy": _("busy"),
        "closed": _("closed"),
        "crowded": _("Too many visits to show each: choose a practitioner, a room or a single day."),
        "elsewhere": _("busy at %s"),
        "failed": _("The calendar could not be read. It goes on trying."),
        "late": _("late"),
        "more": _("%s more"),
        "moveFailed": _("This could not be saved: no answer. The visit stays where it was."),
        "newPatient": _("New patient"),
        "nobody": _("Nobody works here on this day, and nothing is booked."),
        "off": _("absent"),
        "online": _("booked online"),
        "overlap": _("deliberate overlap"),
        "place": _("place %s"),
        "registerPatient": _("Register a patient"),
        "signedOut": _("You have been signed out. Sign in again to go on."),
        "signIn": _("Sign in"),
        "unworked": _("no working hours"),
        "visits": _("visits: %s"),
    }
