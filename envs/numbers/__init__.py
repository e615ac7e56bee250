"""Environments of the family *numbers*."""
