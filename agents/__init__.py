"""The reference agent: policies, rollout engine, algorithms and the training loop. Needs the extra ``train``."""
