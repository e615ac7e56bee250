"""Environments of the family *corpus*."""
