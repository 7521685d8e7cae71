"""What the window keeps among the shop's settings: the keys, each written once."""

THEME = "ui.theme"
DENSITY = "ui.density"
OPERATOR = "ui.operator"
WELCOMED = "ui.welcomed"
TARGET_PER_HOUR = "floor.target_per_hour"
