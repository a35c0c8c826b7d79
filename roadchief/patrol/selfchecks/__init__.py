"""Self-checks: merchants look at their own shops in a rhythm of days; never held against them."""
