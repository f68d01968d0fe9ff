"""The whole schema, with its limits."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.extensions import MaxAliasesLimiter, MaxTokensLimiter, ParserCache, QueryDepthLimiter, ValidationCache
from strawberry.schema.config import StrawberryConfig

from regatta.api.numerapi.accounts import AccountQuery
from regatta.api.numerapi.boards import BoardQuery
from regatta.api.numerapi.chain import ChainQuery
from regatta.api.numerapi.datasets import DatasetQuery
from regatta.api.numerapi.diagnosing import DiagnosticsMutation, DiagnosticsQuery
from regatta.api.numerapi.hosted import HostedMutation, HostedQuery
from regatta.api.numerapi.points import PointsMutation, PointsQuery
from regatta.api.numerapi.profiles import ProfileMutation, ProfileQuery
from regatta.api.numerapi.rounds import RoundQuery
from regatta.api.numerapi.scalars import SCALARS
from regatta.api.numerapi.scores import ScoreQuery
from regatta.api.numerapi.submissions import SubmissionMutation, SubmissionQuery

MAX_DEPTH = 6
MAX_ALIASES = 10
MAX_TOKENS = 1500
KEPT_DOCUMENTS = 128
"""Documents of the client that need not be parsed and checked again."""


@strawberry.type
class Query(
    RoundQuery, DatasetQuery, AccountQuery, ProfileQuery, SubmissionQuery, ScoreQuery, DiagnosticsQuery, HostedQuery,
    BoardQuery, PointsQuery, ChainQuery,
):  # fmt: skip
    """Everything that can be asked."""


@strawberry.type
class Mutation(SubmissionMutation, DiagnosticsMutation, HostedMutation, ProfileMutation, PointsMutation):
    """Everything that can be done."""


class QuietSchema(strawberry.Schema):
    """A schema that leaves it to the view what is logged of an error."""

    def process_errors(self, *_: Any) -> None:
        """Nothing: a refusal is no fault of ours."""


schema = QuietSchema(
    query=Query, mutation=Mutation, config=StrawberryConfig(auto_camel_case=True, scalar_map=SCALARS),
    extensions=[
        lambda: QueryDepthLimiter(max_depth=MAX_DEPTH), lambda: MaxAliasesLimiter(max_alias_count=MAX_ALIASES),
        lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS), lambda: ParserCache(maxsize=KEPT_DOCUMENTS),
        lambda: ValidationCache(maxsize=KEPT_DOCUMENTS),
    ],
)  # fmt: skip
