"""Environments of the family *optimisation*: any valid answer earns something, only the best one is correct."""
