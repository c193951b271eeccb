"""Forms around a visit: booking, walk-in, moving, and the reasons that some buttons ask for."""

import uuid

from django import forms
from django.forms.models import construct_instance
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.admin.base import ActionForm, ClinicForm
from clinic.admin.base.forms import Chosen, read_chosen
from clinic.admin.scheduling.times import TimesForm, own_practitioners
from clinic.models import Appointment, Location, Practitioner, ReferralSource, Room
from clinic.services.scheduling import answers

REFERRAL = [
    "referral_source",
    "referrer",
    "referring_doctor",
    "referral_reason",
    "referral_received_on",
    "referral_document",
]


class _ReferralForm(ClinicForm):
    """Who sent the patient: somebody on the list, or a name alone."""

    def clean(self):
        cleaned = super().clean()
        doctor = cleaned.get("referrer")
        # Once written, the name stays as it was that day: a note corrected later must not renew it.
        if doctor and "referrer" in self.changed_data:
            cleaned["referring_doctor"] = str(doctor)
        if not cleaned.get("referral_source") and cleaned.get("referring_doctor"):
            cleaned["referral_source"] = ReferralSource.DOCTOR
        return cleaned


class DetailsForm(_ReferralForm):
    """What may still be written on a visit that is booked."""

    class Meta:
        model = Appointment
        fields = ["reason", "desk_note", *REFERRAL]


class WalkInForm(ClinicForm):
    """Three fields for somebody who stands at the desk; the time is now."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    class Meta:
        model = Appointment
        fields = ["patient", "service", "practitioner", "location", "reason"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["practitioner"].required = False
        self.fields["practitioner"].widget.attrs["data-placeholder"] = _("anyone free now")


class _MomentForm(TimesForm):
    """What a rule says about the start belongs beside the input that it came from: offered, or typed."""

    @property
    def said_by(self):
        typed = bool(self.data.get(self.add_prefix("starts")))
        return {"start_at": "starts", "end_at": "ends"} if typed else {"start_at": "slot", "end_at": "slot"}


class BookingForm(_MomentForm, _ReferralForm):
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
            *REFERRAL,
        ]
        field_classes = dict.fromkeys(["patient", "service", "practitioner", "location", "room", "referrer"], Chosen)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["practitioner"].required = False
        self.fields["practitioner"].widget.attrs["data-placeholder"] = _("anyone")
        self.fields["on"].initial = timezone.localdate()
        self.prepare_times(self.user)

    def clean(self):
        cleaned = super().clean()
        chosen = self.read_time(cleaned, cleaned.get("location"))
        self.take_place(cleaned, chosen)
        start, end, who, _where = chosen
        if who is not None and (cleaned.get("practitioner") is None or cleaned["practitioner"].pk != who):
            cleaned["practitioner"] = own_practitioners(self.user).filter(pk=who).first()
            if cleaned["practitioner"] is None:
                self.add_error("slot", _("Choose one of the free times, or type another."))
        elif start and not cleaned.get("practitioner") and "practitioner" not in self.errors:
            self.add_error("practitioner", _("Choose who treats, or one of the free times."))
        cleaned["start_at"], cleaned["end_at"] = start, end
        return cleaned

    def _clean_fields(self):
        read_chosen(self)
        super()._clean_fields()

    def fill(self):
        # The inputs were validated as such. The row is not whole yet: its rules are the service's and the database's.
        self.instance = construct_instance(self, self.instance, self._meta.fields, self._meta.exclude)
        for name in ("start_at", "end_at"):
            setattr(self.instance, name, self.cleaned_data.get(name))


class MoveForm(_MomentForm, ActionForm):
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
        chosen = self.read_time(cleaned, cleaned.get("location"))
        self.take_place(cleaned, chosen)
        start, end, who, _where = chosen
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


class _AnswerForm(ActionForm):
    """What the patient is to read; begins with the usual words, in the patient's language."""

    verb = ""
    message = forms.CharField(
        label=gettext_lazy("Message to the patient"),
        max_length=1000,
        required=False,
        widget=forms.Textarea,
        help_text=gettext_lazy("Kept with the visit. It is not sent by itself."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["message"].initial = answers.usual(self.obj, self.verb)
        self.fields["message"].widget.attrs["rows"] = 5

    def arguments(self):
        # A button without the form means the usual words, an emptied form none.
        return {"message": self.cleaned_data["message"] if "message" in self.data else None}


class ApprovalForm(_AnswerForm):
    verb = "approve"


class DeclineForm(_AnswerForm):
    verb = "decline"


class CancelForm(ActionForm):
    cancelled_by = forms.ChoiceField(
        label=gettext_lazy("Who cancels?"), choices=Appointment.CancelledBy, initial=Appointment.CancelledBy.PATIENT
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)
