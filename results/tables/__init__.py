"""Rows as the tables that people read, and numbers as text."""
