"""System checks of our own: regatta.E001 to E013, one per wrong variable of the environment."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def check_environment(**_: Any) -> list[CheckMessage]:
    """Every variable that holds something that cannot work, with an example of what can."""
    return [
        Error(f"{problem.name} is {problem.found}.", hint=f"{problem.name}={problem.example}", id=problem.number)
        for problem in settings.ENVIRONMENT_PROBLEMS
    ]
