"""Every way a payment can go, played on a page that asks for one.

@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_outcome_is_a_dead_end(chat, wallet, case):
    chat.open("org.example.tipjar").tap("Leave ¥5")

    case.play(chat, wallet)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

from miniprograms.sdk.payment import PaymentResult, PaymentStatus
from miniprograms.sdk.testing.vocabulary import Chat, PlayError, PlayWallet


class Outcome(StrEnum):
    """The words of a wallet."""

    APPROVE = "approve"
    CANCEL = "cancel"
    DECLINE = "decline"
    PENDING = "pending"
    LATE = "late"
    DUPLICATE = "duplicate"


# What a page has heard in the end; `PENDING` may come before any of them.
_ENDS: Final[Mapping[Outcome, PaymentStatus]] = {
    Outcome.APPROVE: PaymentStatus.PAID,
    Outcome.CANCEL: PaymentStatus.CANCELLED,
    Outcome.DECLINE: PaymentStatus.FAILED,
    Outcome.PENDING: PaymentStatus.PENDING,
    Outcome.LATE: PaymentStatus.PAID,
    Outcome.DUPLICATE: PaymentStatus.PAID,
}
_STEPS: Final[Mapping[Outcome, Callable[[PlayWallet], Chat]]] = {
    Outcome.APPROVE: lambda wallet: wallet.approve(),
    Outcome.CANCEL: lambda wallet: wallet.cancel(),
    Outcome.DECLINE: lambda wallet: wallet.decline(),
    Outcome.PENDING: lambda wallet: wallet.pending(),
    Outcome.LATE: lambda wallet: wallet.late(),
    Outcome.DUPLICATE: lambda wallet: wallet.duplicate(3),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One outcome, perhaps with the host killed before it, over the first notification, and after it."""

    outcome: Outcome
    restart: bool = False

    def __str__(self) -> str:
        return f"{self.outcome}-restart" if self.restart else str(self.outcome)

    def play(self, chat: Chat, wallet: PlayWallet) -> Chat:
        """Play it on the payment that the chat shows. Raises `PlayError`.

        Afterwards: the page has heard how it ended, and each change once; the person can go on by some button.
        """
        before = len(chat.results)
        if self.restart:
            chat.restart_host().restart_host(on_post=True)
        _STEPS[self.outcome](wallet)
        if self.restart:
            chat.restart_host()
        self._check(chat, chat.results[before:])
        return chat

    def _check(self, chat: Chat, heard: tuple[PaymentResult, ...]) -> None:
        words = [f"{result.status} {result.detail}".strip() for result in heard]
        if not heard or heard[-1].status is not _ENDS[self.outcome]:
            raise PlayError(
                f"After {self}, on_payment should end with {_ENDS[self.outcome]}; it heard: {words}."
            )
        if len(set(words)) < len(words):
            raise PlayError(f"After {self}, on_payment heard the same change twice: {words}.")
        if not chat.ways_on:
            raise PlayError(f"After {self}, no button leads on. The screen shows:\n{chat.screen}")
        if chat.unanswered:
            raise PlayError(f"After {self}, taps were never answered: {', '.join(chat.unanswered)}.")


CASES: Final = tuple(Case(outcome, restart) for outcome, restart in product(Outcome, (False, True)))
