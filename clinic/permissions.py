"""Who may do what. ROLES is the only source of rights: groups are written from it, screens ask `can` and `visible`.

A grant reads `model: "verb verb:own"`. `verb:own` holds on own rows only; OWN says what a person's own rows are.
`verb:own?setting` holds while that switch of the clinic's settings is on.
A person's locations are a default filter, never a wall: patients move between sites.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from allauth.account.auth_backends import AuthenticationBackend
from django.apps import apps
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

APP = "clinic"
DEMO_DOMAIN = "@demo.test"
ANY, OWN_ONLY = "any", "own"
# Settings that grants hang on, as in `add:own?keep_hours`.
SWITCHES = ("keep_hours", "keep_blocks")

# A visit's way through the day, as far as the person who treats goes it.
_TREAT = "approve:own decline:own confirm:own check_in:own start:own complete:own mark_no_show:own undo:own"
_DESK = "approve decline confirm check_in start complete mark_no_show undo book walk_in move cancel"


@dataclass(frozen=True)
class Role:
    """`label` and `description` are what people read; `grants` is model name -> verbs."""

    label: StrOrPromise
    description: StrOrPromise
    grants: dict[str, str] = field(default_factory=dict)

    def scope(self, model: str, verb: str, is_on: Callable[[str], bool] = lambda setting: True) -> str | None:
        """ANY, OWN_ONLY or None; `is_on` answers for the settings that grants hang on."""
        found = set()
        for grant in self.grants.get(model, "").split():
            granted, _mark, setting = grant.partition("?")
            if granted in (verb, f"{verb}:own") and (not setting or is_on(setting)):
                found.add(ANY if granted == verb else OWN_ONLY)
        return ANY if ANY in found else next(iter(found), None)


_KEEP = "view add change export"
_KEEP_DELETE = "view add change delete export"
_READ = "view export"
# What one list in a spreadsheet fills.
_CATALOGUE, _CATALOGUE_DELETE = f"{_KEEP} import", f"{_KEEP_DELETE} import"


def _kept(setting: str) -> str:
    """What practitioners do to rows of their own while a setting lets them."""
    return f"view:own add:own?{setting} change:own?{setting} delete:own?{setting}"


ROLES: dict[str, Role] = {
    "administrator": Role(
        _("Administrator"),
        _("Sets the clinic up, invites staff, sees the audit trail; may correct a visit afterwards."),
        {
            "organization": _KEEP,
            "location": _KEEP,
            "clinicsettings": "view change",
            "roomkind": _CATALOGUE_DELETE,
            "equipmentkind": _CATALOGUE_DELETE,
            "room": _CATALOGUE,
            "equipment": _CATALOGUE,
            "openinghours": _KEEP_DELETE,
            "dayexception": _KEEP_DELETE,
            "user": _KEEP,
            "specialisation": _CATALOGUE_DELETE,
            "practitioner": _KEEP,
            "practitionerspecialisation": _KEEP_DELETE,
            "workinghours": _KEEP_DELETE,
            "extrahours": _KEEP_DELETE,
            "timeoff": _KEEP_DELETE,
            "servicecategory": _CATALOGUE_DELETE,
            "service": _CATALOGUE,
            "offering": _KEEP_DELETE,
            "referringdoctor": _KEEP,
            "patient": _KEEP,
            "appointment": f"view change export {_DESK} reopen overlap outside_hours past",
            "equipmentuse": "view",
            "statuschange": "view",
            "auditentry": _READ,
        },
    ),
    "manager": Role(
        _("Manager"),
        _("Keeps services, rooms, people and their hours; reads and exports everything else."),
        {
            "organization": "view",
            "location": "view change export",
            "clinicsettings": "view",
            "roomkind": _CATALOGUE,
            "equipmentkind": _CATALOGUE,
            "room": _CATALOGUE,
            "equipment": _CATALOGUE,
            "openinghours": _KEEP_DELETE,
            "dayexception": _KEEP_DELETE,
            "user": "view",
            "specialisation": _CATALOGUE,
            "practitioner": _KEEP,
            "practitionerspecialisation": _KEEP_DELETE,
            "workinghours": _KEEP_DELETE,
            "extrahours": _KEEP_DELETE,
            "timeoff": _KEEP_DELETE,
            "servicecategory": _CATALOGUE,
            "service": _CATALOGUE,
            "offering": _KEEP_DELETE,
            "referringdoctor": _KEEP,
            "patient": _READ,
            "appointment": f"{_READ} approve decline cancel reopen",
            "equipmentuse": "view",
            "statuschange": "view",
            "auditentry": "view",
        },
    ),
    "receptionist": Role(
        _("Receptionist"),
        _("Registers patients, books, moves and cancels, checks in; sees no clinical content."),
        {
            "location": "view",
            "room": "view",
            "equipment": "view",
            "openinghours": "view",
            "dayexception": "view",
            "specialisation": "view",
            "practitioner": "view",
            "practitionerspecialisation": "view",
            "workinghours": "view",
            "extrahours": "view",
            "timeoff": "view add change",
            "servicecategory": "view",
            "service": "view",
            "offering": "view",
            "referringdoctor": "view add change",
            "patient": "view add change",
            "appointment": f"view change {_DESK} overlap outside_hours past",
            "equipmentuse": "view",
            "statuschange": "view",
        },
    ),
    "practitioner": Role(
        _("Practitioner"),
        _("Sees and treats the patients booked with them or registered by them; colleagues' time is only “busy”."),
        {
            "location": "view",
            "room": "view",
            "equipment": "view",
            "openinghours": "view",
            "dayexception": "view",
            "specialisation": "view",
            "practitioner": "view",
            "practitionerspecialisation": "view",
            "workinghours": _kept("keep_hours"),
            "extrahours": _kept("keep_hours"),
            "timeoff": _kept("keep_blocks"),
            "servicecategory": "view",
            "service": "view",
            "offering": "view",
            "referringdoctor": "view",
            "patient": "view:own add change:own",
            "appointment": f"view:own change:own book:own move:own cancel:own {_TREAT}",
            "equipmentuse": "view:own",
            "statuschange": "view:own",
        },
    ),
}


class _IsOneOf(Func):
    """Is the column among the rows of a query that is read once, before the rest? Then what the rest costs hangs on
    those rows. With IN the planner may read the whole table, or the query again for every row that it looks at."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY ("
    output_field = BooleanField()

    def __init__(self, column: str, keys: QuerySet):
        super().__init__(F(column), ArraySubquery(keys))


