"""What an operator must mend before the house can open."""


class NotReadyError(Exception):
    """The text is one sentence that says what is in the way and what to do."""
