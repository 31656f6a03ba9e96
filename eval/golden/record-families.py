"""Records logits and LoRA gradients of the tiny model of each family with transformers and PEFT; see README.md."""

import argparse
import pathlib
import tempfile
from importlib.metadata import version

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

from common import GOLDEN, f32, sha256, write_json

FAMILIES = ["llama", "qwen2", "qwen3", "gemma3_text"]
RANK, ALPHA, PROMPT = 2, 4, 20
# In the order in which families.test.ts counts them.
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
TOKENS = [*b"Longer than a window of 8: ", 257, *b"done.", 258]
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32}

HOW = (
    "Models: writeTinyModel of test/tiny-families.ts, f32, read by transformers from the config.json written beside them. "
    "llama has rope_scaling as in `llama3`, which the test sets too. LoRA: rank 2, alpha 4, on the seven linears. "
    "Module number t = 7 * layer + place in q k v o gate up down; A [r, in] and B [out, r] flat, element i: "
    "((i * 37 + t * 11) mod 101 - 50) / (50 sqrt(columns)) in f64, rounded to f32. The loss is the mean of -log p of "
    "tokens from `prompt` on. family-*.safetensors: gradients by PEFT names, and logits [tokens, vocabulary] without the "
    "adapter. `written`: config.json as transformers writes it again."
)


def fill(parameter, t):
    i = torch.arange(parameter.numel(), dtype=torch.float64)
    values = ((i * 37 + t * 11) % 101 - 50) / (50 * parameter.shape[1] ** 0.5)
    with torch.no_grad():
        parameter.copy_(values.reshape(parameter.shape).to(torch.float32))


def written_config(config):
    with tempfile.TemporaryDirectory() as folder:
        config.save_pretrained(folder)
        return pathlib.Path(folder, "config.json").read_text(encoding="utf-8")


def record(family, folder, out):
    config = AutoConfig.from_pretrained(folder)
    if family == "llama":
        config.rope_parameters = {**LLAMA3, "rope_theta": config.rope_parameters["rope_theta"]}
    base, info = AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert not info["unexpected_keys"] and not info["missing_keys"] and not info["mismatched_keys"], info
    tokens = torch.tensor(TOKENS)
    with torch.no_grad():
        logits = base(tokens[None]).logits[0]
    model = get_peft_model(base, LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=LINEARS, task_type="CAUSAL_LM"))
    parameters = {name.replace(".default", ""): p for name, p in model.named_parameters() if p.requires_grad}
    for name, parameter in parameters.items():
        layer = int(name.split(".layers.")[1].split(".")[0])
        place = next(i for i, linear in enumerate(LINEARS) if f".{linear}." in name)
        fill(parameter, 7 * layer + place)
    loss = torch.nn.functional.cross_entropy(model(tokens[None]).logits[0, PROMPT - 1 : -1], tokens[PROMPT:])
    loss.backward()
    tensors = {name: p.grad.clone() for name, p in parameters.items()}
    save_file({**tensors, "logits": logits.clone()}, out / f"family-{family}.safetensors")
    return {
        "sha256": sha256(pathlib.Path(folder) / "model.safetensors"),
        "loss": f32([loss.item()])[0],
        "written": written_config(config),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", required=True, help="folder with a folder made by make-tiny.ts for each family")
    parser.add_argument("--out", type=pathlib.Path, default=GOLDEN, help="folder of the files; the golden ones unless told otherwise")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    models = {family: record(family, f"{arguments.tiny}/{family}", arguments.out) for family in FAMILIES}
    about = f"record-families.py: torch {version('torch')}, peft {version('peft')}, transformers {version('transformers')}, f32 on the CPU"
    write_json(
        "families.json",
        {"about": about, "how": HOW, "rank": RANK, "alpha": ALPHA, "prompt": PROMPT, "tokens": TOKENS, "llama3": LLAMA3, **models},
        arguments.out,
    )


if __name__ == "__main__":
    main()
