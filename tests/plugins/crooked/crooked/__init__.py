"""A program whose manifest is wrong. Importing the package is harmless; only `app` is broken."""

from miniprograms.sdk import App


def __getattr__(name: str) -> App:
    if name == "app":
        return App(__file__)
    raise AttributeError(name)
