"""The door for files: what comes in is a picture and nothing else, whatever it was called or carried."""

import io
import struct
import zlib

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageFile, PngImagePlugin

from clinic.exceptions import RuleBroken
from clinic.models import StoredFile
from clinic.services import files

WITHIN = (400, 400)
SECRET = b"zq-secret-of-the-camera"


def drawn(kind="PNG", size=(40, 20), **options):
    content = io.BytesIO()
    mode = "RGB" if kind == "JPEG" else "RGBA"
    Image.new(mode, size, (15, 118, 110, 255)[: len(mode)]).save(content, kind, **options)
    return content.getvalue()


def came(name, content):
    return SimpleUploadedFile(name, content, content_type="image/png")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png(width, height):
    """A few bytes that claim to be so large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    rest = chunk(b"IDAT", zlib.compress(b"\x00" * 5000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + rest


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.png", "PNG"), ("a.jpg", "JPEG"), ("A.JPEG", "JPEG"), ("a.webp", "WEBP"), ("x.php.png", "PNG")],
)
def test_picture_is_made_anew_as_png(name, kind):
    checked = files.picture(came(name, drawn(kind)), within=WITHIN)
    with Image.open(io.BytesIO(checked.content)) as found:
        assert (found.format, found.size, found.mode) == ("PNG", (40, 20), "RGBA")
    assert (checked.content_type, checked.name) == ("image/png", f"{name.rpartition('.')[0]}.png")


def test_large_picture_is_made_to_fit():
    checked = files.picture(came("a.png", drawn(size=(2000, 500))), within=WITHIN)
    assert Image.open(io.BytesIO(checked.content)).size == (400, 100)


def test_picture_keeps_its_pixels_and_loses_the_rest():
    """Metadata, comments, profiles, and what hangs on behind the picture."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    sent = [
        ("a.png", drawn(pnginfo=text, icc_profile=SECRET)),
        ("a.png", drawn() + b"<script>alert(1)</script>PK\x03\x04" + SECRET),
        ("a.jpg", drawn("JPEG", exif=exif, comment=SECRET)),
    ]
    for name, content in sent:
        assert SECRET in content or b"iCCP" in content
        kept = files.picture(came(name, content), within=WITHIN).content
        assert SECRET not in kept
        assert b"script" not in kept
        assert Image.open(io.BytesIO(kept)).info == {}


def test_picture_is_turned_as_its_camera_meant():
    exif = Image.Exif()
    exif[0x0112] = 6
    checked = files.picture(came("a.jpg", drawn("JPEG", exif=exif)), within=WITHIN)
    assert Image.open(io.BytesIO(checked.content)).size == (20, 40)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HOSTILE = {
    "empty": ("a.png", b"", "file_empty"),
    "svg": ("a.svg", SVG, "no_picture"),
    "svg called png": ("a.png", SVG, "no_picture"),
    "html called jpg": ("a.jpg", b"<html><script>alert(1)</script></html>", "no_picture"),
    "pdf called png": ("a.png", b"%PDF-1.7 /JS (app.alert(1))", "no_picture"),
    "executable": ("a.exe", b"MZ", "no_picture"),
    "without an ending": ("logo", drawn(), "no_picture"),
    "ending behind a NUL": ("a.php\x00.png", b"<?php ?>", "no_picture"),
    "gif": ("a.gif", drawn("GIF"), "no_picture"),
    "gif called png": ("a.png", drawn("GIF"), "no_picture"),
    "tiff called png": ("a.png", drawn("TIFF"), "no_picture"),
    "jpeg called png": ("a.png", drawn("JPEG"), "ending_lies"),
    "png called jpg": ("a.jpg", drawn(), "ending_lies"),
    "cut off": ("a.png", drawn(size=(300, 300))[:150], "no_picture"),
    "half a jpeg": ("a.jpg", drawn("JPEG", size=(900, 900))[:2000], "no_picture"),
    "bomb": ("a.png", huge_png(20_000, 20_000), "no_picture"),
    "large beyond reason": ("a.png", huge_png(60_000, 60_000), "no_picture"),
    "many pixels": ("a.png", huge_png(5000, 5000), "too_many_pixels"),
    "text that unpacks": (
        "a.png",
        drawn()[:33] + chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(b"x" * 90_000_000)) + drawn()[33:],
        "no_picture",
    ),
    "megabytes": ("a.png", drawn() + b"\x00" * (4 * 1024 * 1024), "file_too_large"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_file_is_refused_with_a_sentence(what, monkeypatch):
    # As WeasyPrint leaves it behind.
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    name, content, code = HOSTILE[what]
    with pytest.raises(RuleBroken) as refused:
        files.picture(came(name, content), within=WITHIN)
    assert (refused.value.code, refused.value.field) == (code, "picture")
    assert str(refused.value).endswith(".")


@pytest.fixture
def storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def test_kept_file_lies_under_a_random_name_for_its_owner_alone(db, storage):
    checked = files.picture(came("../../etc/logo of us.png", drawn()), within=WITHIN)
    row = files.keep(checked)
    place = storage / row.path
    assert place.read_bytes() == checked.content
    assert (place.stat().st_mode & 0o777, place.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert row.path == f"{row.uid.hex[:2]}/{row.uid.hex}"
    assert (row.name, row.size, len(row.sha256)) == ("logo of us.png", len(checked.content), 64)
    assert row.history.count() == 1


def test_file_whose_row_is_refused_leaves_nothing(db, storage, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise RuleBroken("no", "No.")

    monkeypatch.setattr(StoredFile, "save", refuse)
    with pytest.raises(RuleBroken):
        files.keep(files.picture(came("a.png", drawn()), within=WITHIN))
    assert [path for path in storage.rglob("*") if path.is_file()] == []
    assert default_storage.exists("nothing") is False
