"""Users and their roles, practitioners, working hours and absences."""

import uuid
import zoneinfo

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.constraints import ExclusionConstraint
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from clinic.models.base import VERBS, LanguageField, Recorded, Retirable, SearchedQuerySet, Versions
from clinic.models.expressions import DayRange, MinuteRange, Searchable
from clinic.models.sites import ClinicSettings, Equipment, Location, Room, WeeklyHours, hex_colour


class UserManager(BaseUserManager):
    def create_user(self, email, password=None, **fields):
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, **{"is_staff": True, **fields, "is_superuser": True})

    def get_by_natural_key(self, email):
        return self.get(email__iexact=email)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who works here. Patients are never users. Roles are groups of the names in permissions.ROLES."""

    email = models.EmailField(
        _("e-mail"),
        unique=True,
        error_messages={"unique": _("Somebody with this e-mail works here already.")},
    )
    given_name = models.CharField(_("given name"), max_length=120)
    family_name = models.CharField(_("family name"), max_length=120, blank=True)
    is_staff = models.BooleanField(_("may sign in to the desk"), default=True)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Inactive: signed out everywhere and cannot sign in.")
    )
    language = LanguageField(blank=True, default="", help_text=_("Empty: as the browser asks for."))
    locations = models.ManyToManyField(
        Location,
        blank=True,
        related_name="staff",
        verbose_name=_("locations"),
        help_text=_("Shown first in lists; not a wall: patients move between sites."),
    )
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    # A password's hash has no place in a history that nobody may shorten.
    history = Versions(excluded_fields=["last_login", "password"])

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["given_name"]

    class Meta:
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")
        default_permissions = VERBS
        ordering = ["family_name", "given_name"]
        constraints = [
            # Stored in lower case only, so that "unique" means whatever the case.
            models.CheckConstraint(name="user_email_lower", condition=Q(email=Lower("email")))
        ]

    def __str__(self):
        return self.get_full_name() or self.email

    def clean(self):
        super().clean()
        self.email = (self.email or "").strip().lower()

    def save(self, *args, **kwargs):
        self.email = self.email.lower()
        super().save(*args, **kwargs)

    def save_unversioned(self, *fields):
        """For fields that history leaves out: a version without a difference would say nothing."""
        self.skip_history_when_saving = True
        try:
            self.save(update_fields=fields)
        finally:
            del self.skip_history_when_saving

    def get_full_name(self):
        return f"{self.given_name} {self.family_name}".strip()

    def get_short_name(self):
        return self.given_name

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """Names of this user's roles, sorted. The sign-in backend fills it with the user's own query."""
        if self.pk is None:
            return ()
        return tuple(self.groups.order_by("name").values_list("name", flat=True))

    @cached_property
    def switches(self) -> dict[str, bool]:
        """The clinic's switches that rights hang on. Filled like `roles`."""
        kept = ClinicSettings.current()
        return {"keep_hours": kept.keep_hours, "keep_blocks": kept.keep_blocks}

    @cached_property
    def practice(self) -> int:
        """The key of the practitioner who signs in as this user; 0, which nobody has, for everybody else. As a
        constant it lets lists of own visits follow an index. Filled like `roles`."""
        return Practitioner.objects.filter(user=self).values_list("pk", flat=True).first() or 0

    def is_on(self, setting: str) -> bool:
        return self.switches[setting]

    @property
    def role_names(self) -> str:
        return "superuser" if self.is_superuser else ", ".join(self.roles)


class Invitation(Recorded):
    """A link with which one person sets a password, once: to join, or after a forgotten one. Made by services/team.

    The link's token is known to who was given it; only its hash is kept.
    """

    class Purpose(models.TextChoices):
        JOIN = "join", _("invitation")
        RESET = "reset", _("new password")

    # On the instance that services/team returns, so that it can be shown this once; never stored.
    token = ""

    user = models.ForeignKey(User, models.PROTECT, related_name="invitations", verbose_name=_("member of staff"))
    purpose = models.CharField(_("purpose"), max_length=8, choices=Purpose)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("valid until"))
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta(Recorded.Meta):
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                name="invitation_one_open",
                condition=Q(used_at__isnull=True, revoked_at__isnull=True),
            )
        ]

    def __str__(self):
        return f"{self.get_purpose_display()}: {self.user}"


class Specialisation(Recorded):
    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.TextField(_("description"), blank=True)

    class Meta(Recorded.Meta):
        verbose_name = _("specialisation")
        verbose_name_plural = _("specialisations")
        ordering = ["name"]

    def __str__(self):
        return self.name


