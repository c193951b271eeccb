"""One week of hours, copied to another week or to somebody else: first shown, then done."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import actor, permissions
from clinic.admin.base.effects import SEEN, Effect
from clinic.admin.base.forms import DATE_FORMATS, Refusable, dress
from clinic.admin.base.rebooking import tell_of_displaced
from clinic.admin.base.refusals import REFUSALS, refusal_of
from clinic.admin.scheduling.times import check_day
from clinic.models import Practitioner, Weekday, WorkingHours
from clinic.services import hours
from clinic.services.scheduling import rebooking


class CopyForm(Refusable, forms.Form):
    """From which week, to whom, from when, for how long."""

    week_on = forms.DateField(
        label=gettext_lazy("The hours of the week of"),
        input_formats=DATE_FORMATS,
        validators=[check_day],
        help_text=gettext_lazy("Any day of the week."),
    )
    target = forms.ModelChoiceField(Practitioner.objects.none(), label=gettext_lazy("For"), empty_label=None)
    into = forms.DateField(
        label=gettext_lazy("Into the week of"),
        input_formats=DATE_FORMATS,
        validators=[check_day],
        help_text=gettext_lazy("Any day of the week."),
    )
    only_once = forms.TypedChoiceField(
        label=gettext_lazy("How long"),
        choices=[(1, gettext_lazy("in that week only")), (0, gettext_lazy("from that week on"))],
        coerce=lambda value: value == "1",
        help_text=gettext_lazy("Hours of that time are replaced; extra hours are copied for a single week only."),
    )

    def __init__(self, *args, source, targets, **kwargs):
        monday = hours.monday(timezone.localdate())
        first = {"week_on": monday, "target": source.pk, "into": monday + dt.timedelta(weeks=1), "only_once": 1}
        super().__init__(*args, initial=first, **kwargs)
        self.fields["target"].queryset = targets
        for field in self.fields.values():
            dress(field)


class CopyPage:
    """For PractitionerAdmin."""

    def copy_view(self, request, object_id):
        if permissions.scope(request.user, "change", WorkingHours) is None:
            raise PermissionDenied
        source, targets = self.get_object_or_refuse(request, object_id), _targets(request.user)
        sees_all = permissions.scope(request.user, "view", WorkingHours) == permissions.ANY
        if not sees_all and source.user_id != request.user.pk:
            raise self._not_found(object_id)
        form = CopyForm(request.POST or None, source=source, targets=targets)
        shown = {}
        if request.method == "POST" and form.is_valid():
            try:
                shown = self._copy(request, source, **form.cleaned_data)
            except REFUSALS as error:
                refusal_of(error).blame(form)
            else:
                if not shown:
                    return self._copied(request, form.cleaned_data["target"])
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": _("Copy hours of %(who)s") % {"who": source},
            "opts": self.opts,
            "original": source,
            "form": form,
            **shown,
        }
        return TemplateResponse(request, "admin/team/hours_copy.html", context)

    def _copy(self, request, source, *, target, into, **asked) -> dict:
        """Copy, unless the person has not seen what comes of it: then all is taken back, and the page shows it."""
        with transaction.atomic():
            before, visits = _days(target, into), rebooking.displaced(practitioners=[target.pk])
            hours.copy(source, target, into=into, by=actor.current(), **asked)
            after = _days(target, into)
            lost = rebooking.displaced(practitioners=[target.pk]) - visits
            effect = Effect.of(request, lost, about=repr((target.pk, into, asked, after)))
            if effect is None:
                return {}
            transaction.set_rollback(True)
        days = [(weekday.label, *lines) for weekday, *lines in zip(Weekday, before, after, strict=True)]
        return {"effect": effect, "days": days, "target": target, "first_on": hours.monday(into), "seen": SEEN}

    def _copied(self, request, target):
        self.message_user(request, _("Copied: %(who)s") % {"who": target}, messages.SUCCESS)
        tell_of_displaced(self, request, practitioner=target.pk)
        return HttpResponseRedirect(reverse("admin:clinic_practitioner_hours", args=[target.pk]))


def _targets(user):
    """Those whose hours somebody may change."""
    everybody = Practitioner.objects.active()
    granted = permissions.scope(user, "change", WorkingHours)
    return everybody if granted == permissions.ANY else everybody.filter(user=user)


def _days(practitioner, on) -> list[list[str]]:
    """The hours of a week in words, day by day."""
    weekly, extra = hours.in_week(practitioner, on)
    found: list[list[tuple]] = [[] for _day in Weekday]
    for row in weekly:
        found[row.weekday].append((row.starts, row.ends, str(row.location)))
    for row in extra:
        found[row.on.weekday()].append((row.starts, row.ends, str(row.location)))
    return [[f"{starts:%H:%M}–{ends:%H:%M} {place}" for starts, ends, place in sorted(day)] for day in found]