def _own_patients(user):
    # Booked with them or registered by them. Care teams join it here.
    booked = apps.get_model(APP, "Appointment").objects.filter(practitioner=user.practice).order_by()
    registered = apps.get_model(APP, "Patient").objects.filter(registered_by=user).order_by()
    return Q(_IsOneOf("pk", booked.values("patient_id").union(registered.values("pk"), all=True)))


OWN: dict[str, Callable] = {
    "appointment": lambda user: Q(practitioner=user.practice),
    "equipmentuse": lambda user: Q(appointment__practitioner=user.practice),
    "statuschange": lambda user: Q(appointment__practitioner=user.practice),
    "patient": _own_patients,
    "workinghours": lambda user: Q(practitioner=user.practice),
    "extrahours": lambda user: Q(practitioner=user.practice),
    "timeoff": lambda user: Q(practitioner=user.practice),
}


def scope(user, verb: str, model: type[Model] | str) -> str | None:
    """The widest scope in which `user` may do `verb` to rows of `model`: ANY, OWN_ONLY or None."""
    name = model if isinstance(model, str) else str(model._meta.model_name)
    if not user.is_active:
        return None
    if user.is_superuser:
        return ANY
    scopes = {ROLES[role].scope(name, verb, user.is_on) for role in user.roles if role in ROLES}
    return ANY if ANY in scopes else OWN_ONLY if OWN_ONLY in scopes else None


