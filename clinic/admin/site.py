"""The admin site: the desk. Takes screens that are ClinicAdmins and nothing else."""

from itertools import chain

from csp.decorators import csp_update
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import LogoutView, redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

# The theme's scripts evaluate expressions, and it writes styles into elements: the desk's pages only, see settings.
DESK_POLICY = {"script-src": ["'self'", "'unsafe-eval'"], "style-src": ["'self'", "'unsafe-inline'"]}


class Suggestions(AutocompleteJsonView):
    """What autocompletes offer, in the words of the screen."""

    def get_queryset(self):
        found, model = super().get_queryset(), self.source_field.model
        if not self.admin_site.is_registered(model):
            return found
        return self.admin_site.get_model_admin(model).choosable(self.request, self.source_field, found)

    def serialize_result(self, obj, to_field_name):
        return {**super().serialize_result(obj, to_field_name), "text": self.model_admin.suggestion(obj)}


class Desk(UnfoldAdminSite):
    """Where staff work. Third-party screens are never loaded (see DeskConfig), and refused if they come."""

    index_title = _("Desk")
    site_url = None
    enable_nav_sidebar = True

    def __init__(self, name="admin"):
        super().__init__(name)
        self.disable_action("delete_selected")

    def register(self, model_or_iterable, admin_class=None, **options):
        from clinic.admin.base import ClinicAdmin

        if admin_class is None or not issubclass(admin_class, ClinicAdmin):
            raise ImproperlyConfigured(f"{admin_class} is no ClinicAdmin: its scope would be open.")
        super().register(model_or_iterable, admin_class, **options)

    def get_urls(self):
        # Here, not above: models are not loaded yet when the site is made.
        from clinic.admin.calendar import urls as calendar
        from clinic.admin.dashboard import export as figures
        from clinic.admin.palette import urls as palette
        from clinic.admin.roster import views as roster
        from clinic.admin.today import urls as today

        # "View on site" would turn any content type and key into an address.
        rest = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        ours = [part.addresses(self.admin_view) for part in (calendar, figures, palette, roster, today)]
        return [*chain.from_iterable(ours), *rest]

    def index(self, request, extra_context=None):
        """The front page: cards with figures, as far as this person's role goes."""
        # Here, not above: models are not loaded yet when the site is made.
        from clinic.admin.dashboard import page

        return super().index(request, page.context(request))

    def app_index(self, request, app_label, extra_context=None):
        """There is one app: its list of tables is the front page, in words."""
        return redirect("admin:index")

    def admin_view(self, view, cacheable=False):
        return csp_update(DESK_POLICY)(super().admin_view(view, cacheable))

    # One door (clinic.signin): a form here would let somebody past the second factor, whatever it posts.
    def login(self, request, extra_context=None):
        return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index"))

    def logout(self, request, extra_context=None):
        return LogoutView.as_view(next_page=reverse("account_login"))(request)

    def password_change(self, request, extra_context=None):
        return redirect("account_change_password")

    def autocomplete_view(self, request):
        return Suggestions.as_view(admin_site=self)(request)

    def search(self, request, extra_context=None):
        """The command palette's answers."""
        from clinic.admin.palette.views import search_view

        return search_view(request)
