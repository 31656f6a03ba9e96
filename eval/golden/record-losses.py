"""Records ten LoRA steps of the tiny random model with PyTorch and PEFT; see README.md and `how` in losses.json."""

import argparse
import math
import pathlib
from importlib.metadata import version

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

from common import GOLDEN, f32, sha256, write_json

RANK, ALPHA, LEARNING_RATE, STEPS, SAMPLES_PER_STEP = 8, 16, 1e-3, 10, 2
# The order counts: a module's place in it is part of the formula for its A.
LINEARS = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
]
DOCUMENTS = [
    "Bees dance to show the others where the flowers are.",
    "The bridge of 1874 was the first in the world to be built of steel.",
    "Räder aus Holz: 3,500 years old!",
]
TASKS = [("Say it shorter.", "Bees dance a map."), ("Say it as a question.", "Do you know what happened?")]

HOW = (
    "Model: tiny-random (writeTinyModel with its defaults), f32, frozen. LoRA on the seven linears of every layer, rank 8, alpha 16 "
    "(scale alpha / r = 2), no dropout. Module number t = 7 * layer + place in `linears`. A is [r, in], "
    "A[i][j] = (((i * in + j) * 37 + t * 11) mod 101 - 50) / (50 * sqrt(in)) in f64, rounded to f32; B is zero. "
    "Step s = 1..10 takes samples (2 (s - 1)) mod 6 and the one after it. Its loss is the sum of -log p(tokens[i] | tokens[..i-1]) "
    "over i >= promptLength of both samples, divided by the number of these tokens; positions of each sample begin at 0. "
    "losses[s - 1] is taken before step s updates. AdamW: learning rate 1e-3 constant, betas 0.9 and 0.999, eps 1e-8, weight decay 0, "
    "bias correction, no clipping. losses-gradients-step1/step10.safetensors: gradients of that step's loss "
    "(at step 1 those of A are zero, as B is); losses-adapter-step10.safetensors: A and B after step 10. Names as in PEFT's adapter files."
)


def make_samples():
    """ChatML in bytes: token id = byte, 257 = <|im_start|>, 258 = <|im_end|>."""
    samples = []
    for document in DOCUMENTS:
        for instruction, completion in TASKS:
            prompt = f"Document:\n{document}\n\n{instruction}"
            head = [257, *b"user\n", *prompt.encode(), 258, *b"\n", 257, *b"assistant\n"]
            samples.append(
                {"prompt": prompt, "completion": completion, "tokens": [*head, *completion.encode(), 258], "promptLength": len(head)}
            )
    return samples


def initialise(model):
    with torch.no_grad():
        for layer in range(model.config.num_hidden_layers):
            for place, linear in enumerate(LINEARS):
                module = model.get_submodule(f"base_model.model.model.layers.{layer}.{linear}")
                a = module.lora_A["default"].weight
                size = a.shape[1]
                t = 7 * layer + place
                rows = [
                    [(((i * size + j) * 37 + t * 11) % 101 - 50) / (50 * math.sqrt(size)) for j in range(size)] for i in range(RANK)
                ]
                a.copy_(torch.tensor(rows, dtype=torch.float64).float())
                module.lora_B["default"].weight.zero_()


def batch_loss(model, batch):
    total, count = 0.0, 0
    for sample in batch:
        tokens, start = torch.tensor(sample["tokens"]), sample["promptLength"]
        logits = model(tokens[None]).logits[0]
        total = total + torch.nn.functional.cross_entropy(logits[start - 1 : -1], tokens[start:], reduction="sum")
        count += len(tokens) - start
    return total / count


def trainable(model):
    return {name.replace(".default", ""): value for name, value in model.named_parameters() if value.requires_grad}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", required=True, help="folder made by make-tiny.ts")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    base = AutoModelForCausalLM.from_pretrained(arguments.tiny, dtype=torch.float32)
    targets = [linear.split(".")[1] for linear in LINEARS]
    model = get_peft_model(base, LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=targets, task_type="CAUSAL_LM"))
    initialise(model)
    parameters = trainable(model)
    optimizer = torch.optim.AdamW(parameters.values(), lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    samples = make_samples()
    losses, norms = [], []
    for step in range(1, STEPS + 1):
        first = SAMPLES_PER_STEP * (step - 1) % len(samples)
        optimizer.zero_grad()
        loss = batch_loss(model, samples[first : first + SAMPLES_PER_STEP])
        loss.backward()
        losses.append(loss.item())
        norms.append(math.sqrt(sum(value.grad.double().square().sum().item() for value in parameters.values())))
        if step in (1, STEPS):
            gradients = {name: value.grad.clone() for name, value in parameters.items()}
            save_file(gradients, GOLDEN / f"losses-gradients-step{step}.safetensors")
        optimizer.step()
    save_file({name: value.detach().clone() for name, value in parameters.items()}, GOLDEN / f"losses-adapter-step{STEPS}.safetensors")
    write_json(
        "losses.json",
        {
            "about": f"record-losses.py: torch {version('torch')}, peft {version('peft')}, transformers {version('transformers')}, f32 on the CPU",
            "how": HOW,
            "modelSha256": sha256(pathlib.Path(arguments.tiny) / "model.safetensors"),
            "rank": RANK,
            "alpha": ALPHA,
            "learningRate": LEARNING_RATE,
            "betas": [0.9, 0.999],
            "epsilon": 1e-8,
            "samplesPerStep": SAMPLES_PER_STEP,
            "linears": LINEARS,
            "losses": f32(losses),
            "gradientNorms": norms,
            "samples": samples,
        },
    )


if __name__ == "__main__":
    main()
