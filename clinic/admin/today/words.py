"""What today's script says, in the person's language."""

from django.utils.translation import gettext as _


def texts() -> dict[str, str]:
    """Sentences by name; `%s` is filled in by the script."""
    return {
        "back": _("Undo"),
        "failed": _("The page could not be renewed. It goes on trying."),
        "late": _("%s min late"),
        "minutes": _("%s min"),
        "moveFailed": _("This could not be saved: no answer. Please try again."),
        "newPatient": _("New patient"),
        "registerPatient": _("Register a patient"),
        "signedOut": _("You have been signed out. Sign in again to go on."),
        "signIn": _("Sign in"),
    }
