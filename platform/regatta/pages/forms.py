"""What contributors type on pages: a new model, points to move, a file to send."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from regatta.accounts.models import User
from regatta.submissions.models import ContributedModel


class NewModelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A slot in a tournament; its name is public and of all tournaments."""

    class Meta:
        model = ContributedModel
        fields = ["tournament", "name", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 2, "maxlength": 500})}
        help_texts = {"name": "3 to 40 small letters, digits and underscores; begins with a letter."}
        error_messages = {
            "name": {
                "unique": "A model of this name exists; choose another name.",
                "invalid": "Use 3 to 40 small letters, digits and underscores, a letter first.",
            }
        }

    def __init__(self, *args: object, owner: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.instance.owner = owner


class StakeForm(forms.Form):
    """Points to put at stake or to take back; `key` makes a form sent twice count once."""

    points = forms.DecimalField(min_value=Decimal("0.000001"), max_digits=18, decimal_places=6)
    direction = forms.ChoiceField(choices=[("put", "Put at stake"), ("take", "Take back")])
    key = forms.CharField(max_length=40)

    def clean(self) -> dict[str, Any]:
        """Decimal takes the digits of every script; people who read the ledger do not."""
        if not self.data.get("points", "").isascii():
            self.add_error("points", "Use the digits 0 to 9.")
        return self.cleaned_data
