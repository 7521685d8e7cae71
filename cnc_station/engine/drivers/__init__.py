"""What speaks to a machine's controller."""
