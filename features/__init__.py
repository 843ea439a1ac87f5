"""From a market to one row a session: the feature matrix, point in time."""

from features.altcoins import altcoin_index
from features.breakout import BreakoutPath, BreakoutRule, breakout_path
from features.breakout_transitions import breakout_events, breakout_grid
from features.coins import asset_prices, ewma_volatility
from features.errors import DataError
from features.family import Family
from features.flow_episodes import FlowQuarantine, flow_quarantine
from features.levels import index_closes
from features.market import Market, Panel
from features.matrix import Features, constant_columns, feature_matrix, feature_quality, features_with_quality
from features.scaling import expanding_z, rolling_z

__all__ = [
    "BreakoutPath",
    "BreakoutRule",
    "DataError",
    "Family",
    "Features",
    "FlowQuarantine",
    "Market",
    "Panel",
    "altcoin_index",
    "asset_prices",
    "breakout_events",
    "breakout_grid",
    "breakout_path",
    "constant_columns",
    "ewma_volatility",
    "expanding_z",
    "feature_matrix",
    "feature_quality",
    "features_with_quality",
    "flow_quarantine",
    "index_closes",
    "rolling_z",
]
