"""Our environments as those of Prime Intellect's verifiers, played by a model behind an OpenAI endpoint.

pip install rlvr-gym 'verifiers<0.2'
python examples/prime_env.py http://127.0.0.1:8000/v1 MODEL
"""

import asyncio
import sys

from openai import AsyncOpenAI

from rlvr_gym.interop.prime import load_environment
from verifiers import OpenAIChatCompletionsClient  # noqa: TID251


def main(url: str, model: str) -> None:
    """Evaluates on 20 tasks."""
    env = load_environment("GuessTheNumber", n=1000, n_eval=20, difficulty=2)
    client = OpenAIChatCompletionsClient(AsyncOpenAI(base_url=url, api_key="none"))
    results = asyncio.run(env.evaluate(client, model, num_examples=20))
    rewards = [row["reward"] for row in results["outputs"]]
    print("mean reward", sum(rewards) / len(rewards))


if __name__ == "__main__":
    main(*sys.argv[1:3])
