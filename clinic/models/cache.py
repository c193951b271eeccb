"""The table behind Django's cache: a model only so that migrations make it. Nobody reads it but DatabaseCache."""

from django.db import models


class CacheEntry(models.Model):
    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "clinic_cache"
        default_permissions = ()

    def __str__(self):
        return self.cache_key
