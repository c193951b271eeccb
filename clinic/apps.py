"""The app, and what is wired once it is ready."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = _("Clinic")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from clinic import checks, receivers  # noqa: F401  (checks register themselves)
        from clinic.database import install
        from clinic.permissions import sync_groups
        from clinic.signin import trail
        from clinic.tasks.schedules import sync_schedules

        receivers.connect()
        trail.connect()
        post_migrate.connect(install.after_migrate, sender=self, dispatch_uid="camerino.install")
        post_migrate.connect(sync_groups, sender=self, dispatch_uid="camerino.groups")
        post_migrate.connect(sync_schedules, sender=self, dispatch_uid="camerino.schedules")


class DeskConfig(SimpleAdminConfig):
    """The admin with our own site and our own screens only: nothing that a third party registers is discovered.

    The theme's own config would replace any other site (hence its BasicAppConfig).
    """

    default_site = "clinic.admin.site.Desk"

    def ready(self):
        super().ready()
        import_module("clinic.admin.screens")
