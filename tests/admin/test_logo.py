"""The logo of a legal entity: uploaded on its form, shown to who may see the entity, refused beside the field."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from clinic.models import Organization, StoredFile
from tests.services.test_files import SVG, drawn


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def send(desk, world):
    """Post the form of the legal entity with this file and more."""

    def post(name=None, content=b"", user=None, **more):
        data = {"name": "Fisioterapia Camerino srl", "country": "IT", "currency": "EUR", **more}
        if name:
            data["picture"] = SimpleUploadedFile(name, content)
        url = reverse("admin:clinic_organization_change", args=[world.organization.pk])
        return desk(user or world.administrator).post(url, data)

    return post


def logo(world):
    return Organization.objects.get(pk=world.organization.pk).logo


def served(client, world):
    return client.get(reverse("admin:clinic_organization_logo", args=[world.organization.pk]))


def test_logo_is_uploaded_shown_and_served_to_be_saved_only(send, desk, world):
    assert send("logo.jpg", drawn("JPEG")).status_code == 302
    client = desk(world.manager)
    page = client.get(reverse("admin:clinic_organization_change", args=[world.organization.pk])).content.decode()
    assert f"/admin/clinic/organization/{world.organization.pk}/logo/?{logo(world).pk}" in page
    response = served(client, world)
    assert b"".join(response.streaming_content).startswith(b"\x89PNG")
    assert {name: response[name] for name in ("Content-Type", "Content-Disposition", "X-Content-Type-Options")} == {
        "Content-Type": "image/png",
        "Content-Disposition": 'attachment; filename="logo.png"',
        "X-Content-Type-Options": "nosniff",
    }
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "no-store" in response["Cache-Control"]


def test_logo_is_replaced_kept_and_taken_away(send, world):
    send("logo.png", drawn())
    first = logo(world)
    send(legal_name="Fisioterapia Camerino srl")
    assert logo(world) == first
    send("other.png", drawn(size=(30, 30)))
    assert logo(world) != first
    send(without_logo="on")
    assert logo(world) is None
    # What was issued with them still shows them.
    assert StoredFile.objects.count() == 2
    logos = world.organization.history.order_by("history_id").values_list("logo", flat=True)
    assert [bool(key) for key in logos] == [False, True, True, True, False]


def test_hostile_logo_is_refused_beside_its_field(send, world, storage):
    for name, content, sentence in (
        ("logo.svg", SVG, "Only PNG, JPEG and WebP pictures are taken."),
        ("logo.png", SVG, "This file holds no picture that can be read."),
        ("logo.png", drawn("JPEG"), "This file is called .png but holds JPEG."),
    ):
        response = send(name, content, legal_name="Not saved")
        assert response.status_code == 200
        assert response.context["adminform"].form.errors == {"picture": [sentence]}
    assert logo(world) is None
    assert Organization.objects.get(pk=world.organization.pk).legal_name != "Not saved"
    assert [path for path in storage.rglob("*") if path.is_file()] == []


def test_logo_wants_the_right_to_see_the_entity(send, desk, world):
    send("logo.png", drawn())
    assert served(desk(world.reception), world).status_code == 403
    assert send("logo.png", drawn(), user=world.manager).status_code == 403
    assert StoredFile.objects.count() == 1


def test_logo_that_is_not_there_leads_to_the_entity(send, desk, world, storage):
    change = reverse("admin:clinic_organization_change", args=[world.organization.pk])
    response = served(desk(world.manager), world)
    assert (response.status_code, response["Location"]) == (302, change)
    send("logo.png", drawn())
    (storage / logo(world).path).unlink()
    assert served(desk(world.manager), world).status_code == 404
