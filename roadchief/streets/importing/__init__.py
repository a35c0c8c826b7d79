"""A stranger's file becomes streets. Read: reading, mapping, checking, loading, report."""
