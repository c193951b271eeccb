"""Spreadsheets in tests: made, sent to an import page, and what the page answers."""

import csv
import io

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from clinic.models import Room

HEAD = ["Location", "Kind", "Name", "Places"]


def page(model):
    return reverse(f"admin:clinic_{model}_import")


def csv_of(*rows, delimiter=",", encoding="utf-8"):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def workbook_of(*rows):
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def rehearse(client, model, data, name="rooms.csv"):
    return client.post(page(model), {"file": SimpleUploadedFile(name, data)})


def go(client, model, rehearsal):
    return client.post(page(model), {"carried": rehearsal.context["carried"]})


def errors_of(response):
    return [(row.number, *error) for row in response.context["wrong"] for error in row.errors]


def refusal_of(response):
    assert response.status_code == 200
    return str(response.context["refusal"])


def rooms(world):
    return set(Room.objects.filter(location=world.camerino).values_list("name", "kind__name", "places"))
