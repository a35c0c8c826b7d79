"""People and what they may do. Read: models, access (the one table), people, signin."""
