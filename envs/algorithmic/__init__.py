"""Environments of the family *algorithmic*."""
