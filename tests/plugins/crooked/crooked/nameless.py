"""A provider under another name than its own."""

from plainpay import plugin

__all__ = ["plugin"]
