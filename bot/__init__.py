"""The host: chats on one side, money on the other."""
