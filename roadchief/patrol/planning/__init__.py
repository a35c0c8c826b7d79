"""Planning: a week laid from the rules, shifts, whose beat it was, what is due."""
