"""Forms around a visit: booking, walk-in, moving, and the reasons that some buttons ask for."""

import datetime as dt
import uuid

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.admin.base import ActionForm, ClinicForm
from clinic.admin.scheduling.times import TimesForm, own_practitioners
from clinic.models import Appointment, Location, Practitioner, Room


class DetailsForm(ClinicForm):
    """What may still be written on a visit that is booked."""

    class Meta:
        model = Appointment
        fields = ["reason", "desk_note", "referring_doctor", "referral_reason", "referral_received_on"]


class WalkInForm(ClinicForm):
    """Three fields for somebody who stands at the desk; the time is now."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    class Meta:
        model = Appointment
        fields = ["patient", "service", "practitioner", "location", "reason"]


class BookingForm(TimesForm, ClinicForm):
    """A new visit. `key` makes a form that is sent twice book once."""

    user = None
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    class Meta:
        model = Appointment
        fields = [
            "patient",
            "service",
            "practitioner",
            "location",
            "room",
            "reason",
            "desk_note",
            "referring_doctor",
            "referral_reason",
            "referral_received_on",
        ]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["practitioner"].required = False
        self.fields["practitioner"].widget.attrs["data-placeholder"] = _("anyone")
        self.fields["on"].initial = timezone.localdate()
        self.prepare_times(self.user)

    def clean(self):
        cleaned = super().clean()
        start, end, who = self.read_time(cleaned, cleaned.get("location"))
        if who is not None:
            cleaned["practitioner"] = own_practitioners(self.user).filter(pk=who).first()
            if cleaned["practitioner"] is None:
                self.add_error("slot", _("Choose one of the free times, or type another."))
        elif start and not cleaned.get("practitioner") and "practitioner" not in self.errors:
            self.add_error("practitioner", _("Choose who treats, or one of the free times."))
        cleaned["start_at"], cleaned["end_at"] = start, end
        return cleaned

    def _post_clean(self):
        super()._post_clean()
        for name in ("start_at", "end_at"):
            setattr(self.instance, name, self.cleaned_data.get(name))


class MoveForm(TimesForm, ActionForm):
    """Another time, practitioner, location or room for a visit."""

    practitioner = forms.ModelChoiceField(Practitioner.objects.none(), label=gettext_lazy("Practitioner"))
    location = forms.ModelChoiceField(Location.objects.none(), label=gettext_lazy("Location"))
    room = forms.ModelChoiceField(
        Room.objects.none(),
        label=gettext_lazy("Room"),
        required=False,
        empty_label=gettext_lazy("the same, or one that is free"),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=500)

    field_order = ["practitioner", "location", "on", "part", "slot", "starts", "ends", "room", "reason"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        visit, user = self.obj, self.request.user
        offering = own_practitioners(user).filter(offerings__service=visit.service_id)
        self.fields["practitioner"].queryset = offering
        self.fields["location"].queryset = Location.objects.active()
        self.fields["room"].queryset = Room.objects.active().select_related("location")
        self.fields["room"].label_from_instance = lambda room: f"{room} · {room.location}"
        for name, value in {
            "practitioner": visit.practitioner_id,
            "location": visit.location_id,
            "on": max(visit.local_start.date(), timezone.localdate()),
        }.items():
            self.fields[name].initial = self.initial.setdefault(name, value)
        self.prepare_times(user, moving=visit, service=visit.service_id, patient=visit.patient_id)

    def clean(self):
        cleaned = super().clean()
        start, end, who = self.read_time(cleaned, cleaned.get("location"))
        if who is not None:
            cleaned["practitioner"] = self.fields["practitioner"].queryset.filter(pk=who).first()
            if cleaned["practitioner"] is None:
                self.add_error("slot", _("Choose one of the free times, or type another."))
        cleaned["start_at"], cleaned["end_at"] = start, end
        return cleaned

    def arguments(self):
        names = ("start_at", "end_at", "practitioner", "location", "room", "reason")
        return {name: self.cleaned_data[name] for name in names}


class ReasonForm(ActionForm):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)


class OptionalReasonForm(ActionForm):
    reason = forms.CharField(
        label=gettext_lazy("Message to the patient"), max_length=500, required=False, widget=forms.Textarea({"rows": 3})
    )


class CancelForm(ActionForm):
    cancelled_by = forms.ChoiceField(
        label=gettext_lazy("Who cancels?"), choices=Appointment.CancelledBy, initial=Appointment.CancelledBy.PATIENT
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)


def is_today(visit, at: dt.datetime | None = None) -> bool:
    """Is it the visit's day on the clock of its location?"""
    return (at or timezone.now()).astimezone(visit.local_start.tzinfo).date() == visit.local_start.date()
