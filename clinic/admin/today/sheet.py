"""The day on paper, a sheet for everybody who treats. Every visit on it is a look at its patient."""

from __future__ import annotations

from django.contrib import admin, messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic import actor
from clinic.admin.calendar.views import reading
from clinic.admin.today.asked import address, asked_of
from clinic.exceptions import RuleBroken
from clinic.insights import today
from clinic.models import Appointment
from clinic.services import audit
from clinic.services.printing import pdf


@reading
def sheet_view(request):
    """The sheets of the location and day of the address; of one practitioner where it names one."""
    asked = asked_of(request, by_practitioner=True)
    sheets = today.sheets(request.user, asked.window) if asked.locations else []
    if not sheets:
        return _back(request, asked, _("Nothing is booked on this day."))
    visits = [visit for _name, rows in sheets for visit in rows]
    now = timezone.localtime(timezone.now(), asked.zone)
    context = {
        "sheets": sheets,
        "title": date_format(asked.on, "l j F Y"),
        "where": ", ".join(place.name for place in asked.locations),
        "printed": _("Printed %(at)s by %(who)s")
        % {"at": date_format(now, "SHORT_DATETIME_FORMAT"), "who": request.user},
    }
    try:
        document = pdf.render("documents/day_sheet.html", context)
    except RuleBroken as refusal:
        return _back(request, asked, refusal.message)
    audit.looked_at_all(visits, by=actor.current(), verb="print", purpose=f"day sheet {asked.on}")
    name = f'inline; filename="{asked.on.isoformat()}.pdf"'
    return HttpResponse(document, content_type="application/pdf", headers={"Content-Disposition": name})


def _back(request, asked, sentence):
    admin.site.get_model_admin(Appointment).message_user(request, sentence, messages.WARNING)
    return HttpResponseRedirect(address(asked))
