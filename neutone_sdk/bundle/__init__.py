"""Self-contained plugins: a model, the plugin that plays it, torch, and the operators, in one folder."""

from neutone_sdk.bundle.identity import Identity
from neutone_sdk.bundle.make import Bundle, bundle_model

__all__ = ["Bundle", "Identity", "bundle_model"]
