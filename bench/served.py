"""The product as the bench serves it: as it is, but for the length of the list's pages, which is the peers'."""

from config.wsgi import application

ROWS = 100


def lengthen_pages() -> None:
    # Not before the application is loaded.
    from django.contrib import admin

    from clinic.models import Appointment

    admin.site.get_model_admin(Appointment).list_per_page = ROWS


lengthen_pages()

__all__ = ["application", "lengthen_pages"]
