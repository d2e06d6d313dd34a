"""The examples of docs/test-a-mini-program.md: executed here, they are tests of this module."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "test-a-mini-program.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)

exec(compile("\n\n".join(EXAMPLES), str(PAGE), "exec"), globals())


def test_the_page_has_examples():
    assert len(EXAMPLES) == 6
