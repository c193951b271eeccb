"""Legal entity, locations, rooms, equipment, opening hours and the clinic's settings."""

import zoneinfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.models.base import ActiveQuerySet, LanguageField, Recorded, Retirable, TranslatedField, Words
from clinic.models.files import StoredFile

country_code = RegexValidator(r"^[A-Z]{2}$", _("A country is two capital letters, as in IT."))
currency_code = RegexValidator(r"^[A-Z]{3}$", _("A currency is three capital letters, as in EUR."))
hex_colour = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("A colour reads #rrggbb."))


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


def check_zone(value):
    if value not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(zone)s” is no time zone; Europe/Rome is one."), params={"zone": value})


class Windows(models.Model):
    """What binds patients, never staff. Empty means: as the wider level says (service, then location, then clinic)."""

    notice_minutes = models.PositiveIntegerField(
        _("minimum notice (minutes)"), null=True, blank=True, validators=[MaxValueValidator(60 * 24 * 60)]
    )
    horizon_days = models.PositiveIntegerField(
        _("booking horizon (days)"), null=True, blank=True, validators=[MaxValueValidator(730)]
    )
    cancel_hours = models.PositiveIntegerField(
        _("cancellation window (hours)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(24 * 60)],
        help_text=_("A patient may cancel or move until this many hours before."),
    )

    class Meta:
        abstract = True


class Organization(Retirable):
    """The legal entity that issues documents; a group may hold several."""

    name = models.CharField(_("name"), max_length=200)
    legal_name = models.CharField(
        _("registered name"),
        max_length=200,
        blank=True,
        help_text=_("As registered, where that differs from the name; documents bear it."),
    )
    tax_number = models.CharField(_("tax number"), max_length=32, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=32, blank=True)
    country = models.CharField(_("country"), max_length=2, default="IT", validators=[country_code])
    currency = models.CharField(_("currency"), max_length=3, default="EUR", validators=[currency_code])
    # Set by services/sites from what a form checked.
    logo = models.ForeignKey(
        StoredFile, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("logo")
    )

    class Meta(Retirable.Meta):
        verbose_name = _("legal entity")
        verbose_name_plural = _("legal entities")
        ordering = ["name"]

    def __str__(self):
        return self.name


class Location(Retirable, Windows):
    """A site of the clinic, with its own clock."""

    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="locations", verbose_name=_("legal entity")
    )
    name = models.CharField(_("name"), max_length=120, unique=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=16, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    country = models.CharField(_("country"), max_length=2, default="IT", validators=[country_code])
    subdivision = models.CharField(
        _("region of holidays"),
        max_length=8,
        blank=True,
        help_text=_("For the holidays of one region or town alone. In Italy the province, as in MI: Sant’Ambrogio."),
    )
    close_on_holidays = models.BooleanField(
        _("closed on public holidays"),
        default=True,
        db_default=True,
        help_text=_("Nothing is offered on them. A single one can be opened below."),
    )
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="Europe/Rome", validators=[check_zone])
    slot_step = models.PositiveSmallIntegerField(
        _("times start every (minutes)"),
        default=15,
        validators=[MinValueValidator(5), MaxValueValidator(240)],
        help_text=_("Offered times are multiples of this, counted from midnight."),
    )

    objects = ActiveQuerySet.as_manager()

    class Meta(Retirable.Meta):
        verbose_name = _("location")
        verbose_name_plural = _("locations")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(name="location_slot_step", condition=Q(slot_step__gte=5) & Q(slot_step__lte=240))
        ]

    def __str__(self):
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)


class RoomKind(Recorded):
    name = models.CharField(_("name"), max_length=120, unique=True)

    class Meta(Recorded.Meta):
        verbose_name = _("kind of room")
        verbose_name_plural = _("kinds of room")
        ordering = ["name"]

    def __str__(self):
        return self.name


class EquipmentKind(Recorded):
    name = models.CharField(_("name"), max_length=120, unique=True)

    class Meta(Recorded.Meta):
        verbose_name = _("kind of equipment")
        verbose_name_plural = _("kinds of equipment")
        ordering = ["name"]

    def __str__(self):
        return self.name


class Room(Retirable):
    """A room, with places for that many single treatments at once (a gym has several)."""

    location = models.ForeignKey(Location, models.PROTECT, related_name="rooms", verbose_name=_("location"))
    kind = models.ForeignKey(RoomKind, models.PROTECT, related_name="rooms", verbose_name=_("kind"))
    name = models.CharField(_("name"), max_length=120)
    places = models.PositiveSmallIntegerField(
        _("places"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("How many single treatments can happen here at once."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0, db_default=0)

    objects = ActiveQuerySet.as_manager()

    class Meta(Retirable.Meta):
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        ordering = ["location__name", "position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["location", "name"],
                name="room_name_per_location",
                violation_error_message=_("This location has a room of that name."),
            ),
            models.CheckConstraint(name="room_places", condition=Q(places__gte=1) & Q(places__lte=60)),
        ]

    def __str__(self):
        return self.name


class Equipment(Retirable):
    """One device that is booked like a room."""

    location = models.ForeignKey(Location, models.PROTECT, related_name="equipment", verbose_name=_("location"))
    kind = models.ForeignKey(EquipmentKind, models.PROTECT, related_name="units", verbose_name=_("kind"))
    name = models.CharField(_("name"), max_length=120)

    objects = ActiveQuerySet.as_manager()

    class Meta(Retirable.Meta):
        verbose_name = _("equipment")
        verbose_name_plural = _("equipment")
        ordering = ["location__name", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["location", "name"],
                name="equipment_name_per_location",
                violation_error_message=_("This location has equipment of that name."),
            )
        ]

    def __str__(self):
        return self.name


