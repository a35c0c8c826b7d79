"""Presence: was somebody there? The rule, and the radius of each segment with its history."""
