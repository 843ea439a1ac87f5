"""From services to a store: what a plan names is fetched source by source, and each is written as soon as it is whole."""

from sources.fetch.plan import FetchPlan, read_plan
from sources.fetch.run import Outcome, fetch_into, list_sources

__all__ = ["FetchPlan", "Outcome", "fetch_into", "list_sources", "read_plan"]
