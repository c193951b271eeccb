"""What lists and pages show of a visit."""

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, localize
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from clinic.models import Appointment
from clinic.services.scheduling import clock

_S = Appointment.Status

ICONS = {
    _S.REQUESTED: "hourglass_top",
    _S.SCHEDULED: "event",
    _S.CONFIRMED: "event_available",
    _S.ARRIVED: "how_to_reg",
    _S.IN_SESSION: "play_circle",
    _S.COMPLETED: "task_alt",
    _S.DECLINED: "block",
    _S.CANCELLED: "event_busy",
    _S.EXPIRED: "timer_off",
    _S.NO_SHOW: "person_off",
}


def is_today(visit) -> bool:
    """Is it the visit's day on the clock of its location?"""
    return timezone.now().astimezone(visit.local_start.tzinfo).date() == visit.local_start.date()


def who_and_when(visit) -> str:
    """The visit as one says it at the desk: today's by the hour alone."""
    day = "" if is_today(visit) else f"{date_format(visit.local_start, 'D j M')} "
    return f"{visit.patient}, {day}{visit.local_start:%H:%M}"


def status_badge(visit):
    """Icon and text: colour alone tells nobody."""
    waiting = ""
    if visit.status == _S.ARRIVED and visit.arrived_at:
        waiting = format_html(
            ' <relative-time datetime="{}" format="relative" tense="past"></relative-time>',
            visit.arrived_at.isoformat(),
        )
    return format_html(
        '<span class="desk-status desk-status-{}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>'
        "{}{}{}</span>",
        visit.status,
        ICONS[visit.status],
        visit.get_status_display(),
        f" ({_('late')})" if visit.late else "",
        waiting,
    )


class VisitColumns:
    """Columns of the list and read-only lines of the page, for AppointmentAdmin."""

    @admin.display(description=_("when"), ordering="start_at")
    def when(self, visit):
        start, end = visit.local_start, visit.local_end
        hours = f"{clock.wall(start)}–{clock.wall(end)}"
        return format_html('<span class="desk-when">{}, {}</span>', date_format(start, "D j M"), hours)

    @admin.display(description=_("where"))
    def site(self, visit):
        return " · ".join(filter(None, (str(visit.location), str(visit.room or ""))))

    @admin.display(description=_("status"), ordering="status")
    def state(self, visit):
        return status_badge(visit)

    @admin.display(description=_("patient"))
    def who(self, visit):
        url = reverse("admin:clinic_patient_change", args=[visit.patient_id])
        contact = " · ".join(filter(None, (visit.patient.mobile, visit.patient.phone, visit.patient.email)))
        return format_html(
            '<a href="{}" class="desk-link">{}</a> <span class="desk-subtle">{}</span>', url, visit.patient, contact
        )

    @admin.display(description=_("service"))
    def what(self, visit):
        return visit.service

    @admin.display(description=_("practitioner"))
    def with_whom(self, visit):
        return visit.practitioner

    @admin.display(description=_("where"))
    def where(self, visit):
        units = [str(use.equipment) for use in visit.equipment_uses.select_related("equipment")]
        place = (
            f"{visit.room} ({visit.place}/{visit.room.places})" if visit.room and visit.room.places > 1 else visit.room
        )
        return " · ".join([str(visit.location), *([str(place)] if place else []), *units])

    @admin.display(description=_("price"))
    def price(self, visit):
        return f"{localize(visit.price_quoted)} {visit.location.organization.currency}"

    @admin.display(description=_("booked"))
    def booked(self, visit):
        return f"{date_format(timezone.localtime(visit.created_at), 'j M Y, H:i')} · {visit.get_source_display()}"

    @admin.display(description=_("exceptions"))
    def exceptions(self, visit):
        words = {
            "overlap": _("deliberate overlap"),
            "outside_hours": _("outside hours"),
            "past": _("entered afterwards"),
        }
        said = [str(words.get(code, code)) for code in visit.accepted]
        if visit.overlap_reason:
            said.append(f"“{visit.overlap_reason}”")
        return ", ".join(said) or "—"

    @admin.display(description=_("status changes"))
    def changes(self, visit):
        rows = visit.status_changes.select_related("by").order_by("at", "pk")
        return format_html(
            '<ol class="desk-changes">{}</ol>',
            format_html_join(
                "",
                "<li><b>{}</b> <span class='desk-subtle'>{} · {}</span> {} {}</li>",
                (
                    (
                        change.get_new_display() if change.verb != "move" else _("moved"),
                        date_format(timezone.localtime(change.at), "j M Y, H:i"),
                        change.by or _("automatic"),
                        change.reason,
                        f"“{change.message}”" if change.message else "",
                    )
                    for change in rows
                ),
            ),
        )
