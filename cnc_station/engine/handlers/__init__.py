"""What a job without a machine does."""
