"""A wallet as the payer's app: it scans a code, shows the bill, and pays when its owner confirms."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

import aiohttp

from bot.sandbox.institutions import Institution, Institutions
from bot.sandbox.receiving import CLAIM_PATH, ClaimRefused, Receiving
from bot.sandbox.records import SandboxRecords
from bot.sandbox.switch import NotCleared, clearing, takers
from providers.sdk.clock import BEIJING, Clock
from providers.sdk.codes import (
    LINK_PATH,
    STANDING_PATH,
    CodeError,
    EmvMerchant,
    MerchantCode,
    OneCode,
    recognise,
)
from providers.sdk.contract import Way
from providers.sdk.gateway import Bill, BillGone, Fault, KeepsClasses, PurseRefused
from providers.sdk.interconnection import Clearing
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet, wallet_name

_ANDROID: Final = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A; wv) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Version/4.0 Chrome/126.0.6478.122 Mobile Safari/537.36"
)

# What each app's web view says of itself. Wo Wallet's and the e-CNY app's own words are not published.
USER_AGENTS: Final[dict[Wallet, str]] = {
    Wallet.WECHAT: f"{_ANDROID} MicroMessenger/8.0.49.2600(0x28003133) NetType/WIFI Language/zh_CN",
    Wallet.ALIPAY: f"{_ANDROID} AliApp(AP/10.5.96.8000) AlipayClient/10.5.96.8000 Language/zh-Hans",
    Wallet.QUICKPASS: f"{_ANDROID} UnionPay/1.0 CloudPay",
    Wallet.BANK: f"{_ANDROID} UnionPay/1.0 CCBLoongPay",
    Wallet.CMPAY: f"{_ANDROID} Hebao/9.15.42/com.cmpay.CMPayClient",
    Wallet.BESTPAY: f"{_ANDROID} Bestpay/10.50.0",
    Wallet.UNICOMPAY: f"{_ANDROID} MoongateWallet/1 unicompay",
    Wallet.ECNY: f"{_ANDROID} MoongateWallet/1 ecny",
}

_HOPS_MAX: Final = 6  # the page, the institution that says who is there, and the page again
_PATIENCE: Final = 10_000  # questions about a payer who enters no password
_PAGE_WITHIN_S: Final = 25.0  # the host may ask an institution before it answers


class WalletRefused(Exception):  # noqa: N818  # an answer to the payer, not an error
    """This wallet can't pay this; the text is what its owner reads."""


@dataclass(frozen=True, slots=True)
class ScannedBill:
    """A bill with the institution that holds it open. `key` names it across institutions and restarts.

    `clearing` says through whom this wallet's money goes there.
    """

    key: str
    scheme: str
    provider: str
    clearing: Clearing
    bill: Bill
    state: str = "unpaid"  # of money that was claimed by the scan: `received`, or `checking`


