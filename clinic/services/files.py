"""The one door for files from outside: judged by what they hold, rebuilt, kept privately under a random name.

Screens check with `picture` in their forms and keep with `keep`; what is kept is given out by admin/base/files.
"""

from __future__ import annotations

import hashlib
import io
import struct
from dataclasses import dataclass
from pathlib import PurePath

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image, ImageFile, ImageOps

from clinic.exceptions import RuleBroken
from clinic.models import StoredFile

MOST_MEGABYTES = 4
MOST_MEGAPIXELS = 16
ENDINGS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
# What the decoders say about pictures that are none, or not whole.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)


@dataclass(frozen=True)
class Checked:
    """A file that may come in: its bytes are our own, not those that were sent."""

    name: str
    content_type: str
    content: bytes


def picture(upload: UploadedFile, *, within: tuple[int, int]) -> Checked:
    """The picture anew as PNG, no larger than `within` (width, height), without whatever else was in the file.

    Refused, all beside the field `picture`: `file_empty`, `file_too_large`, `no_picture` (PNG, JPEG and WebP are; the
    content decides), `ending_lies` (content and name differ), `too_many_pixels` (asked before anything is unpacked).
    """
    if not upload.size:
        raise _refused("file_empty", _("This file is empty."))
    if upload.size > MOST_MEGABYTES * 1024 * 1024:
        raise _refused("file_too_large", _("This file is larger than %d megabytes.") % MOST_MEGABYTES)
    called = PurePath(upload.name or "")
    ending = called.suffix.lower()
    if ending not in ENDINGS:
        raise _refused("no_picture", _("Only PNG, JPEG and WebP pictures are taken."))
    # WeasyPrint, once it is loaded, lets the whole process read broken pictures, and unpack without a limit.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        upload.seek(0)
        with Image.open(upload, formats=sorted(set(ENDINGS.values()))) as found:
            _judge(found, ending)
            flat = ImageOps.exif_transpose(found).convert("RGBA")
    except _BROKEN as error:
        raise _refused("no_picture", _("This file holds no picture that can be read.")) from error
    flat.thumbnail(within)
    # Pixels alone: the copy is made of them, and metadata, comments and what hung on behind stay outside.
    bare, content = Image.frombytes("RGBA", flat.size, flat.tobytes()), io.BytesIO()
    bare.save(content, "PNG", optimize=True)
    return Checked(f"{called.stem[:100]}.png", "image/png", content.getvalue())


def _judge(found: Image.Image, ending: str) -> None:
    if found.width * found.height > MOST_MEGAPIXELS * 1_000_000:
        raise _refused("too_many_pixels", _("This picture has more than %d million pixels.") % MOST_MEGAPIXELS)
    # Telephones write several pictures into one JPEG; the first is the one.
    held = "JPEG" if found.format == "MPO" else found.format
    if held != ENDINGS[ending]:
        said = {"ending": ending, "format": held}
        raise _refused("ending_lies", _("This file is called %(ending)s but holds %(format)s.") % said)


def keep(checked: Checked) -> StoredFile:
    """Store a checked file. The bytes go first: a row without them would be worse than bytes without a row."""
    row = StoredFile(
        name=checked.name,
        content_type=checked.content_type,
        size=len(checked.content),
        sha256=hashlib.sha256(checked.content).hexdigest(),
    )
    default_storage.save(row.path, ContentFile(checked.content))
    try:
        with transaction.atomic():
            row.save()
    except BaseException:
        default_storage.delete(row.path)
        raise
    return row


def _refused(code: str, sentence: str) -> RuleBroken:
    return RuleBroken(code, sentence, field="picture")
