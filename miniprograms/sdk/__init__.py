"""The mini-program SDK: all that a mini program needs. It knows screens and money, and no messenger.

app = App(__file__)                     # app.json stands beside this file

@app.page("pages/menu/menu")
class Menu(Page):
    class Data(PageData):
        cups: int = 0

    def render(self) -> View:
        return View(f"{self.data.cups} cups", [Button("One more", self.add)])

    async def add(self) -> None:
        await self.set_data(cups=self.data.cups + 1)
"""

from miniprograms.sdk.actions import Actions, Options, PageNotFound, Question, StorageInfo
from miniprograms.sdk.app import App
from miniprograms.sdk.data import Field, PageData
from miniprograms.sdk.errors import (
    ApiError,
    AuthorError,
    DataError,
    ManifestError,
    MiniProgramError,
    NavigationError,
    ScopeError,
    StorageError,
    ViewError,
)
from miniprograms.sdk.manifest import Manifest
from miniprograms.sdk.page import Page
from miniprograms.sdk.payment import IfLate, PaymentRequest, PaymentResult, PaymentStatus, ShownCode
from miniprograms.sdk.payout import Claim, PayoutOffer, PayoutResult, PayoutStatus
from miniprograms.sdk.records import OrderRecord
from miniprograms.sdk.refund import RefundRequest, RefundResult, RefundStatus
from miniprograms.sdk.route import Query
from miniprograms.sdk.view import (
    Bold,
    Button,
    Code,
    CopyButton,
    LinkButton,
    Picture,
    QrCode,
    Style,
    Text,
    TextInput,
    View,
)
from providers.sdk.clock import beijing
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet, wallet_name

__all__ = [
    "Actions",
    "ApiError",
    "App",
    "AuthorError",
    "Bold",
    "Button",
    "Claim",
    "Code",
    "CopyButton",
    "DataError",
    "Field",
    "IfLate",
    "LinkButton",
    "Manifest",
    "ManifestError",
    "MiniProgramError",
    "Money",
    "NavigationError",
    "Options",
    "OrderRecord",
    "Page",
    "PageData",
    "PageNotFound",
    "PaymentRequest",
    "PaymentResult",
    "PaymentStatus",
    "PayoutOffer",
    "PayoutResult",
    "PayoutStatus",
    "Picture",
    "QrCode",
    "Query",
    "Question",
    "RefundRequest",
    "RefundResult",
    "RefundStatus",
    "ScopeError",
    "ShownCode",
    "StorageError",
    "StorageInfo",
    "Style",
    "Text",
    "TextInput",
    "View",
    "ViewError",
    "Wallet",
    "beijing",
    "wallet_name",
]
