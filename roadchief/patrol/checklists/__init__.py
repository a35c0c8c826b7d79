"""Checklists: what a visit is asked about, as forms in versions, and the page to publish them."""
