"""A wallet that takes money from a claim link, as its owner would: the page, the institution's consent, and back.

It knows the host by its pages alone, and the institution by the address that the page leads to.
"""

import asyncio
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import urljoin, urlsplit

import aiohttp

from bot.sandbox.institutions import Institution, Institutions
from bot.sandbox.records import SandboxRecords
from providers.sdk.gateway import BillGone, Handing, PurseRefused
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet, wallet_name

CLAIM_PATH: Final = "/c/"
_HOPS_MAX: Final = 6
_LOOKS_MAX: Final = 20
_LOOK_EVERY_S: Final = 0.25


class ClaimRefused(Exception):  # noqa: N818  # an answer to the payee, not an error
    """This wallet can't receive this; the text is what its owner reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What the wallet shows at the end. `state` is the page's: `received`, or `checking` while nobody knows yet."""

    provider: str
    amount: Money
    title: str
    state: str


@dataclass(slots=True)
class _Visit:
    """One wallet's way through the pages, with its cookies."""

    client: aiohttp.ClientSession
    headers: dict[str, str]
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, url: str) -> "_ClaimPage":
        """Follow the way to a page."""
        for _ in range(_HOPS_MAX):
            where, page = await self._ask("GET", url)
            if not where:
                return page
            url = where
        raise ClaimRefused("This link leads in circles.")

    async def post(self, url: str) -> "_ClaimPage":
        """Press the button of a page, and follow."""
        where, page = await self._ask("POST", url)
        return await self.get(where) if where else page

    async def _ask(self, method: str, url: str) -> tuple[str, "_ClaimPage"]:
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**self.headers, **({"Cookie": kept} if kept and CLAIM_PATH in urlsplit(url).path else {})}
        async with self.client.request(method, url, headers=headers, allow_redirects=False) as answer:
            for line in answer.headers.getall("Set-Cookie", ()):
                self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
            if answer.status // 100 == 3:  # noqa: PLR2004  # RFC 9110, 15.4
                return urljoin(url, answer.headers.get("Location", "")), _ClaimPage()
            page = _ClaimPage()
            page.feed(await answer.text(errors="replace"))
            page.close()
            return "", page


class Receiving:
    """Walks claim links. `changed` is called when money has moved."""

    def __init__(self, institutions: Institutions, records: SandboxRecords) -> None:
        self._institutions, self._records = institutions, records

    async def receive(
        self, client: aiohttp.ClientSession, wallet: Wallet, url: str, headers: dict[str, str]
    ) -> Received:
        """Claim it, and accept it where the institution asks the payee. Raises `ClaimRefused` with the reason."""
        visit = _Visit(client, headers)
        page = await visit.get(url)
        if page.state == "open":
            page = await self._claimed(visit, page, url, wallet)
        elif not page.confirm:
            raise ClaimRefused(page.said)
        institution = self._institution_of(wallet)
        accepted = ""  # the page may go on asking until the host has heard of it
        for _ in range(_LOOKS_MAX):
            if page.confirm and page.confirm != accepted:
                self._accept(institution, page.confirm, wallet)
                accepted = page.confirm
            if page.state == "received":
                break
            await asyncio.sleep(_LOOK_EVERY_S)
            page = await visit.get(url)
        return Received(
            provider=institution.info.id,
            amount=page.amount,
            title=page.title,
            state=page.state,
        )

    async def _claimed(self, visit: _Visit, page: "_ClaimPage", url: str, wallet: Wallet) -> "_ClaimPage":
        if not page.has_form:
            raise ClaimRefused(f"{wallet_name(wallet, 'en')} cannot receive this money. {page.said}".strip())
        page = await visit.post(url)
        if page.state in {"open", ""}:
            raise ClaimRefused(page.said or "The institution did not let this wallet through.")
        return page

    def _institution_of(self, wallet: Wallet) -> Institution:
        payers = (one for one in self._institutions if wallet in one.info.wallets and one.info.can_payout)
        found = next(payers, None)
        if found is None:
            raise ClaimRefused(f"No institution here pays out to {wallet_name(wallet, 'en')}.")
        return found

    def _accept(self, institution: Institution, confirm: str, wallet: Wallet) -> None:
        if not isinstance(institution.gateway, Handing):
            raise ClaimRefused(f"{institution.info.name_en} asks its payees nothing.")
        try:
            with self._records.together():
                institution.gateway.receive(json.loads(confirm), wallet)
        except (BillGone, PurseRefused) as refusal:
            raise ClaimRefused(str(refusal)) from refusal


class _ClaimPage(HTMLParser):
    """What a wallet's web view, and the eye, find on a claim page."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.confirm, self.title, self.has_form = "", "", "", False
        self.amount = Money(0, "CNY")
        self._role = ""
        self._lines: dict[str, str] = {}

    @property
    def said(self) -> str:
        """An alert if there is one, else the status line."""
        return self._lines.get("alert") or self._lines.get("status") or self._lines.get("headline", "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "meta":
            self._meta(named.get("name", ""), named.get("content", ""))
        elif tag == "body":
            self.state = named.get("data-state", "")
        elif tag == "form":
            self.has_form = named.get("method", "").lower() == "post"
        elif tag != "bdi":
            self._role = named.get("role") or named.get("class", "")

    def handle_data(self, data: str) -> None:
        if self._role == "title" and not self.title:
            self.title = data.strip()
        elif self._role and data.strip():
            self._lines.setdefault(self._role, data.strip())

    def handle_endtag(self, tag: str) -> None:
        if tag != "bdi":
            self._role = ""

    def _meta(self, name: str, content: str) -> None:
        if name == "payout-confirm":
            self.confirm = content
        elif name == "claim-amount":
            minor, _, currency = content.partition(" ")
            self.amount = Money(int(minor), currency)
