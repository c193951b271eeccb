"""The buttons of a visit: one record action per verb of MOVES, and moving."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import record_action
from clinic.admin.scheduling.columns import is_today
from clinic.admin.scheduling.forms import ApprovalForm, CancelForm, DeclineForm, MoveForm, ReasonForm
from clinic.models import MOVES, Appointment
from clinic.services import scheduling
from clinic.services.scheduling.taking_back import LIMIT

_S = Appointment.Status


def _open_for(verb):
    """Does MOVES know a way with this verb from where the visit is?"""
    return lambda visit: any(old == visit.status and name == verb for (old, _new), name in MOVES.items())


def _is_over(visit):
    return visit.status in (_S.SCHEDULED, _S.CONFIRMED, _S.ARRIVED) and visit.end_at <= timezone.now()


def _was_just_said(visit):
    """Of what the day's own "undo" does not take back. Whose click it was the service looks up."""
    return visit.status in (_S.COMPLETED, _S.NO_SHOW, _S.CANCELLED) and visit.updated_at > timezone.now() - LIMIT


class VisitActions:
    """For AppointmentAdmin. Which of them a visit shows is MOVES' business, who may press them permissions'."""

    approve = record_action(
        _("Approve"),
        verb="approve",
        done=_("Approved"),
        service=scheduling.approve,
        form=ApprovalForm,
        icon="check",
        available=_open_for("approve"),
        bulk=True,
    )
    decline = record_action(
        _("Decline"),
        verb="decline",
        done=_("Declined"),
        service=scheduling.decline,
        form=DeclineForm,
        icon="block",
        available=_open_for("decline"),
    )
    check_in = record_action(
        _("Check in"),
        verb="check_in",
        done=_("Checked in"),
        service=scheduling.check_in,
        icon="how_to_reg",
        available=lambda visit: _open_for("check_in")(visit) and is_today(visit),
        bulk=True,
    )
    start = record_action(
        _("Start"),
        verb="start",
        done=_("Started"),
        service=scheduling.start,
        icon="play_arrow",
        available=_open_for("start"),
    )
    complete = record_action(
        _("Complete"),
        verb="complete",
        done=_("Completed"),
        service=scheduling.complete,
        icon="task_alt",
        available=lambda visit: _open_for("complete")(visit) or _is_over(visit),
        bulk=True,
    )
    confirm = record_action(
        _("Confirm"),
        verb="confirm",
        done=_("Confirmed"),
        service=scheduling.confirm,
        icon="thumb_up",
        available=lambda visit: visit.status == _S.SCHEDULED and visit.start_at > timezone.now(),
        bulk=True,
    )
    move = record_action(
        _("Move"),
        verb="move",
        done=_("Moved"),
        service=scheduling.move,
        form=MoveForm,
        icon="event_repeat",
        dialog=False,
        available=lambda visit: visit.status in Appointment.MOVABLE,
    )
    mark_no_show = record_action(
        _("No-show"),
        verb="mark_no_show",
        done=_("Marked as no-show"),
        service=scheduling.mark_no_show,
        icon="person_off",
        confirm=_("The patient did not come?"),
        available=lambda visit: _open_for("mark_no_show")(visit) and visit.start_at <= timezone.now(),
        bulk=True,
    )
    undo = record_action(
        _("Undo"), verb="undo", done=_("Taken back"), service=scheduling.undo, icon="undo", available=_open_for("undo")
    )
    take_back = record_action(
        _("Take back"),
        verb="undo",
        done=_("Taken back"),
        service=scheduling.take_back,
        icon="undo",
        available=_was_just_said,
    )
    cancel = record_action(
        _("Cancel"),
        verb="cancel",
        done=_("Cancelled"),
        service=scheduling.cancel,
        form=CancelForm,
        icon="event_busy",
        variant="danger",
        available=_open_for("cancel"),
    )
    reopen = record_action(
        _("Correct"),
        verb="reopen",
        done=_("Corrected"),
        service=scheduling.reopen,
        form=ReasonForm,
        icon="history",
        available=_open_for("reopen"),
    )
