"""Who changed and who looked: one narrow append-only index, filled by triggers and definer functions only.

The application has no insert right on these tables (see database/): a row exists because the database made it.
"""

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One change or one look. The verbs of changes are written by triggers only."""

    class Verb(models.TextChoices):
        CREATE = "create", _("created")
        UPDATE = "update", _("changed")
        DELETE = "delete", _("deleted")
        VIEW = "view", _("looked at")
        SEARCH = "search", _("found in a search")
        PRINT = "print", _("printed")
        EXPORT = "export", _("exported")
        IMPORT = "import", _("imported")
        SIGN_IN = "sign_in", _("signed in")
        SIGN_IN_FAILED = "sign_in_failed", _("failed to sign in")
        SIGN_OUT = "sign_out", _("signed out")
        PASSWORD = "password", _("changed the password")
        FACTOR = "factor", _("changed the second factor")
        ROLES = "roles", _("changed the roles")
        DENIED = "denied", _("was refused")

    class ActorKind(models.TextChoices):
        STAFF = "staff", _("staff")
        PATIENT = "patient", _("patient")
        SYSTEM = "system", _("system")
        API = "api", _("program")

    at = models.DateTimeField(_("when"))
    # The writing transaction: what was changed together.
    tx = models.BigIntegerField(editable=False)
    actor_kind = models.CharField(_("kind of actor"), max_length=8, choices=ActorKind)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        # The partial indexes below serve these, and cost nothing where nobody is named.
        db_index=False,
        related_name="+",
        verbose_name=_("who"),
    )
    role = models.CharField(_("role"), max_length=120)
    verb = models.CharField(_("what"), max_length=16, choices=Verb)
    model = models.CharField(_("kind of record"), max_length=64)
    row_id = models.BigIntegerField(_("record"), null=True)
    patient = models.ForeignKey(
        "clinic.Patient",
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("patient"),
    )
    route = models.CharField(_("page"), max_length=200)
    ip = models.GenericIPAddressField(_("address"), null=True)
    agent = models.CharField(_("browser"), max_length=200)
    purpose = models.CharField(_("purpose"), max_length=200)
    # The history row that holds before and after; null for looks and sign-ins.
    history_id = models.BigIntegerField(null=True, editable=False)
    # Which list of columns the digest was taken over: see AuditShape.
    shape = models.IntegerField(null=True, editable=False)
    # Two keyed hashes: of this row, then (for a change) of the history row. The first covers the second.
    digest = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        default_permissions = ("view", "export")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["at"], name="audit_at"),
            models.Index(fields=["patient", "-id"], name="audit_patient", condition=models.Q(patient__isnull=False)),
            models.Index(fields=["user", "-id"], name="audit_user", condition=models.Q(user__isnull=False)),
            models.Index(fields=["model", "row_id", "-id"], name="audit_row"),
            models.Index(fields=["model", "-id"], name="audit_model"),
            models.Index(fields=["verb", "-id"], name="audit_verb"),
        ]

    def __str__(self):
        try:
            kind = apps.get_model("clinic", self.model)._meta.verbose_name if self.model else ""
        except LookupError:
            # A model of the past.
            kind = self.model
        return f"{self.get_verb_display()} {kind} {self.row_id or ''}".strip()


class AuditShape(models.Model):
    """The columns that digests of one history table are taken over; a new column makes a new row, never a change."""

    table = models.CharField(max_length=80)
    columns = models.JSONField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.table} {self.pk}"


class Seal(models.Model):
    """A closed stretch of the trail: the root over its digests and the root before it. Made every minute."""

    at = models.DateTimeField()
    tx_from = models.BigIntegerField()
    tx_until = models.BigIntegerField()
    n = models.IntegerField()
    # The numbers of its entries, as the text of an int8multirange: a deleted one can be named.
    entries = models.BinaryField()
    root = models.BinaryField()
    previous = models.BinaryField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.pk}: {self.n}"
