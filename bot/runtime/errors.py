"""What the host itself can fail at. Errors of a mini program are `miniprograms.sdk.errors`.

RuntimeFault
├── BusyError      somebody else holds this seat for longer than a turn may last; the update should come again
├── ConflictError  a turn lost its seat to another process again and again; the update should come again
└── StoreAwayError Redis does not answer (a ConnectionError)
"""


class RuntimeFault(Exception):  # noqa: N818  # the root of a family whose members end in Error
    """Root of the family; never raised itself. Nothing of the turn was kept."""


class BusyError(RuntimeFault):
    """The seat stayed locked. A process that died in a turn gives its seat back after the lock's time."""


class ConflictError(RuntimeFault):
    """The session changed under the turn again and again."""


class StoreAwayError(RuntimeFault, ConnectionError):
    """Redis does not answer, or answers with an error of its own."""
