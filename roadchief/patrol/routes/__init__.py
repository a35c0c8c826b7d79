"""Routes: in which order to walk a beat, and why."""
