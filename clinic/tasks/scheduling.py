"""What time does to requests, holds and keys."""

from clinic import actor
from clinic.services import scheduling


def expire_requests() -> int:
    """Requests that nobody answered give their time back."""
    return scheduling.expire_requests(by=actor.SYSTEM)


def forget_claims() -> int:
    """Drop holds that ran out and keys too old to be sent again."""
    return scheduling.forget_claims()
