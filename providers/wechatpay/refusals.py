"""What WeChat Pay's refusals mean. Source: WeChat Pay merchant documents, APIv3, error codes of each call."""

from dataclasses import dataclass
from typing import Final

from providers.sdk.results import Declined, DeclineReason

# Old and new spellings (ORDERNOTEXIST, ORDER_NOT_EXIST) live side by side: keys stand without underscores.
_REASONS: Final = {
    "ORDERPAID": DeclineReason.ALREADY_PAID,
    "OUTTRADENOUSED": DeclineReason.CONFLICT,
    "ORDERCLOSED": DeclineReason.WINDOW,
    "TRADEOVERDUE": DeclineReason.WINDOW,
    "RULELIMIT": DeclineReason.LIMIT,
    "FREQUENCYLIMITED": DeclineReason.LIMIT,
    "RATELIMITEXCEEDED": DeclineReason.LIMIT,
    "SIGNERROR": DeclineReason.MISCONFIGURED,
    "NOAUTH": DeclineReason.MISCONFIGURED,
    "APPIDMCHIDNOTMATCH": DeclineReason.MISCONFIGURED,
    "MCHNOTEXISTS": DeclineReason.MISCONFIGURED,
    "ACCOUNTERROR": DeclineReason.MISCONFIGURED,
    "PARAMERROR": DeclineReason.OTHER,
    "INVALIDREQUEST": DeclineReason.OTHER,
    "RESOURCENOTEXISTS": DeclineReason.OTHER,
    "ORDERNOTEXIST": DeclineReason.OTHER,
    "TRADEERROR": DeclineReason.PAYER,
    "NOTENOUGH": DeclineReason.PAYER,
    "AUTHCODEINVALID": DeclineReason.PAYER,
    "AUTHCODEERROR": DeclineReason.PAYER,
    "AUTHCODEEXPIRE": DeclineReason.PAYER,
    "BUYERMISMATCH": DeclineReason.PAYER,
    "USERACCOUNTABNORMAL": DeclineReason.PAYER,
}
# PARAM_ERROR and INVALID_REQUEST say in words what other codes say by name.
_HINTS: Final = (
    ("已支付", DeclineReason.ALREADY_PAID),
    ("订单号重复", DeclineReason.CONFLICT),
    ("不一致", DeclineReason.CONFLICT),
    ("期限", DeclineReason.WINDOW),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error body, already verified by whoever made this."""

    code: str
    message: str

    @property
    def word(self) -> str:
        """The code as it compares: without underscores."""
        return self.code.replace("_", "").upper()

    @property
    def reason(self) -> DeclineReason | None:
        """None for a code this house does not know."""
        if self.word in {"INVALIDREQUEST", "PARAMERROR"}:
            for hint, reason in _HINTS:
                if hint in self.message:
                    return reason
        return _REASONS.get(self.word)

    def declined(self, reason: DeclineReason | None = None) -> Declined:
        """As the host's answer."""
        return Declined(reason or self.reason or DeclineReason.OTHER, self.code, self.message[:200])
