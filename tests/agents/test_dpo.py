"""DPO: the loss by hand and against TRL's, its gradient, its pairs, and that it moves a policy."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from rlvr_gym.agents.best_of_n import Attempt
from rlvr_gym.agents.config import OptimiserConfig
from rlvr_gym.agents.dpo import dpo_gradient, dpo_loss, refer
from rlvr_gym.agents.fitting import FitConfig, fit
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.preferences import Pair, pairs_by_length, pairs_by_verdict


def attempt(tokens: list[int], prompt: int, **changes: Any) -> Attempt:
    """An attempt whose first ``prompt`` tokens are the prompt."""
    mask = [i >= prompt for i in range(len(tokens))]
    return Attempt(**{"messages": [], "tokens": tokens, "mask": mask, "correct": True, "valid": True,
                      "finished": True, **changes})  # fmt: skip


def of_length(length: int, *, right: bool, **changes: Any) -> Attempt:
    return attempt([1, 3] + [7] * length, 2, correct=right, **changes)


def random_pairs(count: int, vocabulary: int, seed: int = 0) -> list[Pair]:
    generator = torch.Generator().manual_seed(seed)

    def words(low: int, high: int) -> list[int]:
        length = int(torch.randint(low, high, (), generator=generator))
        return torch.randint(5, vocabulary, (length,), generator=generator).tolist()

    pairs = []
    for _ in range(count):
        prompt = words(2, 9)
        chosen, rejected = (attempt(prompt + words(1, 8), len(prompt)) for _ in range(2))
        pairs.append(Pair(chosen, rejected))
    return pairs


def test_by_hand() -> None:
    # d = 0.5 ((-2 + 3) - (-4 + 3)) = 1
    numbers = [torch.tensor([x]) for x in (-2.0, -4.0, -3.0, -3.0)]
    terms = dpo_loss(*numbers, beta=0.5)
    assert float(terms.loss) == pytest.approx(math.log(1 + math.exp(-1)))
    assert (float(terms.chosen_reward), float(terms.rejected_reward)) == (0.5, -0.5)
    smooth = dpo_loss(*numbers, beta=0.5, label_smoothing=0.2).loss
    assert float(smooth) == pytest.approx(0.8 * math.log(1 + math.exp(-1)) + 0.2 * math.log(1 + math.exp(1)))


def test_before_the_first_step_it_is_log_two() -> None:
    same = torch.randn(5)
    other = torch.randn(5)
    torch.testing.assert_close(dpo_loss(same, other, same, other).loss, torch.full((5,), math.log(2)))


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_gradcheck(label_smoothing: float) -> None:
    inputs = [torch.randn(4, dtype=torch.float64, requires_grad=i < 2) for i in range(4)]

    def loss(*x: torch.Tensor) -> torch.Tensor:
        return dpo_loss(*x, beta=0.3, label_smoothing=label_smoothing).loss

    assert torch.autograd.gradcheck(loss, inputs)


def test_the_gradient_by_hand() -> None:
    """``-beta sigmoid(-d)`` to the better one, the opposite to the worse one (2305.18290, sec. 4)."""
    chosen, rejected = (torch.tensor([x], requires_grad=True) for x in (-1.0, -2.0))
    dpo_loss(chosen, rejected, torch.tensor([-1.5]), torch.tensor([-1.0]), beta=0.2).loss.sum().backward()
    d = 0.2 * (0.5 + 1.0)
    expected = 0.2 / (1 + math.exp(d))
    assert (float(chosen.grad), float(rejected.grad)) == pytest.approx((-expected, expected))  # type: ignore[arg-type]


@pytest.mark.parametrize("micro_batch", [1, 4, 64])
def test_micro_batches_change_nothing(micro_batch: int) -> None:
    def gradient(size: int) -> tuple[dict[str, float], list[torch.Tensor]]:
        policy = load_policy("micro", seed=1)
        rows = refer(load_policy("micro", seed=2), random_pairs(7, 100), size)
        metrics = dpo_gradient(policy, rows, size, beta=0.5, label_smoothing=0.1, nll_coef=0.3)
        return metrics, [p.grad for p in policy.parameters() if p.grad is not None]

    (expected, whole), (metrics, parts) = gradient(100), gradient(micro_batch)
    assert metrics == pytest.approx(expected, abs=1e-5)
    for a, b in zip(parts, whole, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def test_the_reference_is_the_policy_before_it_is_trained() -> None:
    policy, pairs = load_policy("micro", seed=3), random_pairs(3, 100)
    rows = refer(policy, pairs, 2)
    metrics = dpo_gradient(policy, rows, 6, beta=0.5)
    assert metrics["loss"] == pytest.approx(math.log(2), abs=1e-5)
    with torch.no_grad():
        logits = policy.logits(policy.hidden(torch.tensor([pairs[0].chosen.tokens])))[0].log_softmax(-1)
    by_hand = sum(
        float(logits[i - 1, token])
        for i, (token, sampled) in enumerate(zip(pairs[0].chosen.tokens, pairs[0].chosen.mask, strict=True))
        if sampled
    )
    assert rows[0].ref_chosen == pytest.approx(by_hand, abs=1e-4)


def test_it_makes_the_better_one_likelier(tmp_path: Path) -> None:
    policy, pairs = load_policy("micro", seed=4), random_pairs(8, 100)
    rows = refer(policy, pairs, 16)

    def gradient(part: list[Any]) -> dict[str, float]:
        return dpo_gradient(policy, part, 16, beta=0.5)

    config = FitConfig(epochs=12, batch_size=8, lr=3e-3, warmup_steps=0)
    last = fit(policy, rows, gradient, config, OptimiserConfig(), seed=0, folder=tmp_path)
    assert last["rewards/accuracy"] == 1.0
    assert last["rewards/chosen"] > 0 > last["rewards/rejected"]


def test_pairs_by_verdict() -> None:
    right, wrong = of_length(3, right=True), of_length(4, right=False)
    cut_off = of_length(5, right=True, finished=False)
    unjudged = of_length(6, right=False, valid=False)
    groups = [[right, wrong, cut_off, unjudged], [wrong, wrong], [right, cut_off]]
    assert pairs_by_verdict(groups, 10, 0) == [Pair(right, wrong)]
    many = [
        [of_length(i, right=True) for i in range(1, 6)] + [of_length(i, right=False) for i in range(1, 6)]
    ]
    drawn = pairs_by_verdict(many, 7, seed=1)
    assert len(drawn) == 7
    assert len({(pair.chosen.length, pair.rejected.length) for pair in drawn}) == 7
    assert all(pair.chosen.correct and not pair.rejected.correct for pair in drawn)
    assert drawn == pairs_by_verdict(many, 7, seed=1) != pairs_by_verdict(many, 7, seed=2)


def test_pairs_by_length() -> None:
    best, near, long = (of_length(n, right=True) for n in (4, 5, 6))
    short_and_wrong, long_and_wrong = of_length(2, right=False), of_length(9, right=False)
    group = [long, near, best, short_and_wrong, long_and_wrong, of_length(20, right=False, valid=False)]
    assert pairs_by_length([group], 10, 0) == [Pair(best, long), Pair(best, long_and_wrong)]
    assert pairs_by_length([group], 10, 0, ratio=1.0)[1] == Pair(best, near)
    assert pairs_by_length([[long_and_wrong]], 10, 0) == []
    assert pairs_by_length([[best, of_length(4, right=True)]], 10, 0, ratio=1.0) == []  # not longer


def trl_trainer(folder: Path, **settings: Any) -> Any:
    """A real ``DPOTrainer`` of a random two-layer model."""
    trl, transformers = pytest.importorskip("trl"), pytest.importorskip("transformers")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    from datasets import Dataset

    words = {f"w{i}": i for i in range(60)} | {"<pad>": 60, "<eos>": 61, "<unk>": 62}
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel(words, unk_token="<unk>")), pad_token="<pad>", eos_token="<eos>",
        unk_token="<unk>",
    )  # fmt: skip
    config = transformers.Qwen2Config(
        vocab_size=63, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=64, pad_token_id=60, eos_token_id=61, initializer_range=0.3,
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.Qwen2ForCausalLM(config)
    arguments = trl.DPOConfig(
        output_dir=str(folder), report_to=[], use_cpu=True, bf16=False, logging_strategy="no", save_strategy="no",
        **settings,
    )  # fmt: skip
    rows = {"prompt": ["w1 w2"], "chosen": ["w3"], "rejected": ["w4"]}
    trainer = trl.DPOTrainer(
        model=model,
        ref_model=copy.deepcopy(model),
        args=arguments,
        train_dataset=Dataset.from_dict(rows),
        processing_class=tokenizer,
    )
    trainer.model.eval()
    trainer.precompute_ref_logps = True
    return trainer


def trl_inputs(rows: list[Any], pad: int) -> dict[str, torch.Tensor]:
    """The batch as TRL's collator lays it out: better ones first, then worse ones."""
    attempts = [row.pair.chosen for row in rows] + [row.pair.rejected for row in rows]
    width = max(len(a.tokens) for a in attempts)

    def padded(lists: list[list[int]], fill: int) -> torch.Tensor:
        return torch.tensor([[*row, *[fill] * (width - len(row))] for row in lists])

    return {
        "input_ids": padded([a.tokens for a in attempts], pad),
        "attention_mask": padded([[1] * len(a.tokens) for a in attempts], 0),
        "completion_mask": padded([[int(m) for m in a.mask] for a in attempts], 0),
        "ref_chosen_logps": torch.tensor([row.ref_chosen for row in rows]),
        "ref_rejected_logps": torch.tensor([row.ref_rejected for row in rows]),
    }


