"""Who acts: staff, patient, system or a program. Mirrored by the database backend into every transaction."""

from __future__ import annotations

import contextlib
import json
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Actor:
    """One acting party.

    `kind` is staff, patient, system or api; `user_id` is set for staff only. `role`, `route`, `ip`, `agent` and
    `purpose` are what the audit trail keeps beside it. Immutable.
    """

    kind: str
    user_id: int | None = None
    role: str = ""
    route: str = ""
    ip: str | None = None
    agent: str = ""
    purpose: str = ""
    user: object | None = field(default=None, compare=False, repr=False)

    def as_json(self) -> str:
        """The form in which triggers read it: see database/audit.sql."""
        return json.dumps(
            {
                "kind": self.kind,
                "user": self.user_id,
                "role": self.role,
                "route": self.route[:200],
                "ip": self.ip,
                "agent": self.agent[:200],
                "purpose": self.purpose[:200],
            },
            separators=(",", ":"),
        )


SYSTEM = Actor(kind="system")

_current: ContextVar[Actor | None] = ContextVar("camerino_actor", default=None)


def staff(user, *, route="", ip=None, agent="") -> Actor:
    """The actor for a signed-in member of staff."""
    return Actor(kind="staff", user_id=user.pk, role=user.role_names, route=route, ip=ip, agent=agent, user=user)


def current() -> Actor | None:
    """The actor of this thread or task, or None where nobody acts (a shell, a migration)."""
    return _current.get()


@contextlib.contextmanager
def acting(actor: Actor | None):
    """Everything written inside the block is this actor's doing."""
    token = _current.set(actor)
    try:
        yield actor
    finally:
        _current.reset(token)
