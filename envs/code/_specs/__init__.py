"""Specifications of functions, one subject a file, and what is composed of them."""

from rlvr_gym.envs.code._specs import dicts, dynamic, graphs, lists, numbers, recursion, strings
from rlvr_gym.envs.code._specs.base import SPECS, Program, Spec, compile_function, count_nodes

__all__ = [
    "SPECS",
    "Program",
    "Spec",
    "compile_function",
    "count_nodes",
    "dicts",
    "dynamic",
    "graphs",
    "lists",
    "numbers",
    "recursion",
    "strings",
]
