r"""Mathematical answers: extract, normalise, parse, compare; exact first, never through a float.

For authors of environments::

    node = parse(r"\frac{x^2-1}{x-1}")      # a Node of the whitelisted tree, or a ParseFailure
    to_sympy(node)                          # the SymPy object, built node by node
    equivalent("1/2", "0.5")                # True; takes texts or nodes, and a Policy

A task's answer is text; ``task.metadata["math"]`` may hold any field of :class:`Policy`, such as
``{"tolerance": "rel(1e-6)", "simplified": True}``. :class:`MathVerifier` is registered as ``math``; subclass it and
override :meth:`MathVerifier.check` (call ``super().check`` first) to demand more.
"""

from rlvr_gym.verifiers.math.api import ParseFailure, equivalent, parse
from rlvr_gym.verifiers.math.nodes import Node
from rlvr_gym.verifiers.math.policy import Policy
from rlvr_gym.verifiers.math.symbolic import to_sympy
from rlvr_gym.verifiers.math.verifier import MathVerifier

__all__ = ["MathVerifier", "Node", "ParseFailure", "Policy", "equivalent", "parse", "to_sympy"]
