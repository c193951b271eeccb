"""Cards about visits: how many, how many were missed, whose."""

from __future__ import annotations

from collections import Counter

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from clinic.admin.dashboard.card import Card
from clinic.admin.dashboard.content import (
    Content,
    Fact,
    Table,
    count,
    in_steps,
    percent,
    stacked,
    versus,
    versus_share,
)
from clinic.insights.dashboard import ATTENDED, CALLED_OFF, PLANNED
from clinic.models import Appointment

_S = Appointment.Status


class VisitsCard(Card):
    name = "visits"
    title = gettext_lazy("Visits")
    icon = "event_note"
    wide = True
    help = gettext_lazy(
        "Every visit whose day lies in the period, by the status it has now. “Took place”: the patient arrived. “To "
        "come or open”: requested, scheduled or confirmed, also of past days, until somebody says what became of it. "
        "“Called off”: cancelled, declined or expired. Before: as many days, just before the period."
    )

    def content(self) -> Content:
        now, before = self.asked.figures.now, self.asked.figures.before
        if not now.total and not before.total:
            return Content(empty=_("No visits in this period, nor in the one before."))
        groups = [
            (_("Took place"), "var(--color-primary-600)", ATTENDED),
            (_("To come or open"), "var(--color-primary-300)", PLANNED),
            (_("Missed"), "var(--color-orange-600)", (_S.NO_SHOW,)),
            (_("Called off"), "var(--color-base-400)", CALLED_OFF),
        ]
        steps = in_steps(self.asked.span, self.asked.figures.days)
        return Content(
            facts=[
                Fact(
                    label,
                    count(now.count(statuses)),
                    # What is past is hardly open any more: nothing to be compared.
                    "" if statuses is PLANNED else versus(now.count(statuses), before.count(statuses)),
                )
                for label, _colour, statuses in groups
            ],
            **stacked(
                [label for label, _counts in steps],
                [
                    (label, colour, [_sum(counts, statuses) for _step, counts in steps])
                    for label, colour, statuses in groups
                ],
            ),
            tables=[
                Table(
                    _("The chart as a table"),
                    [_("Days"), *(label for label, _colour, _statuses in groups)],
                    [[label, *(count(_sum(counts, group[2])) for group in groups)] for label, counts in steps],
                ),
                Table(
                    _("By status"),
                    [_("Status"), _("Visits"), pgettext("period", "Before")],
                    [
                        *(
                            [status.label.capitalize(), count(now.statuses[status]), count(before.statuses[status])]
                            for status in _S
                            if now.statuses[status] or before.statuses[status]
                        ),
                        [_("All"), count(now.total), count(before.total)],
                    ],
                ),
            ],
        )


class MissedCard(Card):
    name = "missed"
    title = gettext_lazy("Missed and cancelled late")
    icon = "event_busy"
    management = True
    help = gettext_lazy(
        "No-show rate: visits marked as no-show, of these and the ones that took place. Cancelled late: visits that "
        "the patient cancelled inside the cancellation window, of these, the missed ones and the ones that took place. "
        "Visits whose outcome nobody has said count in neither."
    )

    def content(self) -> Content:
        now, before = self.asked.figures.now, self.asked.figures.before
        if not (now.attended or now.missed or now.late or before.attended or before.missed or before.late):
            return Content(empty=_("No visit of these days has an outcome yet."))
        rows = [
            (_("Took place"), now.attended, before.attended),
            (_("Missed"), now.missed, before.missed),
            (_("Cancelled late"), now.late, before.late),
        ]
        return Content(
            facts=[
                Fact(
                    _("No-show rate"),
                    percent(now.no_show_rate),
                    versus_share(now.no_show_rate, before.no_show_rate),
                ),
                Fact(_("Cancelled late"), percent(now.late_rate), versus_share(now.late_rate, before.late_rate)),
            ],
            tables=[
                Table(
                    _("What the rates are made of"),
                    [_("Outcome"), _("Visits"), pgettext("period", "Before")],
                    [[label, count(one), count(other)] for label, one, other in rows],
                )
            ],
        )


class PatientsCard(Card):
    name = "patients"
    title = gettext_lazy("Patients")
    icon = "groups"
    management = True
    help = gettext_lazy(
        "Active: patients who came to a visit in the period, each once. New: those of them who had never come before; "
        "to any location, whichever is chosen above. Who sees own visits only is told of own patients only."
    )

    def content(self) -> Content:
        now, before = self.asked.patients
        if not now.active and not before.active:
            return Content(empty=_("Nobody has come in these days yet."))
        rows = [(_("Active patients"), now.active, before.active), (_("New patients"), now.new, before.new)]
        return Content(facts=[Fact(label, count(one), versus(one, other)) for label, one, other in rows])


def _sum(counts: Counter, statuses) -> int:
    return sum(counts[status] for status in statuses)
