"""What an operator must mend before the house can open."""

import errno


class NotReadyError(Exception):
    """The text is one sentence that says what is in the way and what to do."""


class PortTakenError(NotReadyError):
    """Somebody else listens there."""

    def __init__(self, host: str, port: int, setting: str, error: OSError) -> None:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be opened ({error.strerror})"
        super().__init__(
            f"Port {port} on {host} {why}: stop what listens there, or choose another with {setting}."
        )
