"""How the list of appointments is cut: today, coming, requests, what nobody resolved."""

from django.contrib.admin import SimpleListFilter
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic import permissions
from clinic.admin.base.filters import DayRangeFilter
from clinic.models import Appointment

SHOW = "show"
TODAY, COMING, REQUESTS, UNRESOLVED, ALL = "today", "coming", "requests", "unresolved", "all"
LABELS = [
    (TODAY, _("Today")),
    (COMING, _("Coming")),
    (REQUESTS, _("Requests")),
    (UNRESOLVED, _("To resolve")),
    (ALL, _("All")),
]
EMPTY = {
    TODAY: _("No appointments today."),
    COMING: _("Nothing is booked yet."),
    REQUESTS: _("No requests wait for an answer."),
    UNRESOLVED: _("Every past visit is resolved. Well done."),
    ALL: _("No appointments yet. Book the first one."),
}
# A badge says "99+" at most: counting further tells nobody more.
COUNTED = 99


def chosen(request) -> str:
    """The cut that the list shows; a search or a filter looks everywhere unless told otherwise."""
    value = request.GET.get(SHOW)
    if value in EMPTY:
        return value
    return ALL if any(key not in ("p", "o", "_popup") and value for key, value in request.GET.items()) else TODAY


def is_plain(request) -> bool:
    """Is it one of the cuts as it is, without a search or a filter?"""
    return not any(key not in (SHOW, "p", "o", "_popup") and value for key, value in request.GET.items())


class ShowFilter(SimpleListFilter):
    """Chosen by the tabs above the list."""

    title = _("show")
    template = "admin/scheduling/no_filter.html"
    parameter_name = SHOW

    def __init__(self, request, params, model, model_admin):
        super().__init__(request, params, model, model_admin)
        self.cut = chosen(request)

    def lookups(self, request, model_admin):
        return LABELS

    def value(self):
        return self.cut

    def choices(self, changelist):
        return list(super().choices(changelist))[1:]

    def queryset(self, request, queryset):
        if self.cut == TODAY:
            return queryset.on_day(timezone.localdate())
        if self.cut == COMING:
            return queryset.filter(start_at__gte=timezone.now(), status__in=Appointment.OPEN)
        if self.cut == REQUESTS:
            return queryset.requests()
        if self.cut == UNRESOLVED:
            return queryset.unresolved()
        return queryset


class VisitDays(DayRangeFilter):
    """The days of visits, each by its location's clock."""

    def queryset(self, request, queryset):
        return queryset.on_days(*(self.days[name] for name in self.expected_parameters()))


def waiting(request) -> dict[str, int]:
    """How many requests and unresolved visits wait for this person; one query a page, at most."""
    found = getattr(request, "_waiting", None)
    if found is None:
        rows = permissions.visible(request.user, Appointment.objects.all()).order_by()
        requests = rows.requests().values("status")[: COUNTED + 1]
        past = rows.unresolved().exclude(status=Appointment.Status.REQUESTED).order_by("start_at").values("status")
        statuses = [row["status"] for row in requests.union(past[: COUNTED + 1], all=True)]
        open_requests = statuses.count(Appointment.Status.REQUESTED)
        found = request._waiting = {REQUESTS: open_requests, UNRESOLVED: len(statuses) - open_requests}
    return found


def _badge(request, cut):
    count = waiting(request)[cut]
    return f"{COUNTED}+" if count > COUNTED else count or ""


def requests_badge(request):
    return _badge(request, REQUESTS)


def unresolved_badge(request):
    return _badge(request, UNRESOLVED)
