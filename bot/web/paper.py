"""What our pages are made of: templates, and the headers that keep a page's code and sources its own."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

TEMPLATES: Final = Path(__file__).parent / "templates"
NO_STORE: Final = {"Cache-Control": "no-store", "Vary": "User-Agent, Accept-Language"}


def open_templates() -> Environment:
    """Everything is escaped, and a name that is not given is an error."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def hash_source(text: str) -> str:
    """What a content security policy calls this very text (CSP Level 3, "hash-source")."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
