"""Environments of the family *tools*."""
