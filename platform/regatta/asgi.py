"""The ASGI application, for servers that want one; WSGI is faster here."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regatta.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application

from regatta.environment import refuse_problems

refuse_problems(settings.ENVIRONMENT_PROBLEMS)
application = get_asgi_application()
