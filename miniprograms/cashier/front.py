"""The app and the routes of its pages."""

from typing import Final

from miniprograms.sdk import App

TILL: Final = "pages/till/till"
CHARGE: Final = "pages/charge/charge"
CODES: Final = "pages/codes/codes"
TODAY: Final = "pages/today/today"
ORDER: Final = "pages/order/order"

app = App(__file__)
