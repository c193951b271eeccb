"""How a kept file leaves: to be saved, never run. Asking whether this person may have it is the caller's part."""

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404

from clinic.models import StoredFile


def answer(stored: StoredFile) -> FileResponse:
    """The file as an attachment, in a sandbox, with the type that the door found out; 404 where its bytes are gone."""
    try:
        content = default_storage.open(stored.path)
    except FileNotFoundError as error:
        raise Http404 from error
    headers = {
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-store",
    }
    return FileResponse(
        content, as_attachment=True, filename=stored.name, content_type=stored.content_type, headers=headers
    )
