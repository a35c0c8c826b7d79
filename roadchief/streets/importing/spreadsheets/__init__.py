"""Workbooks of spreadsheets (.xlsx): opened within bounds, read as the tables that they are."""
