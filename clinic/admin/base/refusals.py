"""How a refusal reaches the person: as a sentence beside the field or on the page, with everything typed still there.

Rules refuse with RuleBroken; the database's own refusals are turned into the same sentences here.
"""

import dataclasses
from dataclasses import dataclass

from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import DataError, IntegrityError
from django.db.models import ProtectedError
from django.http import QueryDict
from django.utils.translation import gettext as _

from clinic import permissions
from clinic.exceptions import RuleBroken

ACCEPT, REASON, INSTEAD = "_accept", "_reason", "_instead"

REFUSALS = (RuleBroken, ValidationError, IntegrityError, DataError, ProtectedError)


@dataclass(frozen=True)
class Refusal:
    """What a page needs to show a refusal and, where allowed, the way past it."""

    message: str
    code: str = ""
    field: str = ""
    acceptable: bool = False
    errors: dict = dataclasses.field(default_factory=dict)
    alternatives: tuple = ()

    def blame(self, form):
        """Put the sentences on the form, beside their fields where it has them."""
        for name, messages in (self.errors or {self.field: [self.message]}).items():
            place = form.said_by.get(name, name)
            form.add_error(place if place in form.fields else None, messages)


def _constraint(name):
    for model in apps.get_app_config("clinic").get_models():
        for constraint in model._meta.constraints:
            if constraint.name == name:
                return constraint, None
        for column in model._meta.concrete_fields:
            # PostgreSQL's own name for `unique=True`.
            if column.unique and name == f"{model._meta.db_table}_{column.column}_key":
                return None, column
    return None, None


def _by_the_database(error) -> Refusal:
    cause = error.__cause__
    state = getattr(cause, "sqlstate", "") or ""
    name = getattr(getattr(cause, "diag", None), "constraint_name", "") or ""
    constraint, column = _constraint(name)
    if column is not None:
        sentence = column.error_messages["unique"] % {
            "model_name": column.model._meta.verbose_name,
            "field_label": column.verbose_name,
        }
        return Refusal(sentence, code=name, field=column.name)
    if constraint is not None and constraint.violation_error_message != constraint.default_violation_error_message:
        return Refusal(str(constraint.violation_error_message), code=name)
    sentences = {
        "23505": _("This is there already."),
        "23P01": _("Something else is there at that time already."),
        "23503": _("What this refers to is gone, or other records still refer to this."),
        "23514": _("These values do not go together."),
        "22001": _("A text is too long."),
        "22003": _("A number is too large."),
    }
    return Refusal(sentences.get(state, _("The database refused this; nothing was saved.")), code=name or state)


def refusal_of(error) -> Refusal:
    """The refusal that an exception of REFUSALS stands for."""
    if isinstance(error, RuleBroken):
        return Refusal(
            str(error), error.code, error.field, acceptable=error.acceptable, alternatives=error.alternatives
        )
    if isinstance(error, ProtectedError):
        return Refusal(_("Other records still refer to this, so it stays."), code="protected")
    if isinstance(error, ValidationError):
        errors = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
        return Refusal(" ".join(error.messages), code=getattr(error, "code", "") or "invalid", errors=errors)
    return _by_the_database(error)


@dataclass(frozen=True)
class Acceptance:
    """The refusals that the person goes past with this request, and why."""

    codes: tuple[str, ...] = ()
    reason: str = ""

    @classmethod
    def of(cls, request) -> "Acceptance":
        codes = tuple(dict.fromkeys(code for code in request.POST.getlist(ACCEPT) if code))
        return cls(codes, request.POST.get(REASON, "").replace("\x00", "").strip()[:200])

    def check(self, request, subject, verbs):
        """Each code needs the permission that goes with it: hidden inputs can be forged."""
        if not all(permissions.can(request.user, verbs.get(code, code), subject) for code in self.codes):
            raise PermissionDenied

    def arguments(self, reason="") -> dict:
        """Keyword arguments for the service. Who goes past a rule says why, here or in the form's own `reason`: without
        a reason nothing is accepted, and the rule refuses again."""
        reason = self.reason or reason.strip()
        return {"accept": set(self.codes), "reason": reason} if self.codes and reason else {}


def posted(request) -> QueryDict:
    """What was posted; a button that takes an alternative lays its values over what was typed."""
    if INSTEAD not in request.POST:
        return request.POST
    data = request.POST.copy()
    for name, value in QueryDict(request.POST[INSTEAD]).items():
        if not name.startswith("_") and name != "csrfmiddlewaretoken":
            data[name] = value
    return data


def way_past(request, refusal, subject, verbs) -> bool:
    """May this person go on in spite of it?"""
    return refusal.acceptable and permissions.can(request.user, verbs.get(refusal.code, refusal.code), subject)
