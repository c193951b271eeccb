"""The appointment: its time, what it keeps busy, its status and who may move it between statuses."""

import datetime as dt
import uuid
import zoneinfo

from django.contrib.postgres.constraints import ExclusionConstraint
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.base import Recorded, Words
from clinic.models.expressions import LocalDay, TsTzRange
from clinic.models.patients import Patient
from clinic.models.scheduling.referral import ReferralSource, ReferringDoctor
from clinic.models.scheduling.service import Service
from clinic.models.sites import Equipment, Location, Room
from clinic.models.team import Practitioner


def _midnight(day):
    return dt.datetime.combine(day, dt.time.min, tzinfo=dt.UTC)


class AppointmentQuerySet(models.QuerySet):
    def holding_time(self):
        """Those that keep somebody busy, deliberate overlaps included."""
        return self.filter(status__in=Appointment.HOLDING)

    def upcoming(self, at=None):
        return self.holding_time().filter(start_at__gte=at or timezone.now()).order_by("start_at", "pk")

    def unresolved(self, at=None):
        """Visits whose time is over and of which nobody has said what became of them (S15)."""
        at = at or timezone.now()
        # What ended has started, and starts are indexed.
        return self.filter(status__in=Appointment.OPEN, start_at__lt=at, end_at__lt=at)

    def requests(self):
        return self.filter(status=Appointment.Status.REQUESTED)

    def on_day(self, day):
        return self.on_days(day, day)

    def on_days(self, first=None, last=None):
        """From a day to a day, both included, each by its location's clock."""
        found = self
        # The days are told by starts as well, whose index gives the order of lists. No zone is further from UTC.
        if first:
            found = found.filter(day__gte=first, start_at__gte=_midnight(first) - dt.timedelta(hours=14))
        if last:
            found = found.filter(day__lte=last, start_at__lt=_midnight(last) + dt.timedelta(hours=24 + 12))
        return found


