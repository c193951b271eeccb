"""The door's forms: allauth's, in our words."""

from allauth.account.forms import LoginForm, SetPasswordForm
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django.utils.translation import gettext_lazy as _


class SignInForm(LoginForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail")
        self.fields["login"].widget.attrs |= {"autocomplete": "username", "autofocus": True}


class NewPasswordForm(SetPasswordForm):
    """Behind a link: a new password, twice."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = _("New password")
        self.fields["password1"].widget.attrs["autofocus"] = True
        self.fields["password2"].label = _("New password, again")


class CodeFormMixin:
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "autofocus": True, "maxlength": 16}


class CodeForm(CodeFormMixin, AuthenticateForm):
    pass


class CodeAgainForm(CodeFormMixin, ReauthenticateForm):
    pass


class PasskeyForm(AddWebAuthnForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name")
        self.fields["name"].help_text = _("So that you tell it apart later: “My phone”, “Key on my ring”.")
        alone = self.fields["passwordless"]
        alone.label, alone.initial = _("Sign in with it alone, without password"), True
        alone.help_text = _("It asks for your finger, your face or a PIN each time.")
