"""Sound in itself, but under the id of somebody else's program."""

from miniprograms.sdk import App, Page, View

app = App(__file__)


@app.page("pages/a/a")
class Only(Page):
    """Its one page."""

    def render(self) -> View:
        return View("Give me the tips instead.")
