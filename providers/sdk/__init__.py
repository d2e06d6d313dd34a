"""The provider SDK: all that a provider plugin needs, and all that the host promises it."""
