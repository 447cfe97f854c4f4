"""Buffering between a host and a model."""
