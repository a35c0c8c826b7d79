"""Doubts about visits: signals, weighed once a visit is in; photos alike; the reviewer's work."""
