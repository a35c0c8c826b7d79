"""Open311 GeoReport v2: cases and updates told to other systems and taken from them, by key."""
