"""Time off of practitioners, rooms, equipment and locations, said on the clock of the place it happens at."""

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic import permissions
from clinic.admin.base import ClinicAdmin, ClinicForm
from clinic.admin.base.effects import show_before
from clinic.admin.base.forms import dress
from clinic.admin.base.rebooking import lead_to_worklist
from clinic.exceptions import RuleBroken
from clinic.models import Location, TimeOff
from clinic.services import absences


class SpanForm(ClinicForm):
    """Days, with times where it is not whole ones. `zone_of` says on whose clock."""

    first_on = forms.DateField(label=gettext_lazy("First day"))
    starts = forms.TimeField(
        label=capfirst(gettext_lazy("from")), required=False, help_text=gettext_lazy("Empty: the whole day.")
    )
    last_on = forms.DateField(
        label=gettext_lazy("Last day"), required=False, help_text=gettext_lazy("Empty: the same day.")
    )
    ends = forms.TimeField(label=capfirst(gettext_lazy("until")), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("first_on", "starts", "last_on", "ends"):
            dress(self.fields[name])
        if self.instance.pk:
            said = absences.said(self.instance)
            said["last_on"] = said["last_on"] if said["last_on"] != said["first_on"] else None
            self.initial = {**said, **self.initial}

    def clean(self):
        cleaned = super().clean()
        zone = self.zone_of(cleaned)
        if zone is None or cleaned.get("first_on") is None or self.errors:
            return cleaned
        said = {name: cleaned.get(name) for name in ("first_on", "last_on", "starts", "ends")}
        try:
            self.instance.start_at, self.instance.end_at = absences.moments(zone, **said)
        except RuleBroken as refusal:
            self.add_error(refusal.field, str(refusal))
        except (OverflowError, ValueError):
            # The calendar ends before this day does.
            self.add_error("first_on", _("These days are hardly meant."))
        self.instance.zone = zone
        return cleaned

    def zone_of(self, cleaned) -> str | None:
        """The zone of these times, or None after adding an error."""
        raise NotImplementedError


def clock_field():
    return forms.ModelChoiceField(
        Location.objects.none(),
        label=gettext_lazy("On the clock of"),
        required=False,
        help_text=gettext_lazy("Locations lie in several time zones: whose clock shows these times?"),
    )


def zone_of_practitioner(form, practitioner, place) -> str | None:
    """The chosen place's zone, else the only one there is; several want a choice."""
    if place is not None:
        return place.time_zone
    zones = absences.zones(practitioner) or several_zones()
    if len(zones) == 1:
        return zones[0]
    if form.instance.zone in zones:
        return form.instance.zone
    form.add_error("clock_of", _("%(who)s works in several time zones: say on whose clock.") % {"who": practitioner})
    return None


def several_zones() -> list[str]:
    """The zones of the clinic's locations."""
    return list(dict.fromkeys(Location.objects.active().order_by("name").values_list("time_zone", flat=True)))


class TimeOffForm(SpanForm):
    # Set by the screen: whoever may block own time only has no choice whose.
    own = None
    clock_of = clock_field()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.own is not None:
            self.instance.practitioner = self.own
        self.fields["clock_of"].queryset = Location.objects.active()
        dress(self.fields["clock_of"])

    def zone_of(self, cleaned):
        practitioner = self.own or cleaned.get("practitioner")
        if practitioner is not None:
            return zone_of_practitioner(self, practitioner, cleaned.get("clock_of"))
        thing = cleaned.get("room") or cleaned.get("equipment")
        place = thing.location if thing else cleaned.get("location")
        # Without any subject the constraint says what is missing.
        return place.time_zone if place else None


@admin.register(TimeOff)
class TimeOffAdmin(ClinicAdmin):
    form = TimeOffForm
    list_display = ["subject_name", "begins", "finishes", "reason"]
    list_select_related = ["practitioner", "room", "equipment", "location"]
    list_filter = ["location"]
    date_hierarchy = None
    empty = gettext_lazy("No time off yet. Add holidays, illness, or a room under repair.")

    def get_fieldsets(self, request, obj=None):
        when = [("first_on", "starts"), ("last_on", "ends")]
        if len(several_zones()) > 1:
            when.append("clock_of")
        shown = [(gettext_lazy("When"), {"fields": [*when, "reason"]})]
        if obj is not None and not self.has_change_permission(request, obj):
            facts = [*TimeOff.SUBJECTS, "begins", "finishes", "reason"]
            return [(None, {"fields": facts})]
        if own_only(request):
            return shown
        subjects = {"fields": [*TimeOff.SUBJECTS], "description": gettext_lazy("Exactly one of the four.")}
        return [(gettext_lazy("Who or what"), subjects), *shown]

    def get_readonly_fields(self, request, obj=None):
        readable = obj is not None and not self.has_change_permission(request, obj)
        return ["begins", "finishes"] if readable else []

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        own = own_practitioner(request.user) if own_only(request) else None
        return type(form.__name__, (form,), {"own": own})

    def has_add_permission(self, request):
        allowed = super().has_add_permission(request)
        return allowed and not (own_only(request) and own_practitioner(request.user) is None)

    @admin.display(description=gettext_lazy("who or what"))
    def subject_name(self, time_off):
        return str(time_off.subject)

    @admin.display(description=gettext_lazy("from"), ordering="start_at")
    def begins(self, time_off):
        said = absences.said(time_off)
        return on_the_clock(said["first_on"], said["starts"], time_off)

    @admin.display(description=gettext_lazy("until"), ordering="end_at")
    def finishes(self, time_off):
        said = absences.said(time_off)
        return on_the_clock(said["last_on"], said["ends"], time_off)

    def store(self, request, obj, form, change, by, **accepted):
        show_before(request, absences.newly_hit(obj).values_list("pk", flat=True))
        absences.take_off(obj, by=by)
        count = absences.visits_hit(obj).count()
        if count:
            sentence = ngettext(
                "%d visit lies in this time: rebook it.", "%d visits lie in this time: rebook them.", count
            )
            asked = {name: getattr(obj, f"{name}_id") for name in ("practitioner", "location")}
            lead_to_worklist(self, request, sentence % count, **{name: key for name, key in asked.items() if key})


def own_only(request) -> bool:
    return permissions.scope(request.user, "add", TimeOff) == permissions.OWN_ONLY


def own_practitioner(user):
    try:
        return user.practitioner
    except ObjectDoesNotExist:
        return None


def on_the_clock(day, clock, time_off) -> str:
    """A day, its time unless it is whole, and the place of the clock where that is not the clinic's own."""
    words = date_format(day, "D j M Y")
    if clock is not None:
        words += f", {clock:%H:%M}"
    elsewhere = time_off.zone and time_off.zone != settings.TIME_ZONE
    return f"{words} ({time_off.zone.split('/')[-1].replace('_', ' ')})" if elsewhere else words
