"""What can go wrong between us and an institution, split by whose fault it is.

ProviderError
├── ConfigurationError      ours: a key, a serial, a setting. Nothing was sent.
├── NotSentError            network: the connection never opened. Safe to try again.
├── NoReplyError            network: it may have arrived. Only a query can tell.
└── ReplyError              theirs: an answer that cannot be believed.
    └── SignatureError      theirs, or a stranger's: it does not verify.
"""


class ProviderError(Exception):
    """Root of the family; never raised itself."""


class ConfigurationError(ProviderError):
    """A setting is missing or wrong. The text names the setting and the cure, never its value."""


class NotSentError(ProviderError):
    """No byte reached the institution: refused, unresolved, or no connection in time."""


class NoReplyError(ProviderError):
    """The request may have had its effect: timed out, reset, or cut short."""


class ReplyError(ProviderError):
    """The answer is not in the institution's wire, or speaks of another order."""


class SignatureError(ReplyError):
    """Missing, malformed, stale or wrong signature. One type for all, so that nothing leaks by kind."""
