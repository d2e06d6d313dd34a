"""Our book against the institutions' statements, line by line, and whatever differs told to a person.

A comparison may be run again at any time: lines are stored once, and every run judges the day anew. Nothing is believed
to be paid because a line says so: where our book is behind, the institution is asked, and its verified answer is booked
through the same door as every other. Only a refund that was made there and that it gives no answer about is taken from
the line.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders import institution, statement_rows
from bot.orders.audit import Cause, CauseKind
from bot.orders.ending import Ending
from bot.orders.foreign import TooEarlyError
from bot.orders.intake import Intake, OrphanError
from bot.orders.order import FOREIGN, Refund, RefundState
from bot.orders.payouting import Payouting
from bot.orders.ports import Account
from bot.orders.posting import Posting
from bot.orders.refunding import Refunding
from bot.orders.statement import Line, Ours, Verdict, is_missing, judge, window
from bot.orders.till import Till
from providers.sdk.clock import BEIJING
from providers.sdk.errors import ProviderError
from providers.sdk.money import Money
from providers.sdk.results import RefundSnapshot, Returned, StatementKind, StatementLine

_BATCH: Final = 200
# What a plugin may trip over in a file that is not what it expects, as in `providers.sdk.contract.settled`.
_TRIPS: Final = (ProviderError, LookupError, ValueError, TypeError, ArithmeticError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`what` is a verdict, or `healed` (we were behind and have caught up), `missing`, `changed`."""

    what: str
    kind: StatementKind
    number: str
    order_id: str = ""
    theirs: Money | None = None
    ours: Money | None = None
    note: str = ""


@dataclass(slots=True)
class Comparison:
    """One account's day. `problem` says why it could not be compared; `by_hand` that this account has no statement."""

    provider: str
    account: str
    day: date
    by_hand: bool = False
    problem: str = ""
    lines: int = 0
    matched: int = 0
    differences: list[Difference] = field(default_factory=list)