class Appointment(Recorded):
    """One visit. The exclusion constraints are the last word on who can be where; services refuse politely first."""

    class Status(models.TextChoices):
        REQUESTED = "requested", _("requested")
        SCHEDULED = "scheduled", _("scheduled")
        CONFIRMED = "confirmed", _("confirmed")
        ARRIVED = "arrived", _("arrived")
        IN_SESSION = "in_session", _("in session")
        COMPLETED = "completed", _("completed")
        DECLINED = "declined", _("declined")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")
        NO_SHOW = "no_show", _("no-show")

    class Source(models.TextChoices):
        DESK = "desk", _("desk")
        PORTAL = "portal", _("online")
        PHONE = "phone", _("phone")
        IMPORT = "import", _("import")
        API = "api", _("program")

    class CancelledBy(models.TextChoices):
        PATIENT = "patient", _("patient")
        CLINIC = "clinic", _("clinic")

    HOLDING = (
        Status.REQUESTED,
        Status.SCHEDULED,
        Status.CONFIRMED,
        Status.ARRIVED,
        Status.IN_SESSION,
        Status.COMPLETED,
    )
    MOVABLE = (Status.REQUESTED, Status.SCHEDULED, Status.CONFIRMED)
    # Somebody still has to say what became of these.
    OPEN = (Status.REQUESTED, Status.SCHEDULED, Status.CONFIRMED, Status.ARRIVED, Status.IN_SESSION)

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    service = models.ForeignKey(
        Service, models.PROTECT, related_name="appointments", verbose_name=_("service"), db_index=False
    )
    practitioner = models.ForeignKey(
        Practitioner, models.PROTECT, related_name="appointments", verbose_name=_("practitioner"), db_index=False
    )
    location = models.ForeignKey(
        Location, models.PROTECT, related_name="appointments", verbose_name=_("location"), db_index=False
    )
    room = models.ForeignKey(
        Room,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="appointments",
        verbose_name=_("room"),
        db_index=False,
    )
    place = models.PositiveSmallIntegerField(_("place"), default=1, validators=[MinValueValidator(1)])
    patient = models.ForeignKey(
        Patient, models.PROTECT, related_name="appointments", verbose_name=_("patient"), db_index=False
    )
    # A participant points to the head of the class, which alone keeps practitioner and room.
    class_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="participants", db_index=False
    )
    start_at = models.DateTimeField(_("starts"))
    end_at = models.DateTimeField(_("ends"))
    busy_from = models.DateTimeField(_("busy from"), editable=False)
    busy_until = models.DateTimeField(_("busy until"), editable=False)
    zone = models.CharField(_("time zone"), max_length=64, editable=False)
    day = models.GeneratedField(
        expression=LocalDay(F("start_at"), F("zone")),
        output_field=models.DateField(_("day")),
        db_persist=True,
        verbose_name=_("day"),
    )
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.SCHEDULED)
    overlap_reason = models.CharField(_("reason for the overlap"), max_length=200, blank=True)
    accepted = Words(verbose_name=_("accepted exceptions"), editable=False)
    holds = models.GeneratedField(
        expression=Case(
            When(
                Q(
                    status__in=["requested", "scheduled", "confirmed", "arrived", "in_session", "completed"],
                    overlap_reason="",
                ),
                then=Value(True),
            ),
            default=Value(False),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    source = models.CharField(_("source"), max_length=8, choices=Source, default=Source.DESK)
    reason = models.CharField(_("reason for the visit"), max_length=500, blank=True)
    desk_note = models.TextField(_("booking note"), blank=True, max_length=2000)
    referral_source = models.CharField(
        _("source of referral"), max_length=10, choices=ReferralSource, blank=True, default="", db_default=""
    )
    referrer = models.ForeignKey(
        ReferringDoctor,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="appointments",
        verbose_name=_("referring doctor"),
    )
    # As written on that day: of who is on the list, and of who is not.
    referring_doctor = models.CharField(_("name, if not on the list"), max_length=160, blank=True)
    referral_reason = models.CharField(_("referral reason"), max_length=500, blank=True)
    referral_received_on = models.DateField(_("referral received on"), null=True, blank=True)
    referral_document = models.CharField(
        _("number of the document"),
        max_length=80,
        blank=True,
        default="",
        db_default="",
        help_text=_("As the referral bears it, such as the number of an electronic prescription."),
    )
    price_quoted = models.DecimalField(_("price"), max_digits=12, decimal_places=2, default=0)
    # Raised by every move: calendar files (SEQUENCE), messages and ETags tell versions by it.
    version = models.PositiveIntegerField(default=0, editable=False)
    cancelled_by = models.CharField(_("cancelled by"), max_length=8, choices=CancelledBy, blank=True, editable=False)
    late = models.BooleanField(_("cancelled late"), default=False, editable=False)
    created_at = models.DateTimeField(_("booked"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    arrived_at = models.DateTimeField(_("arrived at"), null=True, editable=False)
    started_at = models.DateTimeField(_("started at"), null=True, editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, editable=False)
    old_reference = models.CharField(max_length=80, null=True, blank=True, unique=True, editable=False)

    # No column: true on what answers a request that was sent before.
    repeated = False

    objects = AppointmentQuerySet.as_manager()

    class Meta(Recorded.Meta):
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")
        default_permissions = ("view", "change", "export", "import")
        permissions = [
            ("book_appointment", "book"),
            ("walk_in_appointment", "take in a walk-in"),
            ("approve_appointment", "approve a request"),
            ("decline_appointment", "decline a request"),
            ("move_appointment", "move"),
            ("cancel_appointment", "cancel"),
            ("confirm_appointment", "confirm"),
            ("check_in_appointment", "check in"),
            ("start_appointment", "start"),
            ("complete_appointment", "complete"),
            ("mark_no_show_appointment", "mark as no-show"),
            ("undo_appointment", "undo an arrival or a start"),
            ("reopen_appointment", "reopen"),
            ("overlap_appointment", "overlap deliberately"),
            ("outside_hours_appointment", "book outside hours"),
            ("past_appointment", "book in the past"),
        ]
        ordering = ["-start_at", "-pk"]
        indexes = [
            models.Index(fields=["practitioner", "busy_from"], name="appointment_practitioner"),
            models.Index(fields=["room", "busy_from"], name="appointment_room"),
            models.Index(fields=["patient", "start_at"], name="appointment_patient"),
            models.Index(fields=["-start_at", "-id"], name="appointment_start"),
            # One per filter of the list, in the list's order: what is rare is found without reading what is not.
            models.Index(fields=["location", "start_at", "id"], name="appointment_location"),
            models.Index(fields=["service", "start_at", "id"], name="appointment_service"),
            models.Index(fields=["status", "start_at", "id"], name="appointment_status"),
            models.Index(fields=["source", "start_at", "id"], name="appointment_source"),
            models.Index(
                fields=["referral_source", "start_at", "id"],
                name="appointment_referral_source",
                condition=~Q(referral_source=""),
            ),
            models.Index(
                fields=["referrer", "start_at", "id"],
                name="appointment_referrer",
                condition=Q(referrer__isnull=False),
            ),
            # Few are open and past: none at all is the good case, and must not be found by reading everything.
            models.Index(
                fields=["start_at", "id"],
                name="appointment_open",
                condition=Q(status__in=["requested", "scheduled", "confirmed", "arrived", "in_session"]),
            ),
            models.Index(fields=["class_of"], name="appointment_class", condition=Q(class_of__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="appointment_order",
                condition=Q(busy_from__lte=F("start_at"))
                & Q(end_at__gt=F("start_at"))
                & Q(busy_until__gte=F("end_at")),
                violation_error_message=_("The end must come after the start."),
            ),
            models.CheckConstraint(
                name="appointment_length",
                condition=Q(busy_until__lte=F("busy_from") + Value("24 hours", models.DurationField())),
                violation_error_message=_("An appointment lasts at most a day."),
            ),
            models.CheckConstraint(name="appointment_place", condition=Q(place__gte=1)),
            models.CheckConstraint(name="appointment_price", condition=Q(price_quoted__gte=0)),
            models.CheckConstraint(
                name="appointment_cancelled_by", condition=Q(status="cancelled") ^ Q(cancelled_by="")
            ),
            models.UniqueConstraint(
                fields=["id", "busy_from", "busy_until", "holds"], name="appointment_carries_equipment"
            ),
            ExclusionConstraint(
                name="practitioner_free",
                expressions=[(F("practitioner"), "="), (TsTzRange(F("busy_from"), F("busy_until")), "&&")],
                condition=Q(holds=True, class_of__isnull=True),
                violation_error_message=_("The practitioner is busy at that time."),
            ),
            ExclusionConstraint(
                name="room_free",
                expressions=[
                    (F("room"), "="),
                    (F("place"), "="),
                    (TsTzRange(F("busy_from"), F("busy_until")), "&&"),
                ],
                condition=Q(holds=True, class_of__isnull=True),
                violation_error_message=_("The room is taken at that time."),
            ),
            ExclusionConstraint(
                name="patient_free",
                expressions=[(F("patient"), "="), (TsTzRange(F("start_at"), F("end_at")), "&&")],
                condition=Q(holds=True),
                violation_error_message=_("The patient has another visit at that time."),
            ),
        ]

    def __str__(self):
        return f"{self.local_start:%Y-%m-%d %H:%M} · {self.patient}"

    @property
    def local_start(self):
        """The start on the wall clock of the location."""
        return self.start_at.astimezone(zoneinfo.ZoneInfo(self.zone))

    @property
    def local_end(self):
        return self.end_at.astimezone(zoneinfo.ZoneInfo(self.zone))

    def save(self, *args, **kwargs):
        super().save(*args, **kwargs)
        # Django 5.2 reads generated columns back after an INSERT only.
        self.day = self.local_start.date()
        self.holds = self.status in self.HOLDING and not self.overlap_reason


_S = Appointment.Status

# (from, to) -> the verb that makes the move. Who may is permissions.ROLES' business.
MOVES: dict[tuple[str, str], str] = {
    (_S.REQUESTED, _S.SCHEDULED): "approve",
    (_S.REQUESTED, _S.DECLINED): "decline",
    (_S.REQUESTED, _S.CANCELLED): "cancel",
    (_S.REQUESTED, _S.EXPIRED): "expire",
    (_S.SCHEDULED, _S.CONFIRMED): "confirm",
    (_S.SCHEDULED, _S.ARRIVED): "check_in",
    (_S.SCHEDULED, _S.CANCELLED): "cancel",
    (_S.SCHEDULED, _S.NO_SHOW): "mark_no_show",
    (_S.CONFIRMED, _S.ARRIVED): "check_in",
    (_S.CONFIRMED, _S.CANCELLED): "cancel",
    (_S.CONFIRMED, _S.NO_SHOW): "mark_no_show",
    (_S.ARRIVED, _S.IN_SESSION): "start",
    (_S.ARRIVED, _S.CANCELLED): "cancel",
    (_S.ARRIVED, _S.SCHEDULED): "undo",
    (_S.IN_SESSION, _S.COMPLETED): "complete",
    (_S.IN_SESSION, _S.ARRIVED): "undo",
    # Corrections: a reason is wanted.
    (_S.COMPLETED, _S.IN_SESSION): "reopen",
    (_S.NO_SHOW, _S.ARRIVED): "reopen",
    (_S.CANCELLED, _S.SCHEDULED): "reopen",
}


class EquipmentUse(models.Model):
    """A unit that an appointment keeps busy. Its times follow the appointment's by a composite foreign key with
    ON UPDATE CASCADE (migration 0001), whoever writes; history is the appointment's."""

    appointment = models.ForeignKey(
        Appointment,
        models.CASCADE,
        related_name="equipment_uses",
        verbose_name=_("appointment"),
        db_constraint=False,
    )
    equipment = models.ForeignKey(
        Equipment, models.PROTECT, related_name="uses", verbose_name=_("equipment"), db_index=False
    )
    busy_from = models.DateTimeField(editable=False)
    busy_until = models.DateTimeField(editable=False)
    holds = models.BooleanField(editable=False)

    class Meta:
        verbose_name = _("equipment in use")
        verbose_name_plural = _("equipment in use")
        default_permissions = ("view",)
        indexes = [models.Index(fields=["equipment", "busy_from"], name="equipment_use_from")]
        constraints = [
            models.UniqueConstraint(fields=["appointment", "equipment"], name="equipment_once"),
            ExclusionConstraint(
                name="equipment_free",
                expressions=[(F("equipment"), "="), (TsTzRange(F("busy_from"), F("busy_until")), "&&")],
                condition=Q(holds=True),
                violation_error_message=_("The equipment is in use at that time."),
            ),
        ]

    def __str__(self):
        return str(self.equipment)


class StatusChange(models.Model):
    """The business fact of one move between statuses; append-only, feeds reports."""

    appointment = models.ForeignKey(
        Appointment, models.PROTECT, related_name="status_changes", verbose_name=_("appointment")
    )
    old = models.CharField(_("from"), max_length=12, choices=Appointment.Status, blank=True)
    new = models.CharField(_("to"), max_length=12, choices=Appointment.Status)
    verb = models.CharField(_("what"), max_length=16)
    at = models.DateTimeField(_("when"))
    actor_kind = models.CharField(_("kind of actor"), max_length=8)
    by = models.ForeignKey(
        "clinic.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("who")
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    message = models.CharField(_("message to the patient"), max_length=1000, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        default_permissions = ("view",)
        ordering = ["-at", "-pk"]

    def __str__(self):
        return f"{self.get_old_display() or '—'} → {self.get_new_display()}"
