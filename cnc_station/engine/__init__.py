"""The engine: everything that happens in the shop, without a window."""
