"""What goes in and out of a wallet on the person's side, field by field."""

from pydantic import Field

from bot.sandbox.shapes import Asked, Told
from providers.sdk.money import MINOR_MAX


class WalletSeen(Told):
    """`payer_code` changes every minute; `wallet_class` is empty where wallets have none (e-CNY's do)."""

    id: str
    name: str
    name_zh: str
    balance_minor: int
    currency: str
    payer_code: str
    wallet_class: str


class ClassAsked(Asked):
    """The class of an e-CNY wallet: IV, III, II or I."""

    wallet_class: str = Field(min_length=1, max_length=8)


class TopUpAsked(Asked):
    """Play money from the owner's bank account."""

    amount_minor: int = Field(gt=0, le=MINOR_MAX)


class WalletsSeen(Told):
    """All wallets; which codes each can pay is the interconnection table's to say."""

    wallets: list[WalletSeen]


class MoveSeen(Told):
    """`minor` is negative when money left the wallet."""

    at: str
    minor: int
    memo: str


class HistorySeen(Told):
    """Newest first."""

    moves: list[MoveSeen]
