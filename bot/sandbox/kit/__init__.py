"""The parts of the test kit's world: a messenger, an order book and institutions in memory, and people who use them."""
