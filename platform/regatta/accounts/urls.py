"""Addresses of signing up, logging in and API keys."""

from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.urls import path, reverse_lazy

from regatta.access import for_contributors, open_to_all
from regatta.accounts import views

urlpatterns = [
    path("signup/", views.sign_up, name="signup"),
    path(
        "login/",
        open_to_all()(LoginView.as_view(template_name="accounts/login.html", redirect_authenticated_user=True)),
        name="login",
    ),
    path("logout/", open_to_all()(LogoutView.as_view()), name="logout"),
    path(
        "password/",
        for_contributors()(
            PasswordChangeView.as_view(template_name="accounts/password.html", success_url=reverse_lazy("account"))
        ),
        name="password",
    ),
    path("keys/", views.create_key, name="create_key"),
    path("keys/<str:public_id>/revoke/", views.revoke_key, name="revoke_key"),
]
