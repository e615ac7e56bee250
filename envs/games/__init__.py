"""Environments of the family *games*."""