class Reconciling:
    """Imports and compares statements."""

    def __init__(
        self, till: Till, ending: Ending, refunding: Refunding, payouting: Payouting, intake: Intake
    ) -> None:
        self._till = till
        self._ending = ending
        self._refunding = refunding
        self._payouting = payouting
        self._intake = intake

    async def reconcile(self, day: date) -> tuple[Comparison, ...]:
        """See `Checkout.reconcile`."""
        return tuple([await self._account(account, day) for account in self._till.accounts.values()])

    async def _account(self, account: Account, day: date) -> Comparison:
        done = Comparison(account.provider_id, account.name, day)
        if not account.info.has_statement:
            done.by_hand = True
            return done
        if day >= self._till.clock.now().astimezone(BEIJING).date():
            done.problem = f"{day} is not over in Beijing."
            return done
        try:
            lines = [line async for line in account.provider.statement(day, account.call())]
        except _TRIPS as error:
            done.problem = str(error) if isinstance(error, ProviderError) else type(error).__name__
            return done
        for start in range(0, len(lines), _BATCH):
            await self._keep(done, lines[start : start + _BATCH])
        async for line in self._stored(done):
            await self._compare(done, account, line)
        await self._look_for_missing(done, payouts=account.info.statement_has_payouts)
        return done

    async def _keep(self, done: Comparison, lines: list[StatementLine]) -> None:
        async def transaction(connection: AsyncConnection) -> list[str]:
            return await statement_rows.keep(connection, _key(done), done.day, lines)

        changed = frozenset(await self._till.book.write(transaction))
        for line in lines:
            if line.line_key in changed:
                note = "Stood otherwise in a statement before; the first one is kept."
                done.differences.append(_difference("changed", line, note=note))

    async def _stored(self, done: Comparison) -> AsyncIterator[Line]:
        """Payments before the refunds of them, as they were imported."""
        for refunds in (False, True):
            after = 0
            while page := await self._page(done, after):
                for line in page:
                    if (line.line.kind is StatementKind.REFUND) is refunds:
                        yield line
                after = page[-1].id

    async def _page(self, done: Comparison, after: int) -> list[Line]:
        async def query(connection: AsyncConnection) -> list[Line]:
            return await statement_rows.lines_of(connection, _key(done), done.day, after, _BATCH)

        return await self._till.book.read(query)

    async def _compare(self, done: Comparison, account: Account, line: Line) -> None:
        done.lines += 1
        verdict, ours = await self._judge(done, line)
        what, note = verdict.value, ""
        if verdict is Verdict.BEHIND:
            note = await self._catch_up(account, line, ours)
            verdict, ours = await self._judge(done, line)
            what = "healed" if verdict is Verdict.MATCHED else verdict.value
        await self._settle(done, line, verdict)
        if what == Verdict.MATCHED:
            done.matched += 1
            return
        difference = _difference(
            what, line.line, ours, note or (f"ours is {ours.state}" if ours else "in suspense")
        )
        done.differences.append(difference)
        if what != "healed":
            await self._report(done, difference)

    async def _judge(self, done: Comparison, line: Line) -> tuple[Verdict, Ours | None]:
        async def query(connection: AsyncConnection) -> tuple[Verdict, Ours | None]:
            found = await statement_rows.ours_of(connection, _key(done), [line])
            ours = found.get((line.line.kind, line.line.number))
            paid = (StatementKind.PAYMENT, line.line.attempt_number) in found
            return judge(line, ours, payment_is_ours=paid), ours

        return await self._till.book.read(query)

    async def _settle(self, done: Comparison, line: Line, verdict: Verdict) -> None:
        if verdict is line.verdict:
            return

        async def transaction(connection: AsyncConnection) -> None:
            await statement_rows.settle(connection, _key(done), line, verdict, self._till.clock.now())

        await self._till.book.write(transaction)

    async def _catch_up(self, account: Account, line: Line, ours: Ours | None) -> str:
        """Ask the institution about what we do not have as settled. What stood in the way, or what was done."""
        if ours is None:
            return await self._take_over(account, line)
        if line.line.kind is StatementKind.REFUND:
            await self._refunding.ask(ours.number)
        elif line.line.kind is StatementKind.PAYOUT:
            await self._payouting.ask(ours.number)
        else:
            order = await self._till.find_by_number(ours.number)
            async with self._till.hold(order.id):
                await self._ending.ask(order, order.attempt(ours.number), account)
        return f"ours was {ours.state}; asked"

    async def _take_over(self, account: Account, line: Line) -> str:
        """A refund made at the institution: by its own answer, and by the line where it gives none."""
        told = line.line
        order = await self._till.find_by_number(told.attempt_number)
        asked = Refund(
            number=told.number,
            order_id=order.id,
            attempt_number=told.attempt_number,
            amount=told.amount,
            reason="",
            actor="",
            refund_key=f"{FOREIGN}{told.number}",
            state=RefundState.SENT,
            created_at=told.at or self._till.clock.now(),
            provider_ref=told.provider_ref,
        )
        answer = await institution.query_refund(account, asked, order.attempt(told.attempt_number))
        if not isinstance(answer, RefundSnapshot) or answer.number != told.number:
            answer = RefundSnapshot(
                number=told.number,
                attempt_number=told.attempt_number,
                amount=told.amount,
                state=Returned.DONE,
                provider_ref=told.provider_ref,
                done_at=told.at,
                code="statement",
            )
        cause = Cause(CauseKind.OPERATOR, f"statement:{account.provider_id}/{account.name}:{line.day}")
        try:
            await self._intake.apply(answer, cause, account.provider_id, account.name)
        except (TooEarlyError, OrphanError) as error:
            return str(error)
        return "made at the institution, not by us"

    async def _look_for_missing(self, done: Comparison, *, payouts: bool) -> None:
        async def transaction(connection: AsyncConnection) -> list[tuple[StatementKind, Ours]]:
            await statement_rows.mark_compared(connection, _key(done), done.day, self._till.clock.now())
            compared = await statement_rows.compared_days(connection, _key(done))
            found = await statement_rows.without_line(connection, _key(done), *window(done.day))
            looked_for = [(kind, ours) for kind, ours in found if payouts or kind is not StatementKind.PAYOUT]
            return [(kind, ours) for kind, ours in looked_for if is_missing(ours, done.day, compared)]

        for kind, ours in await self._till.book.write(transaction):
            difference = Difference(
                what="missing",
                kind=kind,
                number=ours.number,
                order_id=ours.order_id,
                ours=ours.amount,
                note=f"ours is {ours.state}; no statement has it",
            )
            done.differences.append(difference)
            await self._report(done, difference)

    async def _report(self, done: Comparison, difference: Difference) -> None:
        """Call a person, once per order and difference."""
        where = f"{done.provider}/{done.account}"
        text = (
            f"The statement of {where} of {done.day}: {difference.kind} {difference.number} is {difference.what}, "
            f"theirs {difference.theirs or '-'}, ours {difference.ours or '-'}."
        )
        if not difference.order_id:
            self._till.watch.alert(text)
            return
        cause = Cause(CauseKind.OPERATOR, f"statement:{where}:{done.day}")
        await self._till.change(difference.order_id, cause, _alert(text))

    async def suspense(self) -> dict[str, int]:
        """What hangs in suspense, in minor units by currency."""
        return dict(await self._till.book.read(statement_rows.suspense))


def _alert(text: str) -> Callable[[Posting], None]:
    return lambda posting: posting.alert(text)


def _difference(what: str, line: StatementLine, ours: Ours | None = None, note: str = "") -> Difference:
    return Difference(
        what=what,
        kind=line.kind,
        number=line.number,
        order_id=ours.order_id if ours else "",
        theirs=line.amount,
        ours=ours.amount if ours else None,
        note=note,
    )


def _key(done: Comparison) -> tuple[str, str]:
    return done.provider, done.account
