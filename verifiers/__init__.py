"""Verifiers: one answer kind a file. ``rlvr_gym.verifier.get_verifier(name)`` finds them by name."""
