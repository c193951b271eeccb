"""Screens of staff: who works here, with which roles, and how they come to sign in."""

from django import forms
from django.contrib import admin
from django.db import transaction
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from clinic.admin.base import ClinicAdmin, ClinicForm, record_action
from clinic.admin.base.screen import inactive_badge
from clinic.admin.team.roles import RolesPage
from clinic.models import Invitation, User
from clinic.permissions import ROLES
from clinic.services import team


def has_open_link(user) -> bool:
    return Invitation.objects.filter(user=user, used_at=None, revoked_at=None).exists()


class UserForm(ClinicForm):
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=[(name, format_lazy("{}: {}", role.label, role.description)) for name, role in ROLES.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=format_lazy(
            '<a class="desk-link" href="{}" target="_blank" rel="noopener">{}</a>',
            reverse_lazy("admin:clinic_user_roles"),
            RolesPage.roles_help,
        ),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "roles" in self.fields:
            self.initial.setdefault("roles", list(self.instance.roles))


class RoleFilter(admin.SimpleListFilter):
    title = _("role")
    parameter_name = "role"

    def lookups(self, request, model_admin):
        return [(name, role.label) for name, role in ROLES.items()]

    def queryset(self, request, queryset):
        return queryset.filter(groups__name=self.value()) if self.value() else queryset


@admin.register(User)
class UserAdmin(RolesPage, ClinicAdmin):
    form = UserForm
    list_display = ["__str__", "email", "role_labels", "status"]
    list_filter = ["is_active", RoleFilter]
    search_fields = ["email", "given_name", "family_name"]
    search_help_text = _("Name or e-mail")
    empty = _("Nobody works here yet. Invite the first colleague.")
    add_label = _("Invite")
    stays_after_adding = True
    export_fields = ("given_name", "family_name", "email", "language", "is_active", "date_joined")
    fieldsets = [
        (None, {"fields": ["given_name", "family_name", "email", "language"]}),
        (_("Work"), {"fields": ["roles", "locations"]}),
    ]
    give_link = record_action(
        _("New link to set a password"),
        verb="change",
        service=team.issue_link,
        icon="link",
        confirm=_("Links given before stop working. The password of now holds until the link is used."),
        available=lambda user: user.is_active,
    )
    revoke_link = record_action(
        _("Revoke the open link"),
        verb="change",
        service=team.revoke_link,
        icon="link_off",
        confirm=_("Nobody can set a password with it any more."),
        available=lambda user: user.is_active and has_open_link(user),
    )
    clear_factors = record_action(
        _("Remove second factor"),
        verb="change",
        service=team.clear_factors,
        icon="phonelink_erase",
        confirm=_(
            "Only after recognising the person by other means than e-mail: from here on the password alone opens."
        ),
        available=lambda user: user.is_active,
    )
    deactivate = record_action(
        _("Deactivate"),
        verb="change",
        service=team.deactivate,
        icon="person_off",
        confirm=_("Signed out everywhere at once; cannot sign in any more. What they did stays theirs."),
        available=lambda user: user.is_active,
    )
    reactivate = record_action(
        _("Reactivate"),
        verb="change",
        service=team.reactivate,
        icon="person",
        available=lambda user: not user.is_active,
    )

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups")

    def get_search_results(self, request, queryset, search_term):
        queryset, duplicates = super().get_search_results(request, queryset, search_term)
        match = request.resolver_match
        if match and match.url_name == "autocomplete":
            queryset = queryset.filter(is_active=True)
            if request.GET.get("model_name") == "practitioner":
                queryset = queryset.filter(groups__name="practitioner")
        return queryset, duplicates

    def store(self, request, obj, form, change, by, **accepted):
        roles = form.cleaned_data["roles"]
        if not change:
            self.message_user(request, self.link_message(request, team.invite(obj, roles=roles, by=by)))
            return
        with transaction.atomic():
            obj.save()
            if "roles" in form.changed_data:
                team.assign_roles(obj, roles, by=by)

    def action_done(self, request, action, result):
        if isinstance(result, Invitation):
            return self.link_message(request, result)
        return super().action_done(request, action, result)

    def link_message(self, request, invitation):
        """The link, shown this once: only its hash is kept."""
        link = request.build_absolute_uri(reverse("account_invitation", args=[invitation.token]))
        sentence = _("Give this link to %(name)s. It is shown only now, works once, and until %(until)s:") % {
            "name": invitation.user,
            "until": date_format(timezone.localtime(invitation.expires_at), "SHORT_DATETIME_FORMAT"),
        }
        return format_html('{} <code class="desk-copy">{}</code>', sentence, link)

    @admin.display(description=_("roles"))
    def role_labels(self, user):
        return ", ".join(str(ROLES[group.name].label) for group in user.groups.all() if group.name in ROLES)

    @admin.display(description="")
    def status(self, user):
        return "" if user.is_active else inactive_badge()
