"""Rules checked at every start: a mistake here would be a hole later."""

from django.apps import apps
from django.conf import settings
from django.core.checks import Error, Tags, Warning, register

from clinic.permissions import OWN, ROLES, SWITCHES


@register(Tags.security)
def roles_name_real_things(app_configs, **kwargs):
    """Every grant names a model and a verb that exist; every own-scope has a predicate."""
    found = []
    for name, role in ROLES.items():
        for model_name, verbs in role.grants.items():
            try:
                meta = apps.get_model("clinic", model_name)._meta
            except LookupError:
                found.append(Error(f"Role {name} names the unknown model {model_name}.", id="clinic.E001"))
                continue
            known = {*meta.default_permissions, *(code.removesuffix(f"_{model_name}") for code, _ in meta.permissions)}
            for grant in verbs.split():
                verb, _mark, setting = grant.partition("?")
                if setting and setting not in SWITCHES:
                    found.append(Error(f"Role {name}: {grant} hangs on no switch there is.", id="clinic.E004"))
                if verb.removesuffix(":own") not in known:
                    found.append(Error(f"Role {name}: {model_name} has no verb {verb}.", id="clinic.E002"))
                if verb.endswith(":own") and model_name not in OWN:
                    found.append(Error(f"Role {name}: nothing says whose own a {model_name} is.", id="clinic.E003"))
    return found


@register(Tags.database)
def two_walls(app_configs, databases=None, **kwargs):
    """One database URL for everything means the application could rewrite its own audit trail."""
    if getattr(settings, "DATABASE_ONE_WALL", False):
        return [
            Warning(
                "The application connects as the owner of its tables: one wall instead of two.",
                hint="Set DATABASE_OWNER_URL for migrations and a DATABASE_URL of the application's own role.",
                id="clinic.W001",
            )
        ]
    return []
