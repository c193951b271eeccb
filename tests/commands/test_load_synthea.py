"""A Synthea export comes in whole, once, without what must not be read."""

import csv
import datetime as dt
import os
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from clinic.models import (
    Appointment,
    AuditEntry,
    Location,
    Organization,
    Patient,
    Practitioner,
    Service,
    ServiceCategory,
    StatusChange,
)
from clinic.services.exchange import synthea
from tests import factories as make

EXCERPT = Path(__file__).resolve().parents[1] / "data" / "synthea"
WHOLE = Path(os.environ.get("SYNTHEA_FOLDER") or Path(__file__).resolve().parents[2] / "../shared/data/synthea")

RECORDED = (Organization, Location, Patient, Practitioner, ServiceCategory, Service, Appointment)


def load(folder=EXCERPT, **options):
    out = StringIO()
    call_command("load_synthea", folder, stdout=out, **options)
    return out.getvalue()


def counts():
    return [model.objects.count() for model in RECORDED] + [model.history.count() for model in RECORDED]


def copy(tmp_path, name, change):
    """The excerpt with one file's text changed."""
    folder = tmp_path / "export"
    shutil.copytree(EXCERPT, folder)
    (folder / name).write_text(change((folder / name).read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def test_load_synthea_brings_patients_practitioners_and_visits(db):
    said = load()
    assert (Patient.objects.count(), Practitioner.objects.count(), Appointment.objects.count()) == (4, 10, 54)
    assert "1  left out" in said
    assert "it lasts longer than 24 hours" in said
    assert set(Appointment.objects.values_list("status", "source")) == {("completed", "import")}
    assert StatusChange.objects.filter(old="", new="completed", verb="import").count() == 54
    assert counts()[:7] == counts()[7:]
    location = Location.objects.get()
    assert (location.name, location.time_zone, location.organization.currency) == (
        "Synthea",
        "America/Los_Angeles",
        "USD",
    )
    assert not Service.objects.filter(active=True).exists()
    assert AuditEntry.objects.filter(verb="import").count() == 1


def test_load_synthea_twice_changes_nothing(db):
    load()
    before, looked = counts(), AuditEntry.objects.count()
    said = load()
    assert counts() == before
    assert AuditEntry.objects.count() == looked
    assert StatusChange.objects.count() == 54
    assert "54  appointments known already" in said


def test_load_synthea_with_more_visits_adds_only_those(db, tmp_path):
    def without_last_line(text):
        return "\n".join(text.splitlines()[:-1]) + "\n"

    load(copy(tmp_path, "encounters.csv", without_last_line))
    assert Appointment.objects.count() == 53
    load()
    assert Appointment.objects.count() == 54
    assert Patient.objects.count() == 4


def test_load_synthea_converts_moments_and_keeps_the_local_day(db):
    load()
    visit = Appointment.objects.get(old_reference="synthea:33dc326d-4b64-921b-4afe-6456415a2e78")
    assert visit.start_at == dt.datetime(2021, 8, 23, 3, 26, 50, tzinfo=dt.UTC)
    assert visit.end_at == dt.datetime(2021, 8, 23, 3, 41, 50, tzinfo=dt.UTC)
    assert visit.day == dt.date(2021, 8, 22)
    assert str(visit.service) == "Well child visit"
    assert str(visit.price_quoted) == "146.76"


def test_load_synthea_keeps_digits_and_accents_in_names(db):
    load()
    assert set(Patient.objects.values_list("given_name", "family_name")) >= {
        ("Jorge Luis88", "Vela532"),
        ("Silvia880", "Farías160"),
    }
    assert Patient.objects.matching("farias160").get().given_name == "Silvia880"


def test_load_synthea_makes_the_dead_inactive(db):
    load()
    dead = Patient.objects.get(active=False)
    assert (dead.family_name, dead.deceased_on) == ("Goodwin327", dt.date(1964, 12, 6))
    assert not Patient.objects.filter(active=True, deceased_on__isnull=False).exists()


def test_load_synthea_does_not_read_identity_numbers(db):
    load()
    with (EXCERPT / "patients.csv").open(encoding="utf-8", newline="") as file:
        secrets = {row[column] for row in csv.DictReader(file) for column in ("SSN", "DRIVERS", "PASSPORT")} - {""}
    stored = "".join(str(row) for model in (Patient, Patient.history.model) for row in model._default_manager.values())
    assert secrets
    assert not [secret for secret in secrets if secret in stored]


def check_overlaps():
    """Each visit marked as overlapping meets one that began no later and holds its time; their number."""
    marked = Appointment.objects.exclude(overlap_reason="")
    for visit in marked:
        assert not visit.holds
        meets = Appointment.objects.filter(
            holds=True, start_at__lte=visit.start_at, end_at__gt=visit.start_at, start_at__lt=visit.end_at
        )
        assert (meets.filter(patient=visit.patient_id) | meets.filter(practitioner=visit.practitioner_id)).exists()
    assert Appointment.objects.filter(holds=False).count() == marked.count()
    return marked.count()


def test_load_synthea_marks_the_later_of_two_overlapping_visits(db):
    load()
    assert check_overlaps() == 1


def test_load_synthea_into_an_existing_location_uses_its_clock(db):
    location = make.make_location(name="Camerino")
    load(location="Camerino")
    assert set(Appointment.objects.values_list("location", "zone")) == {(location.pk, "Europe/Rome")}
    assert Location.objects.count() == 1


def test_load_synthea_with_another_zone_than_before_is_refused(db):
    load()
    with pytest.raises(CommandError, match="The location Synthea is in America/Los_Angeles, not in Europe/Rome"):
        load(zone="Europe/Rome")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"location": "Nowhere"}, "There is no location named Nowhere"),
        ({"zone": "Europe/Camerino"}, "Europe/Camerino"),
        ({"folder": Path("/nonexistent")}, "patients.csv is missing"),
    ],
)
def test_load_synthea_with_a_wrong_option_is_refused(db, options, message):
    with pytest.raises(CommandError, match=message):
        load(**options)
    assert not Patient.objects.exists()
    assert not Location.objects.exists()


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("patients.csv", "BIRTHDATE", "BORN", "patients.csv, line 1: the column BIRTHDATE is missing"),
        ("patients.csv", "2021-08-22", "22/08/2021", "patients.csv, line 2: "),
        ("patients.csv", "Vela532", "V" * 10_000, "family_name"),
        ("patients.csv", "2021-08-22", "2999-01-01", "A birth date cannot lie in the future"),
        ("encounters.csv", "T03:26:50Z", "T03:26:50", "has no time zone"),
        ("encounters.csv", "146.76", "much", "encounters.csv, line "),
    ],
)
def test_load_synthea_with_a_bad_value_names_it_and_saves_nothing(db, tmp_path, name, old, new, message):
    with pytest.raises(CommandError, match=message):
        load(copy(tmp_path, name, lambda text: text.replace(old, new)))
    assert not Patient.objects.exists()
    assert not Practitioner.objects.exists()


