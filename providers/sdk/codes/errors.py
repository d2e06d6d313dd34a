"""The one error of this package."""


class CodeError(Exception):
    """A text is no code we can read, or breaks its own standard. The message is fit for the person who scanned it.

    It never repeats the text: a payer code is money for a minute, and a consumer-presented code carries card data.
    """
