"""Whose records the crawler asks for: Ada's own, Ben's, and deactivated ones. Ben's are full of canaries."""

from dataclasses import dataclass, field

from django.db import models

from clinic.models import (
    Appointment,
    AuditEntry,
    ClinicSettings,
    Equipment,
    EquipmentKind,
    Location,
    Organization,
    Patient,
    Practitioner,
    ReferringDoctor,
    Room,
    RoomKind,
    Service,
    ServiceCategory,
    Specialisation,
    TimeOff,
    User,
)
from tests import factories as make

CANARY = "zqcanary"


@dataclass
class Cast:
    """Per model: {"own": pk, "foreign": pk, "inactive": pk}; models without an owner have no "foreign"."""

    records: dict = field(default_factory=dict)
    users: dict = field(default_factory=dict)


def sing(record):
    """Fill every free text of a record with canaries, so that no leak is silent."""
    for column in record._meta.concrete_fields:
        if not isinstance(column, models.CharField | models.TextField) or column.choices or column.generated:
            continue
        if column.name in ("zone", "country", "language", "old_reference", "overlap_reason", "cancelled_by"):
            continue
        if isinstance(column, models.EmailField):
            setattr(record, column.name, f"{CANARY}@clinic.test")
        elif column.name in ("mobile", "phone", "emergency_phone"):
            setattr(record, column.name, "+39 0987 654321 0123")
        else:
            setattr(record, column.name, f"{CANARY} {column.name}"[: column.max_length])
    record.save()
    return record


def make_cast(world) -> Cast:
    cast = Cast()
    cast.users = {
        "administrator": world.administrator,
        "manager": world.manager,
        "receptionist": world.reception,
        "practitioner": world.ada_user,
        "superuser": make.make_user(None, email="root@clinic.test", is_superuser=True),
        "outsider": world.outsider,
        "anonymous": None,
    }
    foreign_patient = sing(make.make_patient(family_name=CANARY, given_name=CANARY))
    visits = {
        "own": world.visit("10:00", patient=world.anna),
        "foreign": sing(world.visit("10:00", practitioner=world.ben, room=world.room_two, patient=foreign_patient)),
        # Ada saw Carla once; Carla's record is inactive since.
        "inactive": world.visit("12:00", patient=world.carla, status="completed"),
    }
    off = {
        "own": make.make_time_off(practitioner=world.ada, start_at=world.at("10:00", 7), end_at=world.at("11:00", 7)),
        "foreign": sing(
            make.make_time_off(practitioner=world.ben, start_at=world.at("10:00", 7), end_at=world.at("11:00", 7))
        ),
    }
    ClinicSettings(pk=1).save()
    inactive = {"active": False}
    retired_location = make.make_location(organization=world.organization, **inactive)
    cast.records = {
        Appointment: visits,
        Patient: {"own": world.anna, "foreign": foreign_patient, "inactive": world.carla},
        TimeOff: off,
        Organization: {"own": world.organization, "inactive": make.make_organization(**inactive)},
        Location: {"own": world.camerino, "inactive": retired_location},
        RoomKind: {"own": world.gym_kind},
        EquipmentKind: {"own": world.tecar_kind},
        Room: {
            "own": world.room_one,
            "inactive": make.make_room(location=world.camerino, kind=world.gym_kind, **inactive),
        },
        Equipment: {
            "own": world.tecar_unit,
            "inactive": make.make_equipment(location=world.camerino, kind=world.tecar_kind, **inactive),
        },
        ServiceCategory: {"own": world.physiotherapy},
        Service: {"own": world.massage, "inactive": world.retired},
        Specialisation: {"own": make.make_specialisation()},
        ReferringDoctor: {"own": make.make_referring_doctor(), "inactive": make.make_referring_doctor(**inactive)},
        Practitioner: {"own": world.ada, "foreign": world.ben, "inactive": make.make_practitioner(**inactive)},
        User: {"own": world.ben_user, "inactive": make.make_user("manager", is_active=False)},
        ClinicSettings: {"own": ClinicSettings.objects.get(pk=1)},
        AuditEntry: {"own": AuditEntry.objects.latest("pk")},
    }
    return cast