class WeeklyHours(Recorded):
    """A stretch of a weekday, wall clock; `ends` 00:00 is midnight. A break is a gap between two rows."""

    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday)
    starts = models.TimeField(_("from"))
    ends = models.TimeField(_("until"), help_text=_("00:00 is midnight."))
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)

    class Meta(Recorded.Meta):
        abstract = True

    @staticmethod
    def rules(name):
        return [
            models.CheckConstraint(
                name=f"{name}_hours",
                condition=Q(ends__gt=F("starts")) | Q(ends="00:00"),
                violation_error_message=_("The end must come after the start."),
            ),
            models.CheckConstraint(name=f"{name}_weekday", condition=Q(weekday__lte=6)),
            models.CheckConstraint(
                name=f"{name}_validity",
                condition=Q(valid_until__isnull=True)
                | Q(valid_from__isnull=True)
                | Q(valid_until__gte=F("valid_from")),
                violation_error_message=_("“Valid until” must not come before “valid from”."),
            ),
        ]

    def __str__(self):
        return f"{self.get_weekday_display()} {self.starts:%H:%M}–{self.ends:%H:%M}"


class OpeningHours(WeeklyHours):
    location = models.ForeignKey(Location, models.CASCADE, related_name="opening_hours", verbose_name=_("location"))

    class Meta(WeeklyHours.Meta):
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        ordering = ["weekday", "starts"]
        constraints = WeeklyHours.rules("opening")


class DayException(Recorded):
    """A day that differs at a location: closed, or open with hours of its own."""

    location = models.ForeignKey(Location, models.CASCADE, related_name="day_exceptions", verbose_name=_("location"))
    on = models.DateField(_("day"))
    open = models.BooleanField(_("open"), default=False)
    starts = models.TimeField(_("from"), null=True, blank=True)
    ends = models.TimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta(Recorded.Meta):
        verbose_name = _("exceptional day")
        verbose_name_plural = _("exceptional days")
        ordering = ["-on"]
        constraints = [
            models.UniqueConstraint(
                fields=["location", "on"],
                name="day_exception_once",
                violation_error_message=_("This day has an exception already."),
            ),
            models.CheckConstraint(
                name="day_exception_hours",
                condition=Q(open=False, starts__isnull=True, ends__isnull=True)
                | Q(open=True, starts__isnull=False, ends__gt=F("starts"))
                | Q(open=True, starts__isnull=False, ends="00:00"),
                violation_error_message=_("An open day wants hours, the end after the start; a closed one has none."),
            ),
        ]

    def __str__(self):
        return f"{self.location} {self.on}"


class ClinicSettings(Recorded):
    """What holds for the whole group; one row."""

    notice_minutes = models.PositiveIntegerField(
        _("minimum notice (minutes)"),
        default=120,
        validators=[MaxValueValidator(60 * 24 * 60)],
        help_text=_("How long before its start a patient may still book a time. Staff are not bound."),
    )
    horizon_days = models.PositiveIntegerField(
        _("booking horizon (days)"),
        default=90,
        validators=[MaxValueValidator(730)],
        help_text=_("How far ahead patients see free times."),
    )
    cancel_hours = models.PositiveIntegerField(
        _("cancellation window (hours)"),
        default=24,
        validators=[MaxValueValidator(24 * 60)],
        help_text=_("Until how many hours before a patient may cancel or move; later counts as late."),
    )
    request_hours = models.PositiveIntegerField(
        _("requests expire after (hours)"),
        default=48,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 60)],
        help_text=_("A request nobody has answered gives its time back after this."),
    )
    keep_hours = models.BooleanField(
        _("practitioners keep their own hours"),
        default=False,
        db_default=False,
        help_text=_("On: they change weekly and extra hours themselves, on “My hours”. Off: the management does."),
    )
    keep_blocks = models.BooleanField(
        _("practitioners keep their own time off"),
        default=True,
        db_default=True,
        help_text=_("On: they block and free their own time, on “My hours”. Off: reception and management do."),
    )
    idle_minutes = models.PositiveIntegerField(
        _("sign out after idle (minutes)"),
        default=30,
        validators=[MinValueValidator(5), MaxValueValidator(720)],
        help_text=_("Who does nothing for so long signs in again. Pages that refresh themselves do not count."),
    )
    session_hours = models.PositiveIntegerField(
        _("sign out in any case after (hours)"),
        default=12,
        validators=[MinValueValidator(1), MaxValueValidator(72)],
        help_text=_("However busy: at the latest so long after signing in."),
    )
    factor_roles = Words(
        verbose_name=_("second factor wanted from"),
        help_text=_("Who holds one of these roles must set up an authenticator app or a passkey at the next sign-in."),
    )
    language = LanguageField(help_text=_("For patients who chose none."))
    welcome = TranslatedField(
        _("welcome text"),
        blank=True,
        multiline=True,
        help_text=_("Greets patients where they book, in their language."),
    )

    class Meta(Recorded.Meta):
        verbose_name = _("clinic settings")
        verbose_name_plural = _("clinic settings")
        constraints = [models.CheckConstraint(name="one_clinic_settings", condition=Q(pk=1))]

    def __str__(self):
        return str(_("Clinic settings"))

    @classmethod
    def current(cls) -> "ClinicSettings":
        """The one row; its defaults where nobody saved it yet."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)
