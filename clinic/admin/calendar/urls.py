"""Addresses of the calendar. Named as pages of the appointment, so that the crawler asks them for its rights."""

from django.urls import path

from clinic.admin.calendar import moves, views


def addresses(guarded):
    """`guarded` is the site's own wrapper: signed in, member of staff, policy of the desk."""
    return [
        path("calendar/", guarded(views.page_view), name="clinic_appointment_calendar"),
        path("calendar/feed/", guarded(views.feed_view), name="clinic_appointment_calendar_feed"),
        path("calendar/list/", guarded(views.list_view), name="clinic_appointment_calendar_list"),
        path("calendar/print/", guarded(views.print_view), name="clinic_appointment_calendar_print"),
        path("calendar/<path:object_id>/move/", guarded(moves.move_view), name="clinic_appointment_calendar_move"),
        path("calendar/<path:object_id>/back/", guarded(moves.move_back_view), name="clinic_appointment_calendar_back"),
    ]
