"""The desk: queue, case page and acts, several cases at once, what the public may see of a case."""
