"""Jobs in the admin: to watch, not to edit."""

from django.contrib import admin

from regatta.jobs.models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    """Newest first, with what failed and why."""

    list_display = ["id", "kind", "queue", "state", "attempt", "worker", "created_at", "finished_at", "fault", "reason"]
    list_filter = ["state", "queue", "kind", "fault"]
    readonly_fields = [field.name for field in Job._meta.fields]
