"""A user of the product's table, and the visits of the floor's own, for its bare admin form."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class User(AbstractBaseUser):
    email = models.EmailField(unique=True)
    is_active = models.BooleanField()
    is_staff = models.BooleanField()

    objects = BaseUserManager()

    USERNAME_FIELD = "email"

    class Meta:
        managed = False
        db_table = "clinic_user"
        app_label = "floor"

    def __str__(self):
        return self.email

    def has_perm(self, perm, obj=None):
        return True


class Visit(models.Model):
    practitioner_id = models.BigIntegerField()
    patient_id = models.BigIntegerField()
    start_at = models.DateTimeField()
    end_at = models.DateTimeField(editable=False)
    request_key = models.TextField()

    class Meta:
        managed = False
        db_table = "bench_visit"
        app_label = "floor"

    def __str__(self):
        return self.request_key
