"""Ideas that know nothing of roads or chiefs: time, shapes, coordinates, text."""
