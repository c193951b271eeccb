"""Start-up rules of the desk."""

from django.contrib import admin
from django.core.checks import Error, Tags, register


@register(Tags.admin)
def every_screen_is_scoped(app_configs, **kwargs):
    """Every registered screen is a ClinicAdmin."""
    from clinic.admin.base import ClinicAdmin

    return [
        Error(f"The screen of {model.__name__} is no ClinicAdmin: its scope would be open.", id="clinic.E010")
        for model, screen in admin.site._registry.items()
        if not isinstance(screen, ClinicAdmin)
    ]
