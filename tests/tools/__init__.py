"""What tests and developers start beside the program: servers, a demo fleet, a probe."""
