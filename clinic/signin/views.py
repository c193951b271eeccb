"""The pages at the door that allauth does not have."""

from allauth.account.adapter import get_adapter
from allauth.account.utils import perform_login
from allauth.account.views import PasswordChangeView
from django.contrib import auth, messages
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from clinic.actor import acting
from clinic.exceptions import RuleBroken
from clinic.services import team
from clinic.signin import trail
from clinic.signin.forms import NewPasswordForm


@method_decorator(sensitive_post_parameters("password1", "password2"), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class AcceptInvitation(FormView):
    """A person with a link sets a password and is in. Opening it changes nothing: mail scanners open links too."""

    template_name = "account/invitation.html"
    form_class = NewPasswordForm

    def dispatch(self, request, *args, **kwargs):
        self.invitation = team.find_invitation(kwargs["token"])
        if self.invitation is None:
            # One answer for used, replaced, expired and invented: it tells a stranger nothing.
            return self.response_class(request, "account/invitation_over.html", {}, status=404)
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "user": self.invitation.user}

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs, invitation=self.invitation)

    def form_valid(self, form):
        request, user = self.request, self.invitation.user
        # Somebody else may be signed in at this desk: what follows is the invited person's.
        auth.logout(request)
        by = trail.person(request, user)
        try:
            with acting(by):
                user = team.accept_invitation(self.invitation, password=form.cleaned_data["password1"], by=by)
        except RuleBroken as refusal:
            form.add_error(refusal.field or None, refusal.message)
            return self.form_invalid(form)
        get_adapter(request).forget_failures(request, user)
        # Through allauth, so that a second factor is asked for where there is one.
        return perform_login(request, user)


class ChangePassword(PasswordChangeView):
    def dispatch(self, request, *args, **kwargs):
        if request.user.is_authenticated and not request.user.has_usable_password():
            messages.error(request, _("You have no password yet: ask your administrator for a link."))
            return redirect("mfa_index")
        return super().dispatch(request, *args, **kwargs)
