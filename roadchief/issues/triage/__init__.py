"""Triage: a category suggested from words by a model that anybody can read, and how it learns."""
