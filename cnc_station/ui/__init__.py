"""The window. It knows the engine's door and nothing behind it."""
