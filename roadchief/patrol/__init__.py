"""Patrol: shifts and beats, check-ins judged fairly, coverage, review. Nothing lost, nothing twice."""
