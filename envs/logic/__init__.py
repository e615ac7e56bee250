"""Environments of the family *logic*."""
