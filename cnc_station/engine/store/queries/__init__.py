"""Reading: every function takes a reader's connection and answers with frozen records."""
