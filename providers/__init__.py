"""Providers collect money; each folder speaks one institution's wire."""
