"""The payers' wallets: play money, what moved it, and the payer code that each wallet shows for a minute."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.sandbox.records import JsonRoom
from providers.sdk.clock import Clock, Random
from providers.sdk.gateway import PurseRefused
from providers.sdk.money import MINOR_MAX, Money
from providers.sdk.wallets import Wallet, wallet_name

CURRENCY: Final = "CNY"
OPENING_MINOR: Final = 1_000_00
HISTORY_SHOWN: Final = 50

# A code is good for a minute; the next one is shown ten seconds earlier, so that nobody reads out a dead one.
CODE_LIVES: Final = timedelta(seconds=60)
CODE_SHOWN: Final = timedelta(seconds=50)

# How the wallets' payer codes begin, and how many digits they have in all, as acquirers' detectors read them. Two are
# not settled in public: Hebao is seen with 10…, which is WeChat's range, and Wo Wallet not at all (63 is ours).
PAYER_CODES: Final[dict[Wallet, tuple[str, int]]] = {
    Wallet.WECHAT: ("13", 18),  # 10 to 15
    Wallet.ALIPAY: ("28", 18),  # 25 to 30, 16 to 24 digits
    Wallet.QUICKPASS: ("6222", 19),  # 62
    Wallet.BANK: ("6250105", 19),  # CCB Long Pay: 62, one of 2-7, 0105
    Wallet.BESTPAY: ("51", 18),
    Wallet.ECNY: ("01", 19),
    Wallet.CMPAY: ("1004", 18),
    Wallet.UNICOMPAY: ("63", 18),
}


def mint(wallet: Wallet, random: Random) -> str:
    """A payer code as that wallet's are."""
    prefix, length = PAYER_CODES[wallet]
    drawn = random.text(2 * length).encode()
    number = int.from_bytes(drawn, "big") % 10 ** (length - len(prefix))
    return prefix + str(number).rjust(length - len(prefix), "0")


@dataclass(frozen=True, slots=True)
class Purse:
    """What a person sees of one wallet."""

    wallet: Wallet
    balance_minor: int
    payer_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Move:
    """One line of a wallet's history; `minor` is negative when money left."""

    at: str
    minor: int
    memo: str


class SandboxPurses:
    """`providers.sdk.gateway.Purses`, kept in the records. `changed` is called after every move of money."""

    def __init__(
        self, drawer: JsonRoom, clock: Clock, random: Random, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._drawer, self._clock, self._random, self._changed = drawer, clock, random, changed

    def show(self, wallets: Iterable[Wallet]) -> tuple[Purse, ...]:
        """The wallets with their balance and a payer code that is good for another ten seconds at least."""
        return tuple(
            Purse(wallet, self.balance(wallet), self._payer_code(wallet))
            for wallet in wallets
            if wallet in PAYER_CODES
        )

    def balance(self, wallet: Wallet) -> int:
        """Minor units of yuan."""
        record = self._drawer.get(f"balance/{wallet}")
        return OPENING_MINOR if record is None else _whole(record["minor"])

    def history(self, wallet: Wallet) -> tuple[Move, ...]:
        """What moved money, newest first."""
        moves = [
            Move(str(record["at"]), _whole(record["minor"]), str(record["memo"]))
            for _, record in self._drawer.scan(f"move/{wallet}/")
        ]
        return tuple(reversed(moves[-HISTORY_SHOWN:]))

    def charge(self, wallet: Wallet, amount: Money, memo: str) -> None:
        self._check_currency(wallet, amount)
        if self.balance(wallet) < amount.minor:
            held = Money(self.balance(wallet), CURRENCY)
            raise PurseRefused(
                f"{wallet_name(wallet, 'en')} holds {held}, which is less than {amount}. Reset the sandbox to fill it."
            )
        self._move(wallet, -amount.minor, memo)
        self._forget_codes(wallet)

    def credit(self, wallet: Wallet, amount: Money, memo: str) -> None:
        self._check_currency(wallet, amount)
        if self.balance(wallet) + amount.minor > MINOR_MAX:
            raise PurseRefused(f"{wallet_name(wallet, 'en')} is full. Reset the sandbox to empty it.")
        self._move(wallet, amount.minor, memo)

    def owner_of(self, payer_code: str) -> Wallet | None:
        for key, record in self._drawer.scan("code/"):
            if payer_code in self._living_codes(record):
                return Wallet(key.removeprefix("code/"))
        return None

    def _check_currency(self, wallet: Wallet, amount: Money) -> None:
        if amount.currency != CURRENCY:
            raise PurseRefused(f"{wallet_name(wallet, 'en')} holds {CURRENCY}, not {amount.currency}.")

    def _move(self, wallet: Wallet, minor: int, memo: str) -> None:
        count = self._drawer.get(f"count/{wallet}") or {"moves": 0}
        number = _whole(count["moves"]) + 1
        self._drawer.put(f"count/{wallet}", {"moves": number})
        at = self._clock.now().isoformat(timespec="seconds")
        self._drawer.put(f"move/{wallet}/{number:08d}", {"at": at, "minor": minor, "memo": memo})
        self._drawer.put(f"balance/{wallet}", {"minor": self.balance(wallet) + minor})
        self._changed()

    def _forget_codes(self, wallet: Wallet) -> None:
        """After a payment the wallet shows a fresh code: each is good for one."""
        now = self._clock.now().isoformat()
        none = {"code": "", "made_at": now, "before": "", "before_made_at": now}
        self._drawer.put(f"code/{wallet}", none)

    def _payer_code(self, wallet: Wallet) -> str:
        record = self._drawer.get(f"code/{wallet}") or {"code": "", "before": ""}
        now = self._clock.now()
        if record["code"] and now - _moment(record["made_at"]) < CODE_SHOWN:
            return str(record["code"])
        code = mint(wallet, self._random)
        fresh = {"code": code, "made_at": now.isoformat(), "before": record["code"]}
        self._drawer.put(
            f"code/{wallet}", {**fresh, "before_made_at": record.get("made_at", now.isoformat())}
        )
        return code

    def _living_codes(self, record: dict[str, object]) -> set[str]:
        now = self._clock.now()
        both = ((record["code"], record["made_at"]), (record["before"], record["before_made_at"]))
        return {str(code) for code, made_at in both if code and now - _moment(made_at) < CODE_LIVES}


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("A purse holds whole minor units; reset the sandbox.")
    return value


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text))
