"""The WSGI application: pages and JSON."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regatta.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from regatta.environment import refuse_problems

refuse_problems(settings.ENVIRONMENT_PROBLEMS)
application = get_wsgi_application()
