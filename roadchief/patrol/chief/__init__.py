"""The chief's pages: what to see first, the week's plan, shifts, reviews; alerts about shifts."""
