"""Doctors elsewhere who send patients."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from clinic.models.base import Retirable, SearchedQuerySet
from clinic.models.expressions import Digits, Searchable
from clinic.models.patients import phone_number


class ReferralSource(models.TextChoices):
    """How a visit came about."""

    DOCTOR = "doctor", _("doctor")
    HOSPITAL = "hospital", _("hospital")
    INSURER = "insurer", _("insurer")
    EMPLOYER = "employer", _("employer or club")
    PATIENT = "patient", _("another patient")
    RETURNING = "returning", _("was here before")
    ONLINE = "online", _("internet")
    OTHER = "other", _("other")


class ReferringDoctor(Retirable):
    """A doctor who is not of this clinic, and how to reach them."""

    family_name = models.CharField(_("family name"), max_length=120)
    given_name = models.CharField(_("given name"), max_length=120, blank=True)
    speciality = models.CharField(_("speciality"), max_length=120, blank=True)
    workplace = models.CharField(_("practice or hospital"), max_length=160, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True, validators=[phone_number])
    email = models.EmailField(_("e-mail"), blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    search = models.GeneratedField(
        expression=Searchable(
            F("family_name"), F("given_name"), F("family_name"), F("workplace"), Digits(F("phone")), F("email")
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = SearchedQuerySet.as_manager()

    class Meta(Retirable.Meta):
        verbose_name = _("referring doctor")
        verbose_name_plural = _("referring doctors")
        ordering = ["family_name", "given_name", "pk"]
        indexes = [
            GinIndex(OpClass(F("search"), name="gin_trgm_ops"), name="referring_doctor_search"),
            models.Index(fields=["family_name", "given_name", "id"], name="referring_doctor_name"),
        ]

    def __str__(self):
        return f"{self.family_name} {self.given_name}".strip()
