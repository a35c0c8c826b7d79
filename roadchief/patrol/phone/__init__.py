"""The phone: what it takes along for a shift, and what it sends, taken in once and judged."""
