"""The office's list of who holds which post and answers for which streets, taken in as a table."""
