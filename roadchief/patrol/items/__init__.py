"""Items as phones send them: read and bounded, dated by a corrected clock, answered. All pure."""
