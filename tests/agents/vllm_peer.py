"""What vLLM does as our rollout engine, printed as JSON; run by test_vllm.py in an environment that has vLLM."""

import contextlib
import gc
import json
import os
import sys
from pathlib import Path

import torch
import transformers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from rlvr_gym.agents.config import OptimiserConfig, TrainConfig
from rlvr_gym.agents.lora import LoraSettings, add_lora
from rlvr_gym.agents.optimiser import make_optimiser
from rlvr_gym.agents.policy import load_policy
from rlvr_gym.agents.rollout import RolloutEngine, make_engine
from rlvr_gym.agents.sampling import Chunking, SamplingParams
from rlvr_gym.agents.scoring import sampled_logprobs
from rlvr_gym.agents.trainer import train
from rlvr_gym.agents.vllm import VllmEngine
from rlvr_gym.cli.main import app
from rlvr_gym.errors import ConfigError

GREEDY = SamplingParams(max_tokens=24, temperature=0)
WARM = SamplingParams(max_tokens=48, temperature=0.7)
ENV = {"terms": 2, "operations": "+", "digits": 1, "prompt": "terse"}


def make_folder(folder, kind, *, tied):
    """A two-layer model with random weights, over characters; heads of a size that vLLM's kernels know."""
    characters = ["<unk>", "<s>", "</s>", "\n", *map(chr, range(32, 127))]
    inner = Tokenizer(models.WordLevel({c: i for i, c in enumerate(characters)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="</s>", bos_token="<s>", unk_token="<unk>"
    )
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=128, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=512, initializer_range=0.25, eos_token_id=2, bos_token_id=1,
        tie_word_embeddings=tied,
    )  # fmt: skip
    torch.manual_seed(0)
    getattr(transformers, f"{kind}ForCausalLM")(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def plain(completions):
    return [[c.tokens, c.finished] for c in completions]


def distance(policy, prompts, completions, params):
    """The largest difference of a log-probability from the trainer's."""
    largest = 0.0
    for prompt, completion in zip(prompts, completions, strict=True):
        tokens = torch.tensor([[*prompt, *completion.tokens]])
        mask = torch.tensor([[0.0] * len(prompt) + [1.0] * len(completion.tokens)])
        scored = sampled_logprobs(policy, tokens, mask, params.temperature or 1.0, params.chunking)
        given = torch.tensor(completion.logprobs)
        largest = max(largest, float((scored[0, len(prompt) :].detach() - given).abs().max()))
    return largest


def learn(policy, prompt):
    """An optimiser step that nothing survives."""
    tokens = torch.tensor([[*prompt, 9, 8, 7]])
    optimiser = make_optimiser(policy, OptimiserConfig(lr=0.1))
    loss = sampled_logprobs(
        policy, tokens, (torch.arange(tokens.shape[1]) >= len(prompt)).float()[None]
    ).sum()
    loss.backward()
    optimiser.step()


def follows(engine, policy, prompts):
    """Greedy tokens before and after a step, beside those of our engine."""
    own, seen = RolloutEngine(policy, max_rows=4), []
    for _ in range(3):
        theirs, ours = (e.generate(prompts, GREEDY, seed=0) for e in (engine, own))
        seen.append(
            {
                "theirs": plain(theirs),
                "ours": plain(ours),
                "distance": distance(policy, prompts, theirs, GREEDY),
            }
        )
        learn(policy, prompts[0])
    return seen


def refused(do):
    with contextlib.suppress(ConfigError):
        do()
        return ""
    try:
        do()
    except ConfigError as error:
        return str(error)


def sampling(policy, engine):
    """All that is asked of an engine's samples."""
    long = [5 + i % 90 for i in range(300)]
    prompts = [[40, 41, 42]] * 6 + [long] * 6 + [[50 + i] for i in range(6)]
    found, calls = {}, []
    once = {}

    def note(ended, wait):
        calls.append(sorted(ended))
        once.update(ended)
        return dict.fromkeys(ended)

    engine.converse(prompts, WARM, note, seed=3)
    whole = [once[i] for i in range(len(prompts))]
    found["rows"] = plain(whole)
    found["texts"] = [c.text == policy.tokenizer.decode(c.tokens) for c in whole]
    found["calls"] = calls
    found["distance"] = distance(policy, prompts, whole, WARM)
    found["again"] = plain(engine.generate(prompts, WARM, seed=3))
    found["others"] = plain(engine.generate(prompts, WARM, seed=4))
    found["turn"] = plain(engine.generate(prompts, WARM, seed=3, turn=1))
    found["part"] = plain(engine.generate(prompts[4:8], WARM, seed=3, rows=range(4, 8)))
    found["none"] = engine.generate([], WARM, seed=0)
    chunked = SamplingParams(max_tokens=60, chunking=Chunking(24, 8))
    rows = engine.generate(prompts[:6], chunked, seed=1)
    found["chunked"] = [len(c.tokens) for c in rows]
    found["chunked_distance"] = distance(policy, prompts[:6], rows, chunked)
    cut = SamplingParams(max_tokens=48, top_k=3, top_p=0.9)
    found["cut"] = sorted(len(c.tokens) for c in engine.generate(prompts, cut, seed=0))
    found["empty"] = refused(lambda: engine.generate([[]], WARM, seed=0))
    found["long"] = refused(lambda: engine.generate([[5] * 500], WARM, seed=0))
    found["cached"] = cached_tokens(engine, [long] * 4)
    found["conversations"] = conversations(policy, engine, prompts[4:10])
    found["interrupted"] = interrupted(engine, prompts)
    return found


def conversations(policy, engine, prompts):
    """Of one to three turns: what each token was said after, and what random numbers the turns had."""
    lived, seen = [[] for _ in prompts], [list(prompt) for prompt in prompts]

    def reply(ended, wait):
        told = dict.fromkeys(ended)
        for number, completion in ended.items():
            lived[number].append((list(seen[number]), completion))
            if len(lived[number]) <= number % 3:
                told[number] = [60 + number] * (8 * number)
                seen[number] += [*completion.tokens, *told[number]]
        return told

    engine.converse(prompts, WARM, reply, seed=3, rows=range(4, 10))
    contexts, completions = zip(*(turn for turns in lived for turn in turns), strict=True)
    second = [(4 + i, *turns[1]) for i, turns in enumerate(lived) if len(turns) > 1]
    rows, before, said = zip(*second, strict=True)
    return {
        "turns": [len(turns) for turns in lived],
        "first": plain(turns[0][1] for turns in lived),
        "distance": distance(policy, contexts, completions, WARM),
        "second": plain(said),
        "second_anew": plain(engine.generate(before, WARM, seed=3, rows=rows, turn=1)),
    }


def cached_tokens(engine, prompts):
    """How much of each prompt vLLM did not compute, out of its own mouth."""
    inner, seen = engine._llm.llm_engine, []
    step = inner.step

    def watched():
        outputs = step()
        seen.extend(output.num_cached_tokens for output in outputs if output.finished)
        return outputs

    engine._llm.reset_prefix_cache()
    inner.step = watched
    engine.generate(prompts, GREEDY, seed=0)
    del inner.step
    return sorted(seen)


def interrupted(engine, prompts):
    """After an exception out of the caller's function the next call is as if nothing had been."""

    def stumble(ended, wait):
        raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        engine.converse(prompts, WARM, stumble, seed=3)
    return [
        engine._llm.llm_engine.get_num_unfinished_requests(),
        plain(engine.generate(prompts, WARM, seed=3)),
    ]


def surroundings(policy):
    """An engine, and what its making changed in the process."""
    before = dict(os.environ), torch.set_num_threads, torch.get_rng_state()
    engine = make_engine("vllm", policy, 8)
    assert isinstance(engine, VllmEngine)
    changed = [name for name in os.environ if os.environ[name] != before[0].get(name)]
    return engine, {
        "variables": sorted(name for name in changed if not name.startswith("VLLM_")),
        "gone": sorted(set(before[0]) - set(os.environ)),
        "threads": torch.set_num_threads is before[1],
        "random": bool(torch.equal(torch.get_rng_state(), before[2])),
    }


def training(policy, folder):
    """Three steps of GRPO, and the run taken up again for a fourth."""
    config = TrainConfig.for_env(
        "rlvr/Arithmetic-v0",
        policy=policy,
        steps=3,
        env={"settings": ENV},
        reward={"length": -0.01, "score": 1.0},
        sampling={"prompts_per_step": 2, "group_size": 4, "max_tokens": 12, "engine": "vllm", "max_rows": 8},
        optimiser={"lr": 1e-2, "warmup_steps": 0},
        **{"eval.tasks": 2, "checkpoint.every": 2, "logging.tensorboard": False, "device": "cpu"},
    )
    train(config, folder, quiet=True)
    gc.collect()
    train(config.replace(steps=4), folder, quiet=True, resume=True)
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return {"rows": rows, "algorithm": config.algorithm.model_dump(mode="json")}


def command(*words):
    """A command of ours in this process: its start would take longer than its work."""
    with contextlib.redirect_stdout(sys.stderr):
        app([str(word) for word in words], standalone_mode=False)


def commands(policy, folder):
    train_run, results = folder / "run", folder / "eval"
    command(
        "train", "Arithmetic", "--policy", f"hf:{policy}", "--run-dir", train_run, "--steps", 1, "--quiet",
        "--set", "sampling.engine=vllm", "--set", "sampling.prompts_per_step=2", "--set", "sampling.group_size=2",
        "--set", "sampling.max_tokens=8", "--set", "sampling.max_rows=8", "--set", "eval.tasks=2",
        "--set", "device=cpu", "--set", "logging.tensorboard=false",
    )  # fmt: skip
    gc.collect()
    command(
        "eval",
        "Arithmetic",
        "--model",
        f"vllm:{policy}",
        "--limit",
        4,
        "--max-tokens",
        8,
        "--output",
        results,
    )
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def main(folder):
    found = {}
    for kind, tied in (("Llama", False), ("Qwen2", True)):
        policy = load_policy(f"hf:{make_folder(folder / kind, kind, tied=tied)}")
        engine, around = surroundings(policy)
        found[kind] = {"around": around}
        if kind == "Llama":
            found["sampling"] = sampling(policy, engine)
        found[kind]["follows"] = follows(engine, policy, [[40, 41, 42], [60] * 20, [7]])
        del engine
        gc.collect()
    policy = add_lora(load_policy(f"hf:{folder / 'Qwen2'}"), LoraSettings(rank=2, alpha=16))
    engine = make_engine("vllm", policy, 8)
    found["lora"] = follows(engine, policy, [[40, 41, 42], [60] * 20, [7]])
    del engine
    gc.collect()
    found["training"] = training(f"hf:{folder / 'Qwen2'}", folder / "trained")
    gc.collect()
    found["commands"] = commands(folder / "Qwen2", folder / "commands")
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
