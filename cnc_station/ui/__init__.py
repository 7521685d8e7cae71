"""The window: it knows the engine's door and nothing behind it."""
