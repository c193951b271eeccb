"""Files that people brought in. Their bytes lie in private storage under random names; no address leads there."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.base import Recorded


class StoredFile(Recorded):
    """One file, written once by services/files and never changed; what is newer is another file."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=120)
    content_type = models.CharField(_("type"), max_length=80)
    size = models.PositiveIntegerField(_("size (bytes)"))
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("stored"), default=timezone.now, editable=False)

    class Meta(Recorded.Meta):
        verbose_name = _("file")
        verbose_name_plural = _("files")

    def __str__(self):
        return self.name

    @property
    def path(self) -> str:
        """Where it lies in the storage: nothing of it comes from the person who brought it."""
        return f"{self.uid.hex[:2]}/{self.uid.hex}"
