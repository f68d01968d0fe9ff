"""The GraphQL endpoint that the unmodified numerapi speaks to; one file per resource, thin over the apps.

`numerapi.base_api.API_TOURNAMENT_URL = "https://host/graphql/"` is all that a contributor changes.
"""
