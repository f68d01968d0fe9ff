"""Contributors in the admin."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from regatta.accounts.models import ApiKey, User

admin.site.register(User, UserAdmin)


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    """Keys without their hashes."""

    list_display = ["name", "owner", "public_id", "created_at", "last_used_at", "revoked_at"]
    exclude = ["secret_hash"]
    readonly_fields = ["owner", "public_id", "created_at", "last_used_at"]
