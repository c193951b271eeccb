"""Addresses of the palette; what it finds is the site's own `search`."""

from django.urls import path

from clinic.admin.palette import views


def addresses(guarded):
    """`guarded` is the site's own wrapper: signed in, member of staff, policy of the desk."""
    return [path("favourites/", guarded(views.favourite_view), name="favourites")]
