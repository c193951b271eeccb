"""Rows of several tables in one statement are what a query each would have brought."""

from django.forms import model_to_dict

from clinic.database.rows import read_together
from clinic.models import Location, Patient, Practitioner, Service


def test_rows_read_together_are_those_of_the_orm(world, django_assert_num_queries):
    wanted = [(Patient, world.anna.pk), (Service, world.massage.pk), (Practitioner, world.ada.pk)]
    with django_assert_num_queries(1):
        found = read_together([*wanted, (Location, world.camerino.pk)])
    assert found == [world.anna, world.massage, world.ada, world.camerino]
    for row in found:
        stored = type(row).objects.get(pk=row.pk)
        assert {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields} == {
            f.attname: getattr(stored, f.attname) for f in stored._meta.concrete_fields
        }
        assert model_to_dict(row) == model_to_dict(stored)
        assert not row._state.adding
    # Converted like any other: a text of two languages, not its JSON.
    assert str(found[1]) == str(world.massage)


def test_rows_that_are_not_there_are_none(world):
    assert read_together([(Patient, 0), (Service, world.massage.pk)]) == [None, world.massage]
