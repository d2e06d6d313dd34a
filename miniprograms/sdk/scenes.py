"""How a program came to be opened: WeChat's scene numbers that have a twin in a chat (wx.getLaunchOptionsSync, scene)."""

from enum import IntEnum


class Scene(IntEnum):
    """The names are ours, the numbers WeChat's."""

    LIST = 1001  # the list of programs
    TEST = 1030  # the test kit
    FROM_PROGRAM = 1037  # another mini program opened this one
    CODE = 1047  # a picture of a code
    LINK = 1194  # a web link
