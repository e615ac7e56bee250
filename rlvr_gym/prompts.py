"""System prompt templates: how a task's prompt is framed, and how a demonstration of it is written."""

from __future__ import annotations

from dataclasses import dataclass

from rlvr_gym.errors import UnknownNameError

__all__ = ["TEMPLATES", "PromptTemplate", "get_template"]


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A system prompt and the shape of the completion that it asks for.

    Attributes:
        name: its name.
        system: the system message; empty for none.
        demonstration: a format string over ``solution`` (worked reasoning) and ``answer``.
    """

    name: str
    system: str
    demonstration: str

    def demonstrate(self, solution: str | None, answer: str) -> str:
        """A completion of the right form, for warm starts."""
        if solution is None:
            return f"<answer>{answer}</answer>"
        return self.demonstration.format(solution=solution, answer=answer)


TEMPLATES: dict[str, PromptTemplate] = {
    template.name: template
    for template in (
        PromptTemplate("plain", "", "{solution}\n<answer>{answer}</answer>"),
        PromptTemplate(
            "r1",  # DeepSeek-R1 (2501.12948), table 1
            "A conversation between User and Assistant. The user asks a question, and the Assistant solves it. "
            "The assistant first thinks about the reasoning process in the mind and then provides the user with "
            "the answer. The reasoning process and answer are enclosed within <think> </think> and "
            "<answer> </answer> tags, respectively, i.e., <think> reasoning process here </think> "
            "<answer> answer here </answer>.",
            "<think>{solution}</think><answer>{answer}</answer>",
        ),
        PromptTemplate(
            "tags",  # the R1 form without words: for small policies that learn it from demonstrations
            "",
            "<think>{solution}</think><answer>{answer}</answer>",
        ),
        PromptTemplate(
            "boxed",
            "Please reason step by step, and put your final answer within \\boxed{}.",
            "{solution}\nThe answer is \\boxed{{{answer}}}",
        ),
    )
}


def get_template(name: str) -> PromptTemplate:
    """The template of this name; any text with a space in it is taken as a system prompt of one's own.

    Raises:
        UnknownNameError: if a single word is no template's name.
    """
    if name in TEMPLATES:
        return TEMPLATES[name]
    if " " in name:
        return PromptTemplate("custom", name, TEMPLATES["plain"].demonstration)
    raise UnknownNameError("system prompt", name, TEMPLATES)
