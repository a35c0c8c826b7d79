"""The demo street, and districts of any size for load work. Read: drawing, living, loading."""
