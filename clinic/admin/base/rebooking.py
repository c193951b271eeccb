"""The way from a change of hours to the visits it leaves behind."""

from django.contrib import messages
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import ngettext

from clinic.admin.base.scope import may
from clinic.models import Appointment
from clinic.services.scheduling import rebooking


def lead_to_worklist(screen, request, sentence: str, **asked) -> None:
    """A message that is a link to the rebooking worklist, cut by practitioner or location."""
    address = f"{reverse('admin:clinic_appointment_rebooking')}?{urlencode(asked)}"
    screen.message_user(
        request, format_html('<a class="desk-link" href="{}">{}</a>', address, sentence), messages.WARNING
    )


def tell_of_displaced(screen, request, **asked) -> None:
    """Say how many visits wait on the worklist of this practitioner or location, where there are any.

    `asked` holds practitioner= or location=, a key.
    """
    if not may(request, "view", Appointment):
        return
    count = rebooking.count(**{f"{name}s": [key] for name, key in asked.items()})
    if count:
        sentence = ngettext(
            "%d visit lies outside these hours or in time off: rebook it.",
            "%d visits lie outside these hours or in time off: rebook them.",
            count,
        )
        lead_to_worklist(screen, request, sentence % count, **asked)
