"""The mini-program SDK."""