class WalletApps:
    """All wallets of this sandbox. They keep nothing between scan and pay: a bill lives at its institution."""

    def __init__(
        self,
        institutions: Institutions,
        records: SandboxRecords,
        host_url: Callable[[], str],
        changed: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._institutions, self._records, self._clock = institutions, records, clock
        self._host_url, self._changed = host_url, changed
        self._receiving = Receiving(institutions, records)
        self._client: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Get the phones online."""
        timeout = aiohttp.ClientTimeout(total=_PAGE_WITHIN_S)
        self._client = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        """Take them offline."""
        if self._client is not None:
            await self._client.close()

    def wallets(self) -> tuple[Wallet, ...]:
        """All that people have in their pockets, in the house's order, whoever is installed."""
        return tuple(wallet for wallet in Wallet if wallet in USER_AGENTS)

    def takers(self) -> tuple[Wallet, ...]:
        """Those of them that can pay a code of some institution here: first the institutions' own."""
        found = (
            wallet for institution in self._institutions for wallet in takers(institution.info, self._today)
        )
        return tuple(dict.fromkeys(found))

    async def scan(self, wallet: Wallet, code: str, language: str = "en") -> ScannedBill:
        """Look at a code as that wallet would. Raises `WalletRefused` with the reason in words."""
        if code.strip().startswith(self._host_url().rstrip("/") + CLAIM_PATH):
            return await self._receive(wallet, code.strip(), language)
        text = await self._behind_link(wallet, code.strip(), language)
        institution, bill = self._recognise(wallet, text)
        through = self._clear(wallet, institution)
        provider = institution.info.id
        return ScannedBill(f"{provider}:{bill.id}", _scheme(text) or provider, provider, through, bill)

    async def _receive(self, wallet: Wallet, url: str, language: str) -> ScannedBill:
        """A claim link asks for no payment: the owner of the wallet takes what it offers."""
        try:
            got = await self._receiving.receive(self._online(), wallet, url, _headers(wallet, language))
        except ClaimRefused as refusal:
            raise WalletRefused(str(refusal)) from refusal
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise WalletRefused("The page does not answer; try again in a moment.") from error
        self._changed()
        payee = wallet_name(wallet, language)
        bill = Bill(id="", payee=payee, amount=got.amount, title=got.title, number="")
        return ScannedBill("", "claim", got.provider, Clearing.OWN, bill, got.state)

    def hold_password(self, wallet: Wallet, *, wanted: bool) -> None:
        """The next charge by payer code waits for the password; or it is entered. Raises `WalletRefused`."""
        at_till = [
            one
            for one in self._institutions
            if wallet in one.info.wallets and Way.PAYER_CODE in one.info.ways
        ]
        if not at_till:
            raise WalletRefused(f"No institution here charges payer codes of {wallet_name(wallet, 'en')}.")
        for institution in at_till:
            institution.faults.disarm(Fault.PAYER_LINGERS)
            if wanted:
                institution.faults.arm(Fault.USER_PAYING)
                institution.faults.arm(Fault.PAYER_LINGERS, _PATIENCE)

    def pay(self, wallet: Wallet, key: str, faults: Iterable[Fault] = ()) -> None:
        """The owner confirms. The faults are armed for this payment. Raises `WalletRefused`, then nothing has moved."""
        provider, _, bill_id = key.partition(":")
        institution = self._institutions.get(provider)
        if institution is None or not bill_id:
            raise WalletRefused("There is no such bill; scan the code again.")
        self._clear(wallet, institution)
        armed = tuple(faults)
        for fault in armed:
            institution.faults.arm(fault)
        try:
            with self._records.together():
                institution.gateway.settle(bill_id, wallet)
        except (BillGone, PurseRefused) as refusal:
            for fault in armed:
                institution.faults.take(fault)
            raise WalletRefused(str(refusal)) from refusal
        self._changed()

    def class_of(self, wallet: Wallet) -> str:
        """The class that the wallet's operator keeps it in; empty where wallets have none."""
        keeper = self._keeper(wallet)
        return keeper.class_of(wallet) if keeper else ""

    def put_in_class(self, wallet: Wallet, name: str, held: Money) -> None:
        """The owner is known better, or less well. Raises `WalletRefused` with the reason."""
        keeper = self._keeper(wallet)
        if keeper is None:
            raise WalletRefused(f"{wallet_name(wallet, 'en')} has no classes; e-CNY's wallets do.")
        self._asked(lambda: keeper.put_in_class(wallet, name, held))

    def check_receipt(self, wallet: Wallet, held: Money, amount: Money) -> None:
        """Raises `WalletRefused` when the wallet's class may not hold that much more."""
        keeper = self._keeper(wallet)
        if keeper is not None:
            self._asked(lambda: keeper.check_receipt(wallet, held, amount))

    def _keeper(self, wallet: Wallet) -> KeepsClasses | None:
        mine = (one.gateway for one in self._institutions if wallet in one.info.wallets)
        return next((gateway for gateway in mine if isinstance(gateway, KeepsClasses)), None)

    def _asked(self, ask: Callable[[], None]) -> None:
        try:
            with self._records.together():
                ask()
        except PurseRefused as refusal:
            raise WalletRefused(str(refusal)) from refusal
        self._changed()

    def _recognise(self, wallet: Wallet, code: str) -> tuple[Institution, Bill]:
        for institution in self._institutions:
            try:
                bill = institution.gateway.recognise(code)
            except BillGone as gone:
                raise WalletRefused(str(gone)) from gone
            if bill is not None:
                return institution, bill
        raise WalletRefused(
            f"{wallet_name(wallet, 'en')} does not know this code: no institution here has issued it."
        )

    @property
    def _today(self) -> date:
        return self._clock.now().astimezone(BEIJING).date()

    def _clear(self, wallet: Wallet, institution: Institution) -> Clearing:
        try:
            return clearing(wallet, institution.info, self._today)
        except NotCleared as refusal:
            raise WalletRefused(str(refusal)) from refusal

    async def _behind_link(self, wallet: Wallet, code: str, language: str) -> str:
        """The institution's code behind one of the host's own links; any other code as it is."""
        host = self._host_url().rstrip("/")
        own = (host + LINK_PATH, host + STANDING_PATH)
        code = self._as_link(code)
        if not code.startswith(own):
            return code
        cookies: dict[str, str] = {}
        for _ in range(_HOPS_MAX):
            if not (code.startswith(own) or self._is_reception(code)):
                return code
            code = await self._open_page(wallet, code, language, cookies if code.startswith(own) else {})
        raise WalletRefused("This link leads in circles.")

    def _is_reception(self, address: str) -> bool:
        """An institution's own page that sends its visitors back, and no bill."""
        try:
            return any(
                each.base_url
                and address.startswith(each.base_url)
                and each.gateway.recognise(address) is None
                for each in self._institutions
            )
        except BillGone:
            return False

    def _as_link(self, code: str) -> str:
        """The link of our one code in EMVCo's form, as a network that routes it would follow it; any other code as it is."""
        host = self._host_url()
        try:
            found = recognise(code, base_url=host)
        except CodeError:
            return code
        return found.link(host) if isinstance(found, OneCode) else code

    def _online(self) -> aiohttp.ClientSession:
        if self._client is None:
            raise WalletRefused("The wallet is offline.")
        return self._client

    async def _open_page(self, wallet: Wallet, url: str, language: str, cookies: dict[str, str]) -> str:
        """Where the page leads, or the code on it. `cookies` are the page's, given and taken."""
        client = self._online()
        headers = _headers(wallet, language)
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        try:
            async with client.get(url, headers=headers, allow_redirects=False) as answer:
                cookies |= {name: morsel.value for name, morsel in answer.cookies.items()}
                if answer.status // 100 == 3:  # noqa: PLR2004  # RFC 9110, 15.4
                    return urljoin(url, answer.headers.get("Location", ""))
                page = _read_page(await answer.text(errors="replace"))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise WalletRefused("The shop does not answer; try again in a moment.") from error
        if not page.code:
            raise WalletRefused(page.said or "The page behind this code offers nothing to this wallet.")
        return page.code


def _headers(wallet: Wallet, language: str) -> dict[str, str]:
    return {"User-Agent": USER_AGENTS[wallet], "Accept": "text/html", "Accept-Language": language}


def _scheme(code: str) -> str:
    """Whose code this is by its text; empty for texts that only our simulated institutions write."""
    try:
        found = recognise(code)
    except CodeError:
        return ""
    if isinstance(found, EmvMerchant):
        return "emvco"
    return found.issuer if isinstance(found, MerchantCode) else ""


class _Page(HTMLParser):
    """Reads what a wallet's web view needs of a page: its payment code, or what it says instead."""

    def __init__(self) -> None:
        super().__init__()
        self.code = ""
        self._role = ""
        self._lines: dict[str, str] = {}

    @property
    def said(self) -> str:
        """An alert if there is one, else the status line, else the headline."""
        return next(
            (self._lines[role] for role in ("alert", "status", "headline") if role in self._lines), ""
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "meta" and named.get("name") == "payment-code":
            self.code = named.get("content", "")
        self._role = named.get("role") or named.get("class", "")

    def handle_data(self, data: str) -> None:
        if self._role and data.strip():
            self._lines.setdefault(self._role, data.strip())

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._role = ""


def _read_page(text: str) -> _Page:
    page = _Page()
    page.feed(text)
    page.close()
    return page
