"""Names two pages and brings none."""

from miniprograms.sdk import App

app = App(__file__)
