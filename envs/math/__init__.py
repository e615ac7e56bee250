"""Environments of the family *math*."""
