"""The ground: sub-districts, roads, segments, storefronts.

Read: models, linework, register, storefronts, catalog, importing.
"""
