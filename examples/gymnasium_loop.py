"""The plain loop: an environment of text, a policy that guesses, a reward that a program gives.

python examples/gymnasium_loop.py
"""

import gymnasium

env = gymnasium.make("rlvr_gym:rlvr/GuessTheNumber-v0", difficulty=2)
solved = 0
for episode in range(5):
    observation, info = env.reset(seed=0 if episode == 0 else None)  # one stream of tasks, episode by episode
    low, high, over = 1, 15, False
    while not over:
        guess = (low + high) // 2
        observation, reward, terminated, truncated, info = env.step(f"<answer>{guess}</answer>")
        over = terminated or truncated
        if "higher" in observation.rsplit("[user]", 1)[-1]:
            low = guess + 1
        else:
            high = guess - 1
    solved += info["correct"]
    print(info["task_id"], "reward", reward, info["verdict"].reason)
env.close()
print(f"solved {solved} of 5")
