"""The model card: one HTML page that says what a ``.nm`` file is, and lets people hear it."""

from neutone_sdk.card.measuring import BlockTime, Measurements, measure
from neutone_sdk.card.page import card_page

__all__ = ["BlockTime", "Measurements", "card_page", "measure"]
