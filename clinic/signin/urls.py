"""What is open under accounts/. Whatever else allauth could do (sign-up, e-mail, codes, social) has no address here."""

from allauth.account import views as account
from django.urls import include, path

from clinic.signin import views

urlpatterns = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.ChangePassword.as_view(), name="account_change_password"),
    path("invitation/<str:token>/", views.AcceptInvitation.as_view(), name="account_invitation"),
    path("2fa/", include("allauth.mfa.urls")),
]
