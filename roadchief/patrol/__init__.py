"""Patrol: shifts, check-ins judged fairly, coverage, review. Nothing lost, nothing twice."""
