"""Write the templates of `moongate new` anew, out of the two plugins of strangers that our own tests hold to the rules.

Run it after PlainPay or the tip jar has changed: `.venv/bin/python -m tests.write_scaffold`.
"""

from pathlib import Path

PLUGINS = Path(__file__).parent / "plugins"
TEMPLATES = Path(__file__).resolve().parents[1] / "bot" / "cli" / "scaffold"

SAMPLE = "A sample: one shared key, JSON. Put the institution's own wire in its place, file by file."
PROVIDER = (
    ("PlainPay: one shared key, JSON, and nothing else. A third party's provider, and the one to read first.",
     f"@Name@. {SAMPLE}"),
    ("from datetime import timedelta\n\n", ""),
    ("refund_window=timedelta(days=30),", 'refund_window=None,  # the days that are published, once refund is "done"\n        can_close=False,  # until close is'),
    ("PlainPay", "@Name@"), ("Plain", "@Name@"), ("plainpay", "@name@"), ("白付", "@Name@"),
)  # fmt: skip
PROGRAM = (
    ("com.example.tipjar", "com.example.@name@"), ('"1.2.0", "code": 3', '"0.1.0", "code": 1'),
    ('"Tip jar"', '"@Name@"'), ("A tip jar: one page, three amounts, a thank-you.",
     "@Name@. A sample: one page, three amounts, a thank-you."),
)  # fmt: skip


def templates():
    """Path below the templates' folder, and text, of all that is taken from a plugin. The rest is written by hand."""
    for path in sorted((PLUGINS / "plainpay" / "plainpay").glob("*.py")):
        yield f"provider/@name@/{path.name}.tmpl", _with(path.read_text(), PROVIDER)
    for path in sorted((PLUGINS / "tipjar" / "tipjar").iterdir()):
        if path.is_file():
            yield f"miniprogram/@name@/{path.name}.tmpl", _with(path.read_text(), PROGRAM)


def _with(text, changes):
    for old, new in changes:
        text = text.replace(old, new)
    return text


if __name__ == "__main__":
    for name, text in templates():
        target = TEMPLATES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
