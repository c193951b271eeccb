"""Addresses of today. Named as pages of the appointment, so that the crawler asks them for its rights."""

from django.urls import path

from clinic.admin.today import views
from clinic.admin.today.sheet import sheet_view


def addresses(guarded):
    """`guarded` is the site's own wrapper: signed in, member of staff, policy of the desk."""
    return [
        path("today/", guarded(views.page_view), name="clinic_appointment_today"),
        path("today/board/", guarded(views.board_view), name="clinic_appointment_today_board"),
        path("today/sheet/", guarded(sheet_view), name="clinic_appointment_today_sheet"),
    ]
