"""Registration of patients. Clinical content lives in records, never here."""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.base import LanguageField, Retirable, SearchedQuerySet, as_searched
from clinic.models.expressions import AsText, Digits, Searchable
from clinic.models.sites import country_code

phone_number = RegexValidator(r"^\+?[0-9][0-9 ()./-]{4,30}$", _("A phone number holds digits, as in +39 333 123 4567."))


def check_birth_date(value):
    """Nobody is born tomorrow, and nobody registered here was born before 1900."""
    if value > timezone.localdate():
        raise ValidationError(_("A birth date cannot lie in the future."))
    if value.year < 1900:
        raise ValidationError(_("A birth date before 1900 is hardly right."))


class PatientQuerySet(SearchedQuerySet):
    def closest_first(self, text: str):
        """Those whose name begins with `text`, then the others; each by name."""
        begins = Q(search__startswith=Func(Value(as_searched(text)), function="f_norm"))
        return self.order_by(Case(When(begins, then=0), default=1), "family_name", "given_name", "pk")

    def newest_keys(self):
        """The keys alone, newest first. By a sum, which no index sorts: for a few of them the planner would rather look
        through all in the order of an index, and search for long where little is found."""
        return self.order_by((F("pk") + 0).desc()).values("pk")


class Patient(Retirable):
    """A person who is treated here; never deleted, never a user."""

    class Sex(models.TextChoices):
        FEMALE = "female", _("female")
        MALE = "male", _("male")
        OTHER = "other", _("other")
        UNKNOWN = "unknown", _("not stated")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.BigIntegerField(
        _("record number"),
        unique=True,
        editable=False,
        db_default=Func(Value("clinic_patient_number"), function="nextval", output_field=models.BigIntegerField()),
    )
    family_name = models.CharField(_("family name"), max_length=120)
    given_name = models.CharField(_("given name"), max_length=120)
    birth_on = models.DateField(_("birth date"), null=True, blank=True, validators=[check_birth_date])
    sex = models.CharField(_("sex"), max_length=8, choices=Sex, default=Sex.UNKNOWN)
    gender = models.CharField(_("gender"), max_length=60, blank=True, help_text=_("In the person's own words."))
    email = models.EmailField(_("e-mail"), blank=True)
    email_proved_at = models.DateTimeField(_("e-mail proved"), null=True, editable=False)
    mobile = models.CharField(_("mobile"), max_length=32, blank=True, validators=[phone_number])
    phone = models.CharField(_("other phone"), max_length=32, blank=True, validators=[phone_number])
    address = models.CharField(_("address"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=16, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    province = models.CharField(_("province"), max_length=60, blank=True)
    country = models.CharField(_("country"), max_length=2, default="IT", validators=[country_code])
    language = LanguageField()
    emergency_name = models.CharField(_("emergency contact"), max_length=160, blank=True)
    emergency_phone = models.CharField(_("emergency phone"), max_length=32, blank=True, validators=[phone_number])
    emergency_relation = models.CharField(_("relation"), max_length=60, blank=True)
    family_doctor = models.CharField(_("family doctor"), max_length=160, blank=True)
    employer = models.CharField(_("employer or club"), max_length=160, blank=True)
    desk_note = models.TextField(
        _("note for reception"), blank=True, max_length=2000, help_text=_("Nothing clinical: reception reads this.")
    )
    deceased_on = models.DateField(_("deceased on"), null=True, blank=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="merged_from"
    )
    old_reference = models.CharField(
        _("old reference"), max_length=80, null=True, blank=True, unique=True, editable=False
    )
    created_at = models.DateTimeField(_("registered"), default=timezone.now, editable=False)
    # Somebody of the staff; empty where a patient or a machine did it. permissions.OWN reads it by its index.
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("registered by"),
    )
    search = models.GeneratedField(
        expression=Searchable(
            F("family_name"),
            F("given_name"),
            F("family_name"),
            Digits(F("mobile")),
            Digits(F("phone")),
            F("email"),
            AsText(F("number")),
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = PatientQuerySet.as_manager()

    class Meta(Retirable.Meta):
        verbose_name = _("patient")
        verbose_name_plural = _("patients")
        default_permissions = ("view", "add", "change", "export", "import")
        ordering = ["family_name", "given_name", "pk"]
        indexes = [
            GinIndex(OpClass(F("search"), name="gin_trgm_ops"), name="patient_search"),
            models.Index(OpClass(F("search"), name="text_pattern_ops"), name="patient_search_start"),
            models.Index(fields=["birth_on"], name="patient_birth"),
            models.Index(fields=["family_name", "given_name", "id"], name="patient_name"),
            models.Index(fields=["-created_at"], name="patient_created"),
            # What few patients are, by the names that lists are sorted by.
            models.Index(
                fields=["family_name", "given_name", "id"], name="patient_inactive", condition=Q(active=False)
            ),
            models.Index(
                fields=["sex", "family_name", "given_name", "id"],
                name="patient_other_sex",
                condition=Q(sex__in=["other", "unknown"]),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="patient_deceased_inactive",
                condition=Q(deceased_on__isnull=True) | Q(active=False),
                violation_error_message=_("A deceased patient is inactive."),
            ),
            models.CheckConstraint(
                name="patient_birth_sane", condition=Q(birth_on__isnull=True) | Q(birth_on__gte="1850-01-01")
            ),
        ]

    def __str__(self):
        return f"{self.family_name} {self.given_name}"