def visible(user, queryset: QuerySet, verb: str = "view") -> QuerySet:
    """The rows of `queryset` on which `user` may do `verb`; none where the function is not granted at all."""
    model = queryset.model
    granted = scope(user, verb, model)
    if granted == ANY:
        return queryset
    if granted == OWN_ONLY:
        return queryset.filter(OWN[model._meta.model_name](user))
    return queryset.none()


def can(user, verb: str, subject: Model | type[Model]) -> bool:
    """May `user` do `verb` to this object (or, given a class or an unsaved object, at all)?"""
    model = subject if isinstance(subject, type) else type(subject)
    granted = scope(user, verb, model)
    if granted != OWN_ONLY or isinstance(subject, type) or subject.pk is None:
        return granted is not None
    return visible(user, model._default_manager.filter(pk=subject.pk), verb).exists()


def codename(verb: str, model: str) -> str:
    return f"{APP}.{verb}_{model}"


def granted_codenames(roles, is_on: Callable[[str], bool] = lambda setting: True) -> set[str]:
    """What Django's own has_perm() answers for holders of these roles; scopes are asked with `can`."""
    found = set()
    for role in roles:
        for model, grants in ROLES[role].grants.items() if role in ROLES else ():
            for grant in grants.split():
                granted, _mark, setting = grant.partition("?")
                if not setting or is_on(setting):
                    found.add(codename(granted.removesuffix(":own"), model))
    return found


def may_sign_in(user) -> bool:
    """Active staff. In production neither superusers (roles are enough) nor the demo's public passwords."""
    if not (user.is_active and user.is_staff):
        return False
    return not (settings.PRODUCTION and (user.is_superuser or user.email.endswith(DEMO_DOMAIN)))


# Every request begins with it.
_USER = f"""SELECT u.*, ARRAY(
    SELECT g.name FROM clinic_user_groups l JOIN auth_group g ON g.id = l.group_id WHERE l.user_id = u.id
) AS role_list, (SELECT ARRAY[{", ".join(SWITCHES)}] FROM clinic_clinicsettings WHERE id = 1) AS switch_list,
(SELECT p.id FROM clinic_practitioner p WHERE p.user_id = u.id) AS practice_id
FROM clinic_user u WHERE u.id = %s"""  # noqa: S608  (names of our own)


class RoleBackend(AuthenticationBackend):
    """Signs in by e-mail (allauth) and answers has_perm() from ROLES, without a query of its own."""

    def user_can_authenticate(self, user):
        # Asked at the sign-in and again for every request: who may no longer come in is out at once.
        return may_sign_in(user)

    def get_user(self, user_id):
        model = apps.get_model(APP, "User")
        user = next(iter(model._default_manager.raw(_USER, [user_id])), None)
        if user is None or not self.user_can_authenticate(user):
            return None
        user.roles = tuple(sorted(user.role_list))
        user.practice = user.practice_id or 0
        # Nobody saved the settings yet: as they are at first.
        kept = user.switch_list or [getattr(apps.get_model(APP, "ClinicSettings")(), name) for name in SWITCHES]
        user.switches = dict(zip(SWITCHES, kept, strict=True))
        return user

    def get_all_permissions(self, user_obj, obj=None):
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        cached = getattr(user_obj, "_granted", None)
        if cached is None:
            cached = user_obj._granted = granted_codenames(user_obj.roles, user_obj.is_on)
        return cached

    def get_user_permissions(self, user_obj, obj=None):
        return set()

    def get_group_permissions(self, user_obj, obj=None):
        return self.get_all_permissions(user_obj, obj)


def sync_groups(sender=None, using="default", **kwargs) -> None:
    """Write one group per role with exactly its permissions. Idempotent; runs after every migrate."""
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    known = {
        codename_: pk
        for pk, codename_ in Permission.objects.using(using)
        .filter(content_type__app_label=APP)
        .values_list("pk", "codename")
    }
    for name in ROLES:
        group, _created = Group.objects.using(using).get_or_create(name=name)
        wanted = {known[full.split(".", 1)[1]] for full in granted_codenames([name])}
        if set(group.permissions.using(using).values_list("pk", flat=True)) != wanted:
            group.permissions.set(wanted)
