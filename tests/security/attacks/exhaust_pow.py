"""Spends its time inside a single C call that no Python signal handler interrupts."""

x = 9**9**9