def test_load_synthea_leaves_out_visits_of_strangers_and_backwards_ones(db, tmp_path):
    def change(text):
        lines = text.splitlines()
        stranger = lines[1].replace("593aaa05", "00000000").replace("33dc326d", "11111111")
        backwards = lines[2].replace("aa782438", "22222222").replace("2021-09-27T03:26:50Z", "2021-09-28T03:26:50Z")
        return "\n".join([*lines, stranger, backwards]) + "\n"

    said = load(copy(tmp_path, "encounters.csv", change))
    assert "its patient is not in the export" in said
    assert "it ends before it starts" in said
    assert Appointment.objects.count() == 54


def test_read_is_pure_and_takes_only_named_columns():
    export = synthea.read(EXCERPT)
    assert (len(export.patients), len(export.practitioners), len(export.visits)) == (4, 10, 55)
    assert {visit.category for visit in export.visits} <= {
        "Wellness", "Ambulatory", "Outpatient", "Emergency", "Inpatient", "Urgent care",
        "Skilled nursing", "Home",
    }  # fmt: skip


@pytest.mark.skipif(not WHOLE.is_dir(), reason="the whole export is not on this machine")
def test_load_synthea_brings_the_whole_export(db):
    said = load(WHOLE)
    assert (Patient.objects.count(), Practitioner.objects.count(), Appointment.objects.count()) == (59, 173, 2577)
    assert "13  left out" in said
    assert Patient.objects.filter(active=False).count() == 9
    assert check_overlaps() == 48
    before = counts()
    load(WHOLE)
    assert counts() == before
