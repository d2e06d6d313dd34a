"""A wallet that takes what a claim link offers, in a world without a web server: the same steps in the same order."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from bot.orders import institution
from bot.orders.answers import Refused, Why
from bot.orders.order import Payee, Payout
from bot.orders.ports import Account
from bot.sandbox.kit.street import WEB_URL, Branch
from bot.sandbox.wallet_app import USER_AGENTS
from miniprograms.sdk.testing.vocabulary import PlayError
from providers.sdk.gateway import Handing
from providers.sdk.results import Identified
from providers.sdk.transport import Headers, HttpRequest
from providers.sdk.wallets import Wallet, wallet_name

if TYPE_CHECKING:
    from bot.sandbox.world import World

CLAIM_LINK = f"{WEB_URL}/c/"


def claim(world: "World", wallet: Wallet, link: str) -> None:
    """Claim it and accept it. Raises `PlayError` with what the wallet shows."""
    if not link.startswith(CLAIM_LINK):
        raise PlayError(f"{link!r} is no claim link.")
    token = link.removeprefix(CLAIM_LINK)
    answer = world.act(_claim(world, wallet, token))
    if isinstance(answer, Refused):
        raise PlayError(f"The claim page says: {answer.why} {answer.detail}".strip())
    if answer.payee is not None and answer.confirm:
        _accept(world.street.branches[answer.payee.provider], answer.confirm, wallet)
        world.settle()


def _accept(branch: Branch, confirm: Mapping[str, str], wallet: Wallet) -> None:
    if not isinstance(branch.gateway, Handing):
        raise PlayError(f"{branch.name} asks its payees nothing.")
    branch.gateway.receive(confirm, wallet)


async def _claim(world: "World", wallet: Wallet, token: str) -> Payout | Refused:
    order = await world.checkout.find_claim(token=token)
    if order is None:
        return Refused(Why.UNKNOWN_ORDER)
    payout = next(one for one in reversed(order.payouts) if one.claim_token == token)
    account = world.checkout.payouting.accounts_for(payout.amount).get(wallet)
    if account is None:
        raise PlayError(f"{wallet_name(wallet, 'en')} cannot receive {payout.amount}.")
    payee = Payee(
        provider=account.provider_id,
        account=account.name,
        wallet=wallet,
        id=await _visitor(world.street.branches[account.provider_id], account, wallet),
    )
    return await world.checkout.claim_payout(token, payee)


async def _visitor(branch: Branch, account: Account, wallet: Wallet) -> str:
    """The institution lets the wallet through and says who it is."""
    url = institution.authorize_url(account, "state", f"{WEB_URL}/back")
    target = urlsplit(url)._replace(scheme="", netloc="", fragment="").geturl()
    headers = Headers.of({"User-Agent": USER_AGENTS[wallet]})
    reply = await branch.gateway.handle(HttpRequest("GET", target, headers))
    answer = dict(parse_qsl(urlsplit(reply.headers.get("Location") or "").query))
    visitor = await institution.identify(account, answer)
    if not isinstance(visitor, Identified):
        raise PlayError(f"{branch.name} does not say who the visitor is: {visitor}.")
    return visitor.payee
