"""What contributors type on pages: a new model, points to move, a file to send."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Self

from django import forms
from django.http import QueryDict

from regatta.accounts.models import User
from regatta.submissions.models import ContributedModel
from tournament.errors import BadConfig
from tournament.portfolio.limits import Limits


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


class WhatIfForm(forms.Form):
    """Limits of another book, in per cent of its value; rounded, so that like questions have one answer."""

    gross = forms.DecimalField(label="Gross, %", min_value=1, max_value=400, max_digits=4, decimal_places=1)
    position = forms.DecimalField(label="Position, %", min_value=Decimal("0.1"), max_value=100, decimal_places=1)
    turnover = forms.DecimalField(label="Turnover, %", min_value=1, max_value=1000, decimal_places=1)
    net = forms.DecimalField(label="Net, %", min_value=-100, max_value=100, decimal_places=1)
    aversion = forms.DecimalField(label="Risk aversion", min_value=Decimal("0.1"), max_value=1000, decimal_places=1)
    beta_neutral = forms.BooleanField(label="Beta neutral", required=False)

    @classmethod
    def of(cls, query: QueryDict, limits: Limits) -> Self:
        """The form as asked, or filled with a book's own limits where nothing is asked."""
        shares = {name: f"{100 * getattr(limits, name):.1f}" for name in ("gross", "position", "turnover", "net")}
        own = shares | {"aversion": f"{limits.aversion:.1f}", "beta_neutral": limits.beta_neutral}
        return cls(query) if any(name in query for name in shares) else cls(initial=own)

    def clean(self) -> dict[str, Any]:
        """Refuse what no book can keep to by itself."""
        if not self.errors:
            try:
                self.limits()
            except BadConfig as refused:
                raise forms.ValidationError(str(refused)) from None
        return self.cleaned_data

    def limits(self) -> Limits:
        """The limits asked for. Raises BadConfig."""
        given = self.cleaned_data
        shares = {name: float(given[name]) / 100 for name in ("gross", "position", "turnover", "net")}
        return Limits(**shares, beta_neutral=bool(given["beta_neutral"]), aversion=float(given["aversion"]))
