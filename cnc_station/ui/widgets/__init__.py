"""The parts of pages. They hold no logic: values in, signals out, colours from `theme()`."""
