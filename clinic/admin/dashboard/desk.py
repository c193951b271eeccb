"""Cards for the day's work: what waits, when there is time next, what was done lately."""

from __future__ import annotations

import datetime as dt

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import permissions
from clinic.admin.dashboard.card import Card
from clinic.admin.dashboard.content import Content, Fact, Item
from clinic.admin.scheduling import lists
from clinic.insights import dashboard
from clinic.models import Appointment, Service, StatusChange
from clinic.services.scheduling import clock, slots


class WaitingCard(Card):
    name = "waiting"
    title = gettext_lazy("Waiting for you")
    icon = "hourglass_top"
    help = gettext_lazy(
        "Requests that nobody has answered, and visits whose time is over without anybody having said what became of "
        "them. Counted now, for all days and locations."
    )

    def content(self) -> Content:
        waiting = lists.waiting(self.asked.request)
        labels = [(lists.REQUESTS, _("Requests")), (lists.UNRESOLVED, _("To resolve"))]
        page = reverse("admin:clinic_appointment_changelist")
        return Content(
            facts=[
                Fact(
                    label,
                    f"{lists.COUNTED}+" if waiting[cut] > lists.COUNTED else str(waiting[cut]),
                    "" if waiting[cut] else str(lists.EMPTY[cut]),
                    f"{page}?show={cut}",
                )
                for cut, label in labels
            ]
        )


class NextFreeCard(Card):
    name = "next-free"
    title = gettext_lazy("Next free times")
    icon = "event_available"
    model = Service
    help = gettext_lazy(
        "From now on, whatever the period above: the first time at which somebody who offers the service, a room and "
        "the equipment are free. The first services of the catalogue."
    )
    MOST_SERVICES, DAYS = 6, 14

    def is_shown(self) -> bool:
        return super().is_shown() and permissions.scope(self.asked.user, "view", Appointment) is not None

    def content(self) -> Content:
        asked = self.asked
        people = list(asked.people) if asked.sees_own_only else None
        offered = Service.objects.active().filter(offerings__isnull=False)
        if people is not None:
            offered = offered.filter(offerings__practitioner__in=people)
        services = list(offered.distinct()[: self.MOST_SERVICES])
        if not services:
            return Content(empty=_("Nobody offers a service yet."))
        last_on = asked.today + dt.timedelta(days=self.DAYS - 1)
        found = slots.first_of_each(
            [service.pk for service in services],
            first_on=asked.today,
            last_on=last_on,
            practitioners=people,
            locations=asked.measured,
            at=asked.at,
        )
        return Content(items=[self._item(service, found[service.pk]) for service in services])

    def _item(self, service: Service, slot: slots.Slot | None) -> Item:
        if slot is None:
            return Item(str(service), _("nothing free in the next %d days") % self.DAYS)
        places = {place.pk: place for place in self.asked.locations}
        place = places[slot.location_id]
        local = slot.start_at.astimezone(place.zone)
        who = self.asked.people.get(slot.practitioner_id)
        detail = [str(who)] if who and not self.asked.sees_own_only else []
        detail += [place.name] if len(self.asked.measured) > 1 else []
        address = ""
        if permissions.can(self.asked.user, "book", Appointment):
            query = {"service": service.pk, "on": local.date().isoformat(), "location": place.pk}
            address = f"{reverse('admin:clinic_appointment_add')}?{urlencode(query)}"
        when = f"{date_format(local, 'D j M')}, {clock.wall(local)}"
        return Item(str(service), when, address, " · ".join(detail))


class ActivityCard(Card):
    name = "activity"
    title = gettext_lazy("Recent activity")
    icon = "history"
    model = StatusChange
    help = gettext_lazy("What was done with visits lately, whatever the period above; the latest first.")
    MOST = 8

    def content(self) -> Content:
        rows = dashboard.activity(self.asked.user, location=self.asked.where, most=self.MOST, at=self.asked.at)
        if not rows:
            return Content(empty=_("Nothing was done with visits lately."))
        return Content(items=[self._item(row) for row in rows])

    def _item(self, row: StatusChange) -> Item:
        visit = row.appointment
        at = timezone.localtime(row.at, self.asked.zone)
        when = f"{at:%H:%M}" if at.date() == self.asked.today else date_format(at, "j M, H:i")
        what = _("moved to %s") % _moment(visit) if row.verb == "move" else f"{row.get_new_display()}, {_moment(visit)}"
        return Item(
            str(visit.patient),
            what,
            reverse("admin:clinic_appointment_change", args=[visit.pk]),
            " · ".join(filter(None, [when, str(row.by or "")])),
        )


def _moment(visit: Appointment) -> str:
    return f"{date_format(visit.local_start, 'D j M')}, {clock.wall(visit.local_start)}"
