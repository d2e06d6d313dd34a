"""What the institutions and the payers hold: every charge that was ever made, read from the gateways' own records."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.sandbox.courier import Parcel
from bot.sandbox.records import SandboxRecords
from providers.sdk.gateway import Drawer

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Charge:
    """Money that an institution took from a payer under a number of ours, and what of it went back."""

    provider: str
    number: str
    minor: int
    returned_minor: int


@dataclass(frozen=True, slots=True)
class Purse:
    """What all payers together have paid, and what they got back."""

    taken_minor: int
    back_minor: int


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Where a gateway keeps its payments, and how to read one."""

    prefix: str
    number: str
    amount: str
    paid: Callable[[Record], object]
    returned: Callable[[Record], int]


def _sum_of(record: Record) -> int:
    return sum(record["refunds"].values())


_SHELVES: Final = {
    "alipay": (
        _Shelf("alipay/trade/", "number", "total", lambda one: one["paid_at"], lambda one: one["returned"]),
    ),
    "bestpay": (
        _Shelf("trade/", "number", "amount", lambda one: one["paid_at"], lambda one: one["returned"]),
    ),
    "cmpay": (_Shelf("trade/", "order_id", "amount", lambda one: one["pay_no"], _sum_of),),
    "ecny": (
        _Shelf(
            "trade/",
            "number",
            "amount",
            lambda one: one["state"] == "done" and not one["original"],
            lambda one: one["returned"],
        ),
    ),
    "plainpay": (
        _Shelf(
            "order:", "number", "amount", lambda one: one.get("paid_at"), lambda one: one.get("refunded", 0)
        ),
    ),
    "unicompay": (_Shelf("trade/", "order_no", "amount", lambda one: one["journal"], _sum_of),),
    "unionpay": (
        _Shelf(
            "trade/",
            "order_id",
            "amount",
            lambda one: one["txn_type"] == "01" and one["traced"],
            lambda one: one["returned"],
        ),
        _Shelf("qra-trade/", "number", "total_fee", lambda one: one["transaction_id"], _sum_of),
    ),
    "wechatpay": (
        _Shelf(
            "wechatpay/trade/", "number", "total", lambda one: one["paid_at"], lambda one: one["refunded"]
        ),
    ),
}


def charges_in(provider: str, drawer: Drawer) -> tuple[Charge, ...]:
    """Every charge in one gateway's drawer."""
    return tuple(
        Charge(provider, record[shelf.number], record[shelf.amount], shelf.returned(record))
        for shelf in _SHELVES.get(provider, ())
        for _, record in drawer.scan(shelf.prefix)
        if shelf.paid(record)
    )


def charges_on_file(path: Path) -> tuple[Charge, ...]:
    """Every charge in the records of a sandbox, which may be running or dead."""
    with SandboxRecords(path) as records:
        return tuple(
            charge for name in _SHELVES for charge in charges_in(name, records.drawer(f"gateway/{name}"))
        )


def post_on_file(path: Path) -> tuple[str, ...]:
    """The texts of the notifications that a sandbox has not delivered yet."""
    with SandboxRecords(path) as records:
        parcels = [Parcel.model_validate_json(value) for _, value in records.room("post").scan("")]
    return tuple(parcel.letter.body.decode("utf-8", "replace") for parcel in parcels)


def purse_of(moves: Iterable[int]) -> Purse:
    """What all moves come to; a move is negative when money left a payer."""
    purse = Purse(0, 0)
    for minor in moves:
        purse = Purse(purse.taken_minor - min(minor, 0), purse.back_minor + max(minor, 0))
    return purse


def purse_on_file(path: Path) -> Purse:
    """What the payers of a sandbox have paid and got back."""
    with SandboxRecords(path) as records:
        moves = [int(str(record["minor"])) for _, record in records.drawer("purses").scan("move/")]
    return purse_of(moves)
