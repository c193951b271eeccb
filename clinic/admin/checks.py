"""Start-up rules of the desk."""

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
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


@register(Tags.admin)
def every_importable_screen_finds_its_records(app_configs, **kwargs):
    """A spreadsheet names records, and those they refer to, by natural keys: an importable screen needs them all."""
    return [
        Error(f"The screen of {model.__name__} is importable, but {what} has no natural key.", id="clinic.E011")
        for model, screen in admin.site._registry.items()
        if getattr(screen, "importable", False)
        for what in _without_key(model, screen)
    ]


def _without_key(model, screen):
    from clinic.admin.base.columns import columns_of

    offered = flatten_fieldsets(screen.get_fieldsets(None))
    related = {
        column.model_field.related_model
        for column in columns_of(model)
        if column.model_field.is_relation and column.attribute in offered
    }
    found = [] if screen.natural_key else [model.__name__]
    for other in related:
        key = getattr(admin.site._registry.get(other), "natural_key", ())
        # A cell holds one name.
        found += [other.__name__] if len(key) != 1 else []
    return found
