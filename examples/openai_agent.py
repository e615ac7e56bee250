"""A language model behind any OpenAI endpoint (vLLM, llama.cpp, a provider) plays an environment.

python examples/openai_agent.py http://127.0.0.1:8000/v1 MODEL rlvr/GuessTheNumber-v0
"""

import json
import os
import sys

import gymnasium
from openai import OpenAI


def play(url: str, model: str, env_id: str, episodes: int = 3) -> float:
    """The mean reward."""
    client = OpenAI(base_url=url, api_key=os.environ.get("OPENAI_API_KEY", "none"))
    env = gymnasium.make(f"rlvr_gym:{env_id}", observation="chat", system_prompt="plain")
    total = 0.0
    for episode in range(episodes):
        observation, info = env.reset(seed=0 if episode == 0 else None)
        over = False
        while not over:
            answer = client.chat.completions.create(model=model, messages=json.loads(observation))
            text = answer.choices[0].message.content or ""
            observation, reward, terminated, truncated, info = env.step(text)
            over = terminated or truncated
        print(info["task_id"], "reward", reward, info["verdict"].reason)
        total += reward
    return total / episodes


if __name__ == "__main__":
    print("mean reward", play(*sys.argv[1:4]))
