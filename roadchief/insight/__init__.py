"""Insight: what is overdue, silent, repeated or odd, said with its reasons, every night."""
