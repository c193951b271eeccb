"""PDF by WeasyPrint, from templates under templates/documents. Nothing is fetched: what a document shows is in it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from clinic.exceptions import RuleBroken

log = logging.getLogger(__name__)


def render(template: str, context: Mapping[str, Any]) -> bytes:
    """The document as PDF. Call it outside transactions: it takes its time. Refused where the machine lacks what
    WeasyPrint needs."""
    try:
        # Loads Pango from the system, which is not there on every machine that runs the rest.
        import weasyprint
    except OSError as error:
        log.exception("WeasyPrint cannot load its system libraries")
        raise RuleBroken(
            "no_pdf",
            _("This server cannot make PDF files: the library Pango is missing. Tell whoever keeps the server."),
        ) from error
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols=[])
    return weasyprint.HTML(string=render_to_string(template, dict(context)), url_fetcher=fetcher).write_pdf()
