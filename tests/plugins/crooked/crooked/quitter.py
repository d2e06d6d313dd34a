"""Ends the process on import."""

import sys

sys.exit("Goodbye.")
