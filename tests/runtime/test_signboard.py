"""What hangs over the till: a link, or EMVCo's form of it."""

from dataclasses import replace

import pytest

from bot.runtime.signboard import Signboard
from providers.sdk.codes import OneCode, read_emv_merchant, recognise
from providers.sdk.money import Money
from tests.runtime.paper import ORDER as PAPER

BASE = "https://pay.example.org"
TOKEN = "tokenTOKENtoken0123456"
ORDER = replace(PAPER, link_token=TOKEN)


def test_a_link_is_the_house_s_own_and_the_default():
    board = Signboard(base_url=BASE)

    assert board.text(ORDER) == board.link(ORDER) == f"{BASE}/p/{TOKEN}"


def test_emvco_s_form_names_shop_amount_and_order_and_leads_to_the_same_page():
    text = Signboard(base_url=BASE, form="emvco", name="MOON TEA", city="SHANGHAI").text(ORDER)

    code = read_emv_merchant(text, strict=True)

    assert recognise(text, base_url=BASE) == OneCode(TOKEN)
    assert (code.name, code.value("60"), code.amount()) == ("MOON TEA", "SHANGHAI", ORDER.amount)
    assert code.template("62").part("05") == ORDER.id


@pytest.mark.parametrize("form", ["link", "emvco"])
def test_what_emvco_cannot_say_stays_a_link(form):
    stars = replace(ORDER, amount=Money(5, "XTR"))
    board = Signboard(base_url=BASE, form=form)

    assert board.emvco(stars) is None
    assert board.text(stars) == board.link(stars)