class Practitioner(Retirable):
    """A person who treats. May have no sign-in (imported, locum)."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.OneToOneField(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="practitioner",
        verbose_name=_("sign-in"),
        help_text=_("Empty for somebody who does not sign in, such as a locum."),
    )
    title = models.CharField(_("title"), max_length=40, blank=True, help_text=_("Dr., Dott.ssa …"))
    given_name = models.CharField(_("given name"), max_length=120)
    family_name = models.CharField(_("family name"), max_length=120)
    profession = models.CharField(_("profession"), max_length=120)
    licence_number = models.CharField(_("licence number"), max_length=60, blank=True)
    biography = models.TextField(_("biography"), blank=True)
    experience_years = models.PositiveSmallIntegerField(
        _("years of experience"), null=True, blank=True, validators=[MaxValueValidator(80)]
    )
    office_address = models.CharField(_("office address"), max_length=200, blank=True)
    colour = models.CharField(_("colour"), max_length=7, default="#0f766e", validators=[hex_colour])
    online = models.BooleanField(_("accepts online bookings"), default=True)
    locations = models.ManyToManyField(Location, blank=True, related_name="practitioners", verbose_name=_("locations"))
    old_reference = models.CharField(_("old reference"), max_length=80, null=True, blank=True, unique=True)
    search = models.GeneratedField(
        expression=Searchable(F("family_name"), F("given_name"), F("profession")),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = SearchedQuerySet.as_manager()

    class Meta(Retirable.Meta):
        verbose_name = _("practitioner")
        verbose_name_plural = _("practitioners")
        ordering = ["family_name", "given_name"]

    def __str__(self):
        return " ".join(filter(None, (self.title, self.given_name, self.family_name)))


class PractitionerSpecialisation(Recorded):
    practitioner = models.ForeignKey(
        Practitioner, models.CASCADE, related_name="specialisations", verbose_name=_("practitioner")
    )
    specialisation = models.ForeignKey(
        Specialisation, models.PROTECT, related_name="practitioners", verbose_name=_("specialisation")
    )
    certified_by = models.CharField(_("certified by"), max_length=120, blank=True)
    certified_on = models.DateField(_("certified on"), null=True, blank=True)

    class Meta(Recorded.Meta):
        verbose_name = _("specialisation")
        verbose_name_plural = _("specialisations")
        constraints = [
            models.UniqueConstraint(
                fields=["practitioner", "specialisation"],
                name="specialisation_once",
                violation_error_message=_("This specialisation is there already."),
            )
        ]

    def __str__(self):
        return str(self.specialisation)


class WorkingHours(WeeklyHours):
    """When a practitioner works where. Alternating weeks count from the Monday of `anchor_on`: week numbers would
    break in years of 53 weeks."""

    practitioner = models.ForeignKey(
        Practitioner, models.CASCADE, related_name="working_hours", verbose_name=_("practitioner")
    )
    location = models.ForeignKey(Location, models.PROTECT, related_name="working_hours", verbose_name=_("location"))
    every_weeks = models.PositiveSmallIntegerField(
        _("every … weeks"), default=1, validators=[MinValueValidator(1), MaxValueValidator(8)]
    )
    anchor_on = models.DateField(
        _("counted from the week of"), null=True, blank=True, help_text=_("Any day of a week in which it applies.")
    )

    class Meta(WeeklyHours.Meta):
        verbose_name = _("working hours")
        verbose_name_plural = _("working hours")
        ordering = ["weekday", "starts"]
        indexes = [models.Index(fields=["practitioner", "weekday"], name="working_hours_day")]
        constraints = [
            *WeeklyHours.rules("working"),
            models.CheckConstraint(
                name="working_alternation",
                condition=Q(every_weeks=1) | Q(every_weeks__gt=1, every_weeks__lte=8, anchor_on__isnull=False),
                violation_error_message=_("Alternating weeks want a week to count from."),
            ),
            # Of weekly rows only: when two alternating ones meet is not said by their columns. Looked at when the
            # transaction ends, so that two rows can change places.
            ExclusionConstraint(
                name="working_hours_apart",
                expressions=[
                    (F("practitioner"), "="),
                    (F("weekday"), "="),
                    (MinuteRange(F("starts"), F("ends")), "&&"),
                    (DayRange(F("valid_from"), F("valid_until")), "&&"),
                ],
                condition=Q(every_weeks=1),
                deferrable=models.Deferrable.DEFERRED,
                violation_error_message=_("These hours overlap others of the same practitioner."),
            ),
        ]


class ExtraHours(Recorded):
    """Hours on a single day, on top of the weekly ones."""

    practitioner = models.ForeignKey(
        Practitioner, models.CASCADE, related_name="extra_hours", verbose_name=_("practitioner")
    )
    location = models.ForeignKey(Location, models.PROTECT, related_name="extra_hours", verbose_name=_("location"))
    on = models.DateField(_("day"))
    starts = models.TimeField(_("from"))
    ends = models.TimeField(_("until"), help_text=_("00:00 is midnight."))

    class Meta(Recorded.Meta):
        verbose_name = _("extra hours")
        verbose_name_plural = _("extra hours")
        ordering = ["-on", "starts"]
        indexes = [models.Index(fields=["practitioner", "on"], name="extra_hours_day")]
        constraints = [
            models.CheckConstraint(
                name="extra_hours_order",
                condition=Q(ends__gt=F("starts")) | Q(ends="00:00"),
                violation_error_message=_("The end must come after the start."),
            )
        ]

    def __str__(self):
        return f"{self.on} {self.starts:%H:%M}–{self.ends:%H:%M}"


class TimeOff(Recorded):
    """Somebody or something is not available: exactly one of practitioner, room, equipment, location.

    Not a constraint: existing visits stay and are listed for rebooking.
    """

    practitioner = models.ForeignKey(
        Practitioner, models.CASCADE, null=True, blank=True, related_name="time_off", verbose_name=_("practitioner")
    )
    room = models.ForeignKey(
        Room, models.CASCADE, null=True, blank=True, related_name="time_off", verbose_name=_("room")
    )
    equipment = models.ForeignKey(
        Equipment, models.CASCADE, null=True, blank=True, related_name="time_off", verbose_name=_("equipment")
    )
    location = models.ForeignKey(
        Location, models.CASCADE, null=True, blank=True, related_name="time_off", verbose_name=_("location")
    )
    start_at = models.DateTimeField(_("from"))
    end_at = models.DateTimeField(_("until"))
    zone = models.CharField(_("time zone"), max_length=64, editable=False, blank=True, default="", db_default="")
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    SUBJECTS = ("practitioner", "room", "equipment", "location")

    class Meta(Recorded.Meta):
        verbose_name = _("time off")
        verbose_name_plural = _("time off")
        ordering = ["-start_at"]
        indexes = [
            models.Index(fields=["practitioner", "start_at"], name="time_off_practitioner"),
            models.Index(fields=["location", "start_at"], name="time_off_location"),
            models.Index(fields=["end_at"], name="time_off_end"),
        ]
        constraints = [
            models.CheckConstraint(
                name="time_off_order",
                condition=Q(end_at__gt=F("start_at")),
                violation_error_message=_("The end must come after the start."),
            ),
            models.CheckConstraint(
                name="time_off_range",
                condition=Q(start_at__gte="1900-01-02T00:00:00Z") & Q(end_at__lt="2199-12-30T00:00:00Z"),
                violation_error_message=_("These days are hardly meant."),
            ),
            models.CheckConstraint(
                name="time_off_one_subject",
                condition=(
                    Q(practitioner__isnull=False, room__isnull=True, equipment__isnull=True, location__isnull=True)
                    | Q(practitioner__isnull=True, room__isnull=False, equipment__isnull=True, location__isnull=True)
                    | Q(practitioner__isnull=True, room__isnull=True, equipment__isnull=False, location__isnull=True)
                    | Q(practitioner__isnull=True, room__isnull=True, equipment__isnull=True, location__isnull=False)
                ),
                violation_error_message=_("Choose exactly one: practitioner, room, equipment or location."),
            ),
        ]

    def __str__(self):
        return f"{self.subject} {self.local_start:%Y-%m-%d %H:%M}"

    def save(self, *args, **kwargs):
        # On whose wall clock the times were meant; a practitioner of several zones has said which.
        self.zone = self.zone or self.own_zone
        super().save(*args, **kwargs)

    @property
    def subject(self):
        return self.practitioner or self.room or self.equipment or self.location

    @property
    def own_zone(self) -> str:
        """The zone of the subject's location; of several the first by name, of none the clinic's."""
        if self.practitioner_id:
            place = self.practitioner.locations.order_by("name").first()
        else:
            place = self.location or getattr(self.room or self.equipment, "location", None)
        return place.time_zone if place else settings.TIME_ZONE

    @property
    def local_start(self):
        return self.start_at.astimezone(zoneinfo.ZoneInfo(self.zone or settings.TIME_ZONE))

    @property
    def local_end(self):
        return self.end_at.astimezone(zoneinfo.ZoneInfo(self.zone or settings.TIME_ZONE))
