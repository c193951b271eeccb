"""The page for what went wrong: an answer of its own while the database is away, so that nobody types twice."""

import sys

from django.template.response import SimpleTemplateResponse
from django.views.defaults import server_error as broken

from clinic.database import conflicts

# What a browser, a proxy or a program waits before it asks again. A restart takes about as long.
RETRY_SECONDS = 3


def server_error(request):
    """Django's handler500. A lost database is no fault of the page: 503, and whether anything was saved."""
    error = sys.exc_info()[1]
    if error is None or not conflicts.lost(error):
        return broken(request)
    # Who cannot be reached has saved nothing. A connection that breaks may have, a moment before.
    unknown = request.method not in ("GET", "HEAD") and not isinstance(error, conflicts.UnreachableError)
    response = SimpleTemplateResponse("503.html", {"unknown": unknown}, status=503)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response.render()