@pytest.mark.parametrize(
    ("settings", "ours", "count"),
    [
        ({"loss_type": ["sigmoid"], "beta": 0.1}, {"beta": 0.1}, 5),
        ({"loss_type": ["sigmoid"], "beta": 1.3}, {"beta": 1.3}, 5),
        # TRL smooths labels in its "aot" loss, which sorts over the batch: with one pair it is conservative DPO
        (
            {"loss_type": ["aot"], "beta": 0.7, "label_smoothing": 0.1},
            {"beta": 0.7, "label_smoothing": 0.1},
            1,
        ),
    ],
    ids=["beta 0.1", "beta 1.3", "smoothing"],
)
def test_equal_to_trl(settings: dict[str, Any], ours: dict[str, float], count: int, tmp_path: Path) -> None:
    """Loss, rewards and gradient, from tokens on, of the same model."""
    trainer = trl_trainer(tmp_path, **settings)
    from rlvr_gym.agents.hf import HFPolicy

    generator = torch.Generator().manual_seed(5)
    rows = [
        type(row)(row.pair, *(-10 * torch.rand(2, generator=generator)).tolist())
        for row in refer_with(trainer, random_pairs(count, 60))
    ]
    theirs = trainer._compute_loss(trainer.model, trl_inputs(rows, 60), return_outputs=False)
    theirs.backward()
    expected = {name: p.grad.clone() for name, p in trainer.model.named_parameters() if p.grad is not None}
    trainer.model.zero_grad()
    metrics = dpo_gradient(HFPolicy(trainer.model, trainer.processing_class, "test"), rows, 4, **ours)
    assert metrics["loss"] == pytest.approx(theirs.item(), rel=2e-6)
    for name in ("chosen", "rejected"):
        logged = trainer._metrics["eval"][f"rewards/{name}"][-1]
        assert metrics[f"rewards/{name}"] == pytest.approx(logged, abs=1e-5)
    assert expected
    for name, p in trainer.model.named_parameters():
        if name in expected:
            torch.testing.assert_close(p.grad, expected[name], atol=1e-6, rtol=1e-4)


def refer_with(trainer: Any, pairs: list[Pair]) -> list[Any]:
    from rlvr_gym.agents.hf import HFPolicy

    policy: Policy = HFPolicy(trainer.model, trainer.processing_class, "test")
    found = refer(policy, pairs, 4)
    trainer.model.set_attn_implementation("sdpa")
    return found
