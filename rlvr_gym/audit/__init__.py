"""The audit: attacks on verifiers, and what became of them.

It asks of an environment what a policy under training will ask of it: is anything paid for that is not a solution,
and is a solution ever not paid for? See ``docs/audit.md``, and the command ``rlvr-gym audit``.
"""

from rlvr_gym.audit.attack import Attack, Luck, Target
from rlvr_gym.audit.env_audit import EnvAudit, Limits
from rlvr_gym.audit.findings import EnvReport, Finding, Kind
from rlvr_gym.audit.page import render_page
from rlvr_gym.audit.runner import AuditSettings, Job, run_audit
from rlvr_gym.audit.table import render_table

__all__ = [
    "Attack",
    "AuditSettings",
    "EnvAudit",
    "EnvReport",
    "Finding",
    "Job",
    "Kind",
    "Limits",
    "Luck",
    "Target",
    "render_page",
    "render_table",
    "run_audit",
]
