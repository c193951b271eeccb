"""Searching rows by the patient they are about: found among patients by their index, then the rows of those few."""

from django.contrib import messages
from django.db.models import F
from django.utils.translation import gettext as _

from clinic import permissions
from clinic.admin.base.paging import CAP
from clinic.models import Patient

# More patients than this under one name: the search wants another word.
PATIENTS_AT_MOST = 500


def of_patients(screen, request, queryset, text):
    """The rows whose patient matches `text`, within the person's scope; where too many do, a message says so."""
    found = permissions.visible(request.user, Patient.objects.matching(text)).newest_keys()
    keys = [row["pk"] for row in found[: PATIENTS_AT_MOST + 1]]
    if len(keys) > PATIENTS_AT_MOST:
        message = _("More than %d patients match; not all are searched. Add another word.") % PATIENTS_AT_MOST
        screen.message_user(request, message, messages.WARNING)
    # By a sum, which no index sorts: in the list's order the planner would look for these few one by one.
    theirs = queryset.filter(patient__in=keys[:PATIENTS_AT_MOST]).order_by((F("pk") + 0).desc())
    return queryset.filter(pk__in=[row["pk"] for row in theirs.values("pk")[: CAP + 1]])
