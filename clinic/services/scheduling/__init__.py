"""The booking path. `scheduling.book(...)`, `scheduling.cancel(...)`: a verb per function; `slots` finds free times."""

from clinic.services.scheduling import slots
from clinic.services.scheduling.booking import book, is_late, move
from clinic.services.scheduling.claims import forget_claims
from clinic.services.scheduling.moving_back import move_back
from clinic.services.scheduling.statuses import (
    approve,
    cancel,
    check_in,
    complete,
    confirm,
    decline,
    expire,
    expire_requests,
    mark_no_show,
    reopen,
    start,
    undo,
)
from clinic.services.scheduling.taking_back import take_back
from clinic.services.scheduling.walk_in import walk_in

__all__ = [
    "approve",
    "book",
    "cancel",
    "check_in",
    "complete",
    "confirm",
    "decline",
    "expire",
    "expire_requests",
    "forget_claims",
    "is_late",
    "mark_no_show",
    "move",
    "move_back",
    "reopen",
    "slots",
    "start",
    "take_back",
    "undo",
    "walk_in",
]
