"""What somebody keeps at hand. A convenience of one person's: no history, and no names, which are read when shown."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Favourite(models.Model):
    """A page of the desk, by its address: of a list, or of a record."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="favourites")
    address = models.CharField(max_length=200)
    kept_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("favourite")
        verbose_name_plural = _("favourites")
        default_permissions = ()
        ordering = ["kept_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "address"], name="favourite_once")]

    def __str__(self):
        return self.address
