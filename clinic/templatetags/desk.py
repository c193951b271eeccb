"""What pages of the desk include: the checklist of a new clinic."""

from dataclasses import dataclass

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from clinic.insights import first_run as insight
from clinic.models import Practitioner, Service
from clinic.permissions import can

register = template.Library()


@dataclass(frozen=True)
class Step:
    """A line of the checklist; `link` is the form that does it."""

    done: bool
    title: str
    hint: str
    link: str


@register.inclusion_tag("admin/first_run.html", takes_context=True)
def first_run(context):
    """The checklist, for who can set the clinic up; nothing where a first booking can be taken."""
    user = context["request"].user
    may = can(user, "add", Service) and can(user, "add", Practitioner)
    start = insight.start() if may else None
    steps = _steps(start) if start else []
    return {"steps": steps, "done": sum(step.done for step in steps)}


def _steps(start: insight.Start) -> list[Step]:
    opens = _page("location", start.unopened, otherwise="changelist")
    if start.category:
        service = (_("What can be booked: how long it takes, what it costs, what it needs."), _page("service"))
    else:
        service = (_("First a category, such as “Physiotherapy”: services stand in one."), _page("servicecategory"))
    treats = _page("practitioner", start.offers_nothing)
    works = reverse("admin:clinic_practitioner_hours", args=[start.has_no_hours]) if start.has_no_hours else treats
    return [
        Step(
            start.opening_hours,
            _("Opening hours"),
            _("When the clinic is open; nothing is offered outside of them."),
            opens,
        ),
        Step(start.service, _("A service"), *service),
        Step(start.practitioner, _("Somebody who treats"), _("With or without a sign-in."), _page("practitioner")),
        Step(
            start.offering,
            _("What they offer"),
            _("On the practitioner’s page: services, at own prices if wanted."),
            treats,
        ),
        Step(start.working_hours, _("When they work"), _("Weekly hours, at one location or several."), works),
        Step(
            start.resources,
            _("Rooms and equipment"),
            _("A room of the right kind where the practitioner works, if the service wants one."),
            _page("room"),
        ),
    ]


def _page(model: str, key: int | None = None, *, otherwise: str = "add") -> str:
    """The form of this record; where none is named, the form that adds one, or another page of the model."""
    if key is None:
        return reverse(f"admin:clinic_{model}_{otherwise}")
    return reverse(f"admin:clinic_{model}_change", args=[key])
