"""A tiny model with a chat template that answers in tags, made here: nothing is downloaded."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from interop_peers import require

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")

SPECIAL = ["<pad>", "<|im_start|>", "<|im_end|>", "<|endoftext|>"]
TAGS = ["<think>", "</think>", "<answer>", "</answer>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"]  # fmt: skip


def make_tokenizer(template: str):
    import transformers
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.train_from_iterator(
        ["Work out 1+2 (multiplication before addition and subtraction). higher lower guess number"] * 50,
        trainers.BpeTrainer(
            vocab_size=420, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        ),
    )  # fmt: skip
    inner.add_tokens([AddedToken(tag, normalized=False) for tag in TAGS])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="<|im_end|>", padding_side="left"
    )
    tokenizer.chat_template = template
    return tokenizer


def teach(model, tokenizer, prompts: list[str], steps: int = 50) -> None:
    """A few steps of supervised training, after which the model answers 1, 2 or 3 in tags."""
    import torch

    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    rng = torch.Generator().manual_seed(0)
    for _ in range(steps):
        digits = torch.randint(1, 4, (8,), generator=rng).tolist()
        picks = torch.randint(0, len(prompts), (8,), generator=rng).tolist()
        texts = [prompts[p] + f"<answer>{d}</answer><|im_end|>" for p, d in zip(picks, digits, strict=True)]
        batch = tokenizer(texts, return_tensors="pt", padding=True)
        labels = batch["input_ids"].clone()
        labels[:, :-4] = -100
        loss = model(**batch, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


@pytest.fixture(name="require", scope="session")
def require_fixture():
    """:func:`require`, for tests that need a peer."""
    return require


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """A folder with the model and its tokenizer; the prompts are those of Arithmetic at difficulty 1."""
    require("trl", "pip install 'rlvr-gym[trl]'")
    import torch
    import transformers
    import trl

    from rlvr_gym import load_problem

    torch.manual_seed(0)
    torch.set_num_threads(1)
    template = Path(trl.__file__).parent / "chat_templates" / "qwen2_5.jinja"
    tokenizer = make_tokenizer(template.read_text(encoding="utf-8"))
    config = transformers.Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=2048, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model = transformers.Qwen2ForCausalLM(config)
    source = load_problem("Arithmetic", difficulty=1).source(0)
    messages = [[{"role": "user", "content": source[i].prompt}] for i in range(32)]
    prompts = [tokenizer.apply_chat_template(m, tokenize=False, add_generation_prompt=True) for m in messages]
    teach(model, tokenizer, prompts)
    folder = tmp_path_factory.mktemp("tiny")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
