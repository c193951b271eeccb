"""Claims that are no appointment: the key of a request already answered, the time held while an e-mail is proved."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.scheduling.service import Service
from clinic.models.sites import Location, Room
from clinic.models.team import Practitioner


class RequestKey(models.Model):
    """A client's own key of one request. The same key with the same fingerprint is a replay and gets the same answer;
    with another fingerprint it is refused."""

    scope = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    subject_id = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="request_key_once")]

    def __str__(self):
        return f"{self.scope}:{self.key}"


class HoldQuerySet(models.QuerySet):
    def live(self, at=None):
        return self.filter(expires_at__gt=at or timezone.now())


class Hold(models.Model):
    """A time kept for a stranger while a code proves the e-mail. Read by slots and by book() under the lock; not in
    the exclusion constraints."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="+", verbose_name=_("service"))
    practitioner = models.ForeignKey(
        Practitioner, models.CASCADE, related_name="+", verbose_name=_("practitioner"), db_index=False
    )
    location = models.ForeignKey(Location, models.CASCADE, related_name="+", verbose_name=_("location"))
    room = models.ForeignKey(Room, models.CASCADE, null=True, related_name="+", verbose_name=_("room"))
    place = models.PositiveSmallIntegerField(default=1)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    busy_from = models.DateTimeField()
    busy_until = models.DateTimeField()
    expires_at = models.DateTimeField()
    address = models.CharField(max_length=254)
    code_hash = models.CharField(max_length=128)
    tries = models.PositiveSmallIntegerField(default=0)
    payload = models.JSONField(default=dict)

    objects = HoldQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["practitioner", "busy_from"], name="hold_practitioner"),
            models.Index(fields=["expires_at"], name="hold_expiry"),
        ]
        constraints = [
            models.CheckConstraint(
                name="hold_order",
                condition=models.Q(end_at__gt=models.F("start_at"))
                & models.Q(busy_from__lte=models.F("start_at"))
                & models.Q(busy_until__gte=models.F("end_at")),
            )
        ]

    def __str__(self):
        return f"{self.practitioner} {self.start_at:%Y-%m-%d %H:%M}"
