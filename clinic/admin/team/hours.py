"""One page for a practitioner's hours: weekly with breaks and alternating weeks, extra hours, time off."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from clinic import actor, permissions
from clinic.admin.base.effects import Effect
from clinic.admin.base.rebooking import tell_of_displaced
from clinic.admin.base.refusals import REFUSALS, refusal_of
from clinic.admin.team.absences import own_practitioner
from clinic.admin.team.hours_copy import CopyPage
from clinic.admin.team.hours_forms import RHYTHM, BlockForm, ExtraForm, WeekForm
from clinic.models import ExtraHours, Location, Practitioner, TimeOff, WorkingHours
from clinic.services import absences, hours
from clinic.services.scheduling import rebooking

# The input that says how many weeks of hours were sent, and how many are read.
WEEKS, MOST_WEEKS = "weeks", 40


@dataclass(frozen=True)
class Keeps:
    """What somebody may do with the hours of one practitioner."""

    sees: bool
    hours: bool
    blocks: bool
    frees: bool

    @classmethod
    def of(cls, user, practitioner: Practitioner) -> Keeps:
        def may(verb, *models):
            scopes = [permissions.scope(user, verb, model) for model in models]
            own = practitioner.user_id == user.pk
            return all(scope == permissions.ANY or (own and scope == permissions.OWN_ONLY) for scope in scopes)

        changes = all(may(verb, WorkingHours, ExtraHours) for verb in ("add", "change", "delete"))
        return cls(
            sees=may("view", WorkingHours, ExtraHours, TimeOff),
            hours=changes,
            blocks=may("add", TimeOff) and may("change", TimeOff),
            frees=may("delete", TimeOff),
        )


class Timetables:
    """The forms of the page; together valid, together saved."""

    def __init__(self, practitioner: Practitioner, keeps: Keeps, data=None):
        self.practitioner, self.keeps, self.data = practitioner, keeps, data
        self.today = timezone.localdate()

    def _rows(self, prefix, form, queryset, *, extra, removable, **options):
        made = forms.modelformset_factory(queryset.model, form=form, extra=extra, can_delete=removable)
        given = {"practitioner": self.practitioner, **options}
        return made(self.data, queryset=queryset, prefix=prefix, form_kwargs=given)

    @cached_property
    def places(self) -> list[Location]:
        """Where somebody can work: the own locations and those of the hours there are; of somebody new all."""
        own = Q(practitioners=self.practitioner) | Q(working_hours__practitioner=self.practitioner)
        found = Location.objects.active().filter(own | Q(extra_hours__practitioner=self.practitioner)).distinct()
        return list(found) or list(Location.objects.active())

    @cached_property
    def weeks(self) -> list[WeekForm]:
        """A form for each rhythm and validity that there is, and an empty one for another."""
        # What is over says nothing any more.
        rows = self.practitioner.working_hours.filter(Q(valid_until=None) | Q(valid_until__gte=self.today))
        rows = list(rows.select_related("location").order_by("valid_from", "every_weeks", "weekday", "starts", "pk"))
        found = self._grouped(rows) if self.data is None else self._posted(rows)
        return [
            WeekForm(self.data, prefix=f"week-{number}", rows=group, places=self.places)
            for number, group in enumerate(found)
        ]

    @property
    def has_weekly(self) -> bool:
        return any(week.rows for week in self.weeks)

    def _grouped(self, rows):
        groups: dict[tuple, list] = {}
        for row in rows:
            groups.setdefault(tuple(getattr(row, name) for name in RHYTHM), []).append(row)
        return [*groups.values(), []]

    def _posted(self, rows):
        """The weeks as they were sent: a row that has gone since is simply new again."""
        known = {str(row.pk): row for row in rows}
        count = self.data.get(WEEKS, "")
        count = min(int(count), MOST_WEEKS) if count.isascii() and count.isdigit() else 0
        asked = [self.data.get(f"week-{number}-rows", "").split(",") for number in range(count)]
        return [[known.pop(key) for key in keys if key in known] for keys in asked]

    @cached_property
    def extra(self):
        rows = (
            self.practitioner.extra_hours.filter(on__gte=self.today).select_related("location").order_by("on", "starts")
        )
        return self._rows("extra", ExtraForm, rows, extra=1, removable=True, places=self.places)

    @cached_property
    def blocks(self):
        rows = self.practitioner.time_off.filter(end_at__gte=timezone.now()).order_by("start_at", "pk")
        zones = absences.zones(self.practitioner)
        return self._rows("blocks", BlockForm, rows, extra=1, removable=self.keeps.frees, zones=zones)

    @property
    def parts(self):
        found = [*self.weeks, self.extra] if self.keeps.hours else []
        return [*found, self.blocks] if self.keeps.blocks else found

    def is_valid(self) -> bool:
        # Every part is looked at, so that all that is wrong is said at once.
        valid = [part.is_valid() for part in self.parts]
        return all(valid) and (not self.keeps.hours or self._apart())

    def _kept(self, formset):
        gone = set(formset.deleted_forms)
        return [form for form in formset.forms if form not in gone and (form.instance.pk or form.has_changed())]

    def _apart(self) -> bool:
        """Does no row overlap another? Where one does, both are named beside the later."""
        form_of = {id(form.instance): (form, None) for form in self._kept(self.extra)}
        form_of |= {key: (week, name) for week in self.weeks for key, name in week.said.items()}
        weekly = [row for week in self.weeks for row in week.wanted]
        extra = [form.instance for form in self._kept(self.extra)]
        found = [*hours.clashes(weekly), *hours.clashes(extra)]
        for row, other in found:
            words = {"row": hours.in_words(row), "other": hours.in_words(other)}
            form, field = form_of[id(row)]
            form.add_error(field, _("%(row)s overlaps %(other)s.") % words)
        return not found

    def save(self, *, by) -> None:
        with transaction.atomic():
            if self.keeps.hours:
                timetable = hours.Timetable(
                    weekly=[row for week in self.weeks for row in week.wanted if row.differs],
                    extra=[form.instance for form in self._kept(self.extra) if form.has_changed()],
                    gone=[
                        *(row for week in self.weeks for row in week.gone),
                        *(form.instance for form in self.extra.deleted_forms),
                    ],
                )
                hours.keep(self.practitioner, timetable, by=by)
            if self.keeps.blocks:
                for form in self.blocks.deleted_forms:
                    absences.come_back(form.instance, by=by)
                for form in self._kept(self.blocks):
                    if form.has_changed():
                        form.instance.practitioner = self.practitioner
                        absences.take_off(form.instance, by=by)


class HoursPage(CopyPage):
    """For PractitionerAdmin: the page of anybody's hours, and the way to one's own."""

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("my-hours/", view(self.my_hours_view), name="clinic_practitioner_my_hours"),
            path("<path:object_id>/hours/copy/", view(self.copy_view), name="clinic_practitioner_hours_copy"),
            path("<path:object_id>/hours/", view(self.hours_view), name="clinic_practitioner_hours"),
            *super().get_urls(),
        ]

    def my_hours_view(self, request):
        if not permissions.can(request.user, "view", WorkingHours):
            raise PermissionDenied
        mine = own_practitioner(request.user)
        if mine is None:
            self.message_user(request, _("No practitioner is linked to your sign-in."), messages.WARNING)
            return HttpResponseRedirect(reverse("admin:clinic_practitioner_changelist"))
        return HttpResponseRedirect(reverse("admin:clinic_practitioner_hours", args=[mine.pk]))

    def hours_view(self, request, object_id):
        practitioner = self.get_object_or_refuse(request, object_id)
        keeps = Keeps.of(request.user, practitioner)
        if not keeps.sees:
            raise self._not_found(object_id)
        posted = request.method == "POST"
        if posted and not (keeps.hours or keeps.blocks):
            raise PermissionDenied
        page, refusal, effect = Timetables(practitioner, keeps, request.POST if posted else None), None, None
        if posted and page.is_valid():
            try:
                effect = self._save(request, page)
            except REFUSALS as error:
                refusal = refusal_of(error)
            else:
                if effect is None:
                    return self._saved(request, practitioner)
                # What was saved and taken back left keys on its rows.
                page = Timetables(practitioner, keeps, request.POST)
                page.is_valid()
        request.current_app = self.admin_site.name
        # For the menu.
        request.own_hours = practitioner.user_id == request.user.pk
        context = {
            **self.admin_site.each_context(request),
            "title": _("Hours of %(who)s") % {"who": practitioner},
            "opts": self.opts,
            "original": practitioner,
            "page": page,
            "keeps": keeps,
            "refusal": refusal,
            "effect": effect,
            "wrong": posted,
        }
        return TemplateResponse(request, "admin/team/hours.html", context)

    def _save(self, request, page) -> Effect | None:
        """Save, unless visits would lose their time that the person has not seen: then all is taken back."""
        whose = [page.practitioner.pk]
        with transaction.atomic():
            before = rebooking.displaced(practitioners=whose)
            page.save(by=actor.current())
            effect = Effect.of(request, rebooking.displaced(practitioners=whose) - before)
            if effect is not None:
                transaction.set_rollback(True)
        return effect

    def _saved(self, request, practitioner):
        self.message_user(request, _("The hours are saved."), messages.SUCCESS)
        tell_of_displaced(self, request, practitioner=practitioner.pk)
        return HttpResponseRedirect(request.path)
