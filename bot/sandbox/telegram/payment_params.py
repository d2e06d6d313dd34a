"""The parameters of the payment methods."""

from bot.sandbox.telegram.params import Flag, Number, Params, Sending


class InvoiceParams(Params):
    """What an invoice says. Fields that are ignored for Stars (shipping, personal data) are not read."""

    title: str = ""
    description: str = ""
    payload: str = ""
    provider_token: str = ""
    currency: str = ""
    prices: str = ""
    max_tip_amount: Number = 0
    suggested_tip_amounts: str = ""

    @property
    def tips(self) -> bool:
        """Whether the bot asks for tips, which Stars do not know."""
        return bool(self.max_tip_amount) or self.suggested_tip_amounts not in {"", "[]"}


class SendInvoice(InvoiceParams, Sending):
    start_parameter: str = ""


class CreateInvoiceLink(InvoiceParams):
    subscription_period: Number = 0


class AnswerPreCheckoutQuery(Params):
    pre_checkout_query_id: str = ""
    ok: Flag = False
    error_message: str = ""


class RefundStarPayment(Params):
    user_id: Number = 0
    telegram_payment_charge_id: str = ""


class GetStarTransactions(Params):
    offset: Number = 0
    limit: Number = 100
