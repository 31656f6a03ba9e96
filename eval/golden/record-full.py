"""Records ten steps that train all weights of the tiny model of each family with PyTorch; see README.md and `how`."""

import argparse
import math
import pathlib
from importlib.metadata import version

import torch
from transformers import AutoModelForCausalLM

from common import f32, sha256, write_json

FAMILIES = ["llama", "qwen2", "qwen3", "gemma3_text"]
LEARNING_RATE, WEIGHT_DECAY, STEPS, PROMPT = 1e-3, 0.1, 10, 20
TOKENS = [
    [*b"Longer than a window of 8: ", 257, *b"done.", 258],
    [*b"Longer than a window, or: ", 257, *b"not?", 258],
]

HOW = (
    "Models: writeTinyModel of test/tiny-families.ts, f32, all parameters trained. Step s = 1..10 takes tokens[(s - 1) mod 2]; "
    "its loss is the mean of -log p of its tokens from `prompt` on, taken before the step updates. AdamW: learning rate 1e-3 "
    "constant, betas 0.9 and 0.999, eps 1e-8, weight decay 0.1 on matrices and 0 on norms and biases, no clipping."
)


def record(folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    losses, norms = [], []
    for step in range(STEPS):
        tokens = torch.tensor(TOKENS[step % 2])
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(tokens[None]).logits[0, PROMPT - 1 : -1], tokens[PROMPT:])
        loss.backward()
        losses.append(loss.item())
        norms.append(math.sqrt(sum(p.grad.double().square().sum().item() for p in parameters)))
        optimizer.step()
    return {
        "sha256": sha256(pathlib.Path(folder) / "model.safetensors"),
        "parameters": sum(p.numel() for p in parameters),
        "losses": f32(losses),
        "gradientNorms": norms,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", required=True, help="folder with a folder made by make-tiny.ts for each family")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    families = {family: record(f"{arguments.tiny}/{family}") for family in FAMILIES}
    about = f"record-full.py: torch {version('torch')}, transformers {version('transformers')}, f32 on the CPU"
    settings = {"learningRate": LEARNING_RATE, "weightDecay": WEIGHT_DECAY, "prompt": PROMPT, "tokens": TOKENS}
    write_json("full.json", {"about": about, "how": HOW, **settings, **families})


if __name__ == "__main__":
    main()
