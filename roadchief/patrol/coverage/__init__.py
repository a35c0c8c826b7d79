"""Coverage: how much of the ground was seen, by length, how long ago and at what effort."""
