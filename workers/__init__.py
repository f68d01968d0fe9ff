"""Celery processes: what runs, when, on which machine and device. Start one by `celery -A workers worker -Q io`."""

import os
import sys
from pathlib import Path

# The one other place that names the source root `platform/` (see manage.py): workers start without manage.py.
_SOURCE_ROOT = str(Path(__file__).resolve().parent.parent / "platform")
if _SOURCE_ROOT not in sys.path:
    sys.path.insert(0, _SOURCE_ROOT)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regatta.settings")
