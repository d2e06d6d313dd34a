"""Mini programs people open in a chat."""
