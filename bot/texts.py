"""What the house says to people, in English and Chinese.

`_ = translator(language)`, then `_("Cancel")`. English is the key; Chinese stands in `locale/zh_CN`, and
`tests/test_texts.py` fails when one of the two moves alone. The catalogue is compiled in memory on first use, so that
nothing generated is kept.
"""

import gettext
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES: Final = ("en", "zh")  # the two-letter codes the house speaks; the first is for everybody else
CATALOGUE: Final = Path(__file__).parent / "locale" / "zh_CN" / "LC_MESSAGES" / "moongate.po"

Translate = Callable[[str], str]
TranslatePlural = Callable[[str, str, int], str]


def spoken(language: str) -> str:
    """The house language for an IETF tag as clients send it: `zh-hans`, `zh_TW` and `zh` are `zh`."""
    code = language.replace("_", "-").split("-", 1)[0].lower()
    return code if code in LANGUAGES else LANGUAGES[0]


def translator(language: str) -> Translate:
    """The texts in that language; name it `_`, so that the catalogue's test finds what is said."""
    return _catalogue(spoken(language)).gettext


def plural_translator(language: str) -> TranslatePlural:
    """Texts with a number in them; name it `_n` and give it one, many and the number."""
    return _catalogue(spoken(language)).ngettext


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == LANGUAGES[0]:
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with CATALOGUE.open("rb") as source:
        write_mo(compiled, read_po(source, locale="zh_CN"))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
