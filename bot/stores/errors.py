"""One error for stores that cannot be opened: its text is all the operator needs."""


class StoreError(Exception):
    """What is wrong with the store, and what to do."""
