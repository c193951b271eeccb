"""The admin site."""

from unfold.sites import UnfoldAdminSite


class Desk(UnfoldAdminSite):
    pass
