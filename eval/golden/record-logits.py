"""Records test/golden/model/smollm2-135m-instruct.json and tiny-random.json; see README.md."""

import argparse
import pathlib
from importlib.metadata import version

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from common import CHATS, TEXTS, f32, gguf_fields, sha256, smollm_tokenizer, write_json

ABOUT = f"record-logits.py: transformers {version('transformers')}, torch {version('torch')}, f32 on the CPU"
STRIDE = 512
SPECIAL = 17

PROMPTS = [
    "The capital of France is",
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    "<|im_start|>user\nDocument:\nThe lighthouse was built in 1859 and stands 34 metres tall.\n\n"
    "How old was it in 2009?<|im_end|>\n<|im_start|>assistant\n",
    "Bread is made of flour, water and salt. The dough is kneaded until it stretches without tearing, then left to rise "
    "in a warm place. Yeast feeds on the sugars in the flour and gives off gas, which the gluten holds in small bubbles. "
    "After an hour the dough has doubled; it is shaped, left to rise again and baked at 230 degrees for 35 minutes. "
    "A crust forms first, while the crumb inside sets more slowly as the starch swells and the water turns to steam. "
    "A loaf is done when it sounds hollow if tapped underneath, and it should cool before it is cut.",
]


def next_token_losses(logits, tokens):
    """Negative log-likelihood (nats) of each token given those before it, from the second token on."""
    return torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(tokens[1:]), reduction="none")


def record_real(path):
    path = pathlib.Path(path)
    fields = gguf_fields(path)
    tokens = fields["tokenizer.ggml.tokens"]
    tokenizer = smollm_tokenizer(tokens, fields["tokenizer.ggml.merges"], tokens[:SPECIAL])
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    chats = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    prompts = []
    for text in PROMPTS:
        ids = tokenizer.encode(text).ids
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0]
        top = logits[-1].topk(16)
        prompts.append(
            {
                "text": text,
                "tokens": ids,
                "losses": f32(next_token_losses(logits, ids).tolist()),
                "top": [[id, value] for id, value in zip(top.indices.tolist(), f32(top.values.tolist()))],
                "slice": f32(logits[-1, ::STRIDE].tolist()),
            }
        )
    rendered = []
    for messages in CHATS:
        last_is_user = messages[-1]["role"] == "user"
        text = chats.apply_chat_template(messages, tokenize=False, add_generation_prompt=last_is_user)
        rendered.append({"messages": messages, "text": text, "tokens": tokenizer.encode(text).ids})
    write_json(
        "smollm2-135m-instruct.json",
        {
            "about": ABOUT,
            "sha256": sha256(path),
            "stride": STRIDE,
            "prompts": prompts,
            "texts": TEXTS,
            "ids": [tokenizer.encode(text).ids for text in TEXTS],
            "decoded": [tokenizer.decode(tokenizer.encode(text).ids) for text in TEXTS],
            "chats": rendered,
        },
    )


def record_tiny(folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokens = list(b"Tea for 2, please!") + [258]
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0]
    write_json(
        "tiny-random.json",
        {
            "about": ABOUT,
            "sha256": sha256(pathlib.Path(folder) / "model.safetensors"),
            "tokens": tokens,
            "losses": f32(next_token_losses(logits, tokens).tolist()),
            "logits": [f32(row) for row in logits.tolist()],
        },
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gguf", required=True, help="SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("--tiny", required=True, help="folder made by make-tiny.ts")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    record_tiny(arguments.tiny)
    record_real(arguments.gguf)


if __name__ == "__main__":
    main()
