"""Which of our environments is which of reasoning-gym's data sets, and the settings that bring the two nearest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["PAIRS", "UNPAIRED", "Pair"]

Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """An environment, a data set, and how they are made alike.

    Attributes:
        ours: an id, without ``rlvr/`` and ``-v0``.
        theirs: a data set's name.
        note: what is matched, and where the tasks still differ.
        settings: ours.
        parameters: theirs.
    """

    ours: str
    theirs: str
    note: str
    settings: Settings = field(default_factory=dict)
    parameters: Settings = field(default_factory=dict)


def _both(name: str, value: object) -> Settings:
    """A range of one value: ``min_name`` and ``max_name``."""
    return {f"min_{name}": value, f"max_{name}": value}


PAIRS = (
    Pair(
        "Zebra",
        "zebra_puzzles",
        "4 houses, 4 categories; theirs asks for one name, ours for the whole street",
        {"difficulty": 6, "houses": 4, "categories": 4},
        {"num_people": 4, "num_characteristics": 4},
    ),
    Pair(
        "Sudoku",
        "sudoku",
        "9x9, 40 empty cells, unique",
        {"difficulty": 6, "size": 9, "empty": 40},
        _both("empty", 40),
    ),
    Pair(
        "MiniSudoku",
        "mini_sudoku",
        "4x4, 10 empty cells, unique",
        {"difficulty": 6, "empty": 10},
        _both("empty", 10),
    ),
    Pair(
        "Countdown",
        "countdown",
        "5 numbers up to 100, all of them used, four operations",
        {"difficulty": 6, "count": 5, "largest": 100},
        _both("numbers", 5),
    ),
    Pair(
        "Futoshiki",
        "futoshiki",
        "5x5, unique",
        {"difficulty": 5, "size": 5},
        {**_both("board_size", 5), **_both("difficulty", 1)},
    ),
    Pair(
        "KnightsAndKnaves",
        "knights_knaves",
        "3 people, unique",
        {"difficulty": 3},
        {"n_people": 3},
    ),
    Pair(
        "SelfReference",
        "self_reference",
        "7 statements; theirs counts the solutions, ours has one that is to be found",
        {"difficulty": 7},
    ),
    Pair(
        "Syllogism",
        "syllogism",
        "3 kinds, 2 premises; theirs asks about one conclusion, ours about 3",
        {"difficulty": 1},
    ),
    Pair(
        "Entailment",
        "propositional_logic",
        "3 variables, 3 premises; theirs asks for a conclusion, ours for a countermodel or a yes",
        {"difficulty": 3},
        {**_both("vars", 3), **_both("statements", 3)},
    ),
    Pair(
        "FamilyRelations",
        "family_relationships",
        "8 people",
        {"difficulty": 3},
        _both("family_size", 8),
    ),
    Pair(
        "CircuitEvaluation",
        "circuit_logic",
        "theirs 4 terms of 3 inputs (a picture), ours 5 gates and 3 inputs, all of them asked for",
        {"difficulty": 3},
        {**_both("terms", 4), **_both("inputs", 3)},
    ),
    Pair(
        "Cryptarithm",
        "cryptarithm",
        "2 summands of 4 digits (theirs 3 to 5); ours without the worked solution, which theirs does not have",
        {"difficulty": 6, "worked": False},
        {"max_words": 2},
    ),
    Pair(
        "GraphColoring",
        "graph_color",
        "10 nodes, about 20 edges, 3 colours; ours also has graphs that cannot be coloured",
        {"difficulty": 6},
        {"edge_probability": 0.43},
    ),
    Pair(
        "PathInMaze",
        "shortest_path",
        "7 x 7 cells, three of ten blocked; ours accepts only shortest paths",
        {"difficulty": 4},
        {**_both("rows", 7), **_both("cols", 7), "p_blocked": 0.3},
    ),
    Pair(
        "TopologicalSort",
        "course_schedule",
        "8 nodes; theirs asks whether there is an order, ours for the order",
        {"difficulty": 3},
        _both("num_courses", 8),
    ),
    Pair("ARC1D", "arc_1d", "rows of 12, 3 examples", {"difficulty": 3}, _both("size", 12)),
    Pair(
        "GameOfLife",
        "game_of_life",
        "6 x 6, 2 generations",
        {"difficulty": 4},
        {"grid_size_x": 6, "grid_size_y": 6, "simulation_steps": 2},
    ),
    Pair(
        "MatrixRotation",
        "rotate_matrix",
        "4 x 4 (ours nearly), 2 moves",
        {"difficulty": 5},
        {**_both("n", 4), **_both("rotations", 2)},
    ),
    Pair("SpiralMatrix", "spiral_matrix", "5 x 5 (ours nearly)", {"difficulty": 5}, _both("n", 5)),
    Pair(
        "Sorting",
        "number_sorting",
        "7 numbers; theirs asks for the order, ours for the swaps",
        {"difficulty": 3},
        _both("numbers", 7),
    ),
    Pair("WordSorting", "word_sorting", "7 words", {"difficulty": 3}, _both("words", 7)),
    Pair("LetterCounting", "letter_counting", "11 words", {"difficulty": 3}, _both("words", 11)),
    Pair("Palindrome", "palindrome_generation", "8 letters", {"difficulty": 2}, _both("length", 8)),
    Pair("Caesar", "caesar_cipher", "10 words", {"difficulty": 5}, _both("words", 10)),
    Pair(
        "CalendarQuestions",
        "calendar_arithmetic",
        "up to 80 days",
        {"difficulty": 3},
        {"offset_upper_bound": 80},
    ),
    Pair(
        "DateArithmetic",
        "time_intervals",
        "up to 100 days; theirs asks for the days between two dates",
        {"difficulty": 4},
        {"task_types": ["date"], "max_date_difference_days": 100},
    ),
    Pair("StackMachine", "bf", "the output of a program; theirs is in Brainf*ck", {"difficulty": 3}),
    Pair("BitParity", "count_bits", "31 bits; theirs asks how many are one", {"bits": 31}),
    Pair(
        "Arithmetic",
        "chain_sum",
        "4 terms of up to 3 digits, + and -",
        {"terms": 4, "digits": 3, "operations": "+-"},
        {**_both("terms", 4), "max_digits": 3},
    ),
    Pair(
        "BaseConversion",
        "base_conversion",
        "numbers up to about 1,000",
        {"difficulty": 3},
    ),
    Pair(
        "GcdLcm",
        "gcd",
        "2 numbers of up to 3 digits; half of ours ask for the multiple",
        {"difficulty": 2},
    ),
    Pair("GcdLcm", "lcm", "2 numbers; half of ours ask for the divisor", {"difficulty": 1}),
    Pair("PrimeFactorization", "prime_factorization", "numbers up to about 1,000", {"difficulty": 3}),
    Pair(
        "Fractions",
        "fraction_simplification",
        "lowest terms; ours also adds two fractions",
        {"difficulty": 1},
        {"styles": ("plain",)},
    ),
    Pair(
        "LinearEquation",
        "simple_equations",
        "one unknown; ours has brackets on both sides",
        {"difficulty": 3},
    ),
    Pair(
        "QuadraticEquation",
        "polynomial_equations",
        "degree 2; theirs wants decimals, ours exact roots",
        {"difficulty": 4},
        _both("degree", 2),
    ),
    Pair(
        "PolynomialProduct",
        "polynomial_multiplication",
        "2 factors of degree up to 2, one variable",
        {"difficulty": 3},
        {**_both("polynomials", 2), "max_degree": 2, "max_value": 6, "max_terms": 3},
    ),
    Pair(
        "Antiderivative",
        "simple_integration",
        "polynomials",
        {"difficulty": 2},
        {"max_terms": 3, "max_degree": 4},
    ),
    Pair(
        "Antiderivative",
        "intermediate_integration",
        "by parts and by substitution",
        {"difficulty": 8},
    ),
    Pair("Sequence", "number_sequence", "the next term; theirs does not tell the rule", {"difficulty": 3}),
    Pair(
        "DiceProbability",
        "dice",
        "4 dice of up to 10 faces; ours has several kinds of events",
        {"difficulty": 7},
        {"max_dice_size": 10},
    ),
    Pair("CoordinateGeometry", "advanced_geometry", "a point of a triangle or of lines", {"difficulty": 6}),
    Pair(
        "SokobanPlan",
        "sokoban",
        "grids of 7 x 7; theirs has 4 boxes, ours 1 or 2",
        {"difficulty": 5},
        {"min_w": 7, "max_w": 7, "min_h": 7, "max_h": 7, "min_boxes": 4, "max_boxes": 4},
    ),
    Pair(
        "HanoiPlan",
        "tower_of_hanoi",
        "3 disks and 7 moves (ours 4 disks and 5 or 6 moves); ours from any position to any other",
        {"difficulty": 3},
        {**_both("disks", 3), **_both("pegs", 3)},
    ),
    Pair(
        "RubiksTinyPlan",
        "rubiks_cube",
        "4 turns; theirs is a 2x2x2 cube, too",
        {"difficulty": 4},
        {"cube_size": 2, **_both("scramble_steps", 4)},
    ),
    Pair(
        "Unscramble",
        "letter_jumble",
        "words out of a text",
        {"difficulty": 3},
        {"min_words": 5, "max_words": 10},
    ),
    Pair(
        "WordProblem",
        "gsm_symbolic",
        "theirs fills templates; ours composes 2 to 4 steps",
        {"difficulty": 1},
    ),
)
"""All that both have; where both have it in several sizes, a middle one."""

UNPAIRED = {
    "maze": "raises 'Could not find suitable path cell after 1000 attempts' under its default settings",
    "string_manipulation": "runs rules in a fixed order; StringRewriting asks for a derivation",
    "rush_hour": "reads a puzzle out of a bundled file of known ones: nothing is generated",
    "rearc": "its examples need not determine the answer, and a rule is code for each of 400 tasks; "
    "ARC2D proves that all rules of its language that agree with the examples give the same answer",
    "basic_arithmetic": "the same as chain_sum for us: Arithmetic has no brackets",
    "puzzle24": "Countdown with the target 24; the pair with countdown stands for it",
    "coin_flip": "one formula; DiceProbability stands for it in the pair with dice",
}
"""Data sets that come near one of ours, and why they are not compared."""
