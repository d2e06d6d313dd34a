"""What can go wrong in a mini program, split by whose fault it is.

MiniProgramError
├── AuthorError             the author's: the text names the page, the method and the cure
│   ├── ManifestError       `app.json`, with the JSON path of every mistake
│   ├── DataError           data that is not what the page's `Data` says
│   └── ViewError           a view that no chat can show
└── ApiError                an API said no, in WeChat's words: `error.err_msg`; a page may catch it and go another way
    ├── NavigationError     `navigateTo:fail webview count limit exceed` …
    ├── StorageError        `setStorage:fail …`
    └── ScopeError          a permission that `app.json` does not ask for

An error that a page does not catch undoes the whole turn: nothing of it is kept, and the person is told.
"""


class MiniProgramError(Exception):
    """Root of the family; never raised itself."""


class AuthorError(MiniProgramError):
    """The mini program broke a rule. The text says which, where, and what to do."""


class ManifestError(AuthorError):
    """`app.json` cannot be used. Each of `problems` begins with a JSON path: `$.pages: it is missing.`, and so on."""

    def __init__(self, where: str, problems: tuple[str, ...]) -> None:
        super().__init__(f"{where} cannot be used. " + " ".join(problems))
        self.problems = problems


class DataError(AuthorError):
    """A value that the page's `Data` does not allow, or that JSON cannot hold."""


class ViewError(AuthorError):
    """A view beyond what a message can show; the text names the page and the limit."""


class ApiError(MiniProgramError):
    """An API refused. `err_msg` is what WeChat says in the same place; `cure` is what the author can do."""

    def __init__(self, err_msg: str, cure: str = "") -> None:
        super().__init__(f"{err_msg}. {cure}" if cure else err_msg)
        self.err_msg = err_msg


class NavigationError(ApiError):
    """A route that cannot be taken. The stack is as it was."""


class StorageError(ApiError):
    """Storage is full, or a value is too large. Nothing was written."""


class ScopeError(ApiError):
    """The manifest does not ask for the permission."""
