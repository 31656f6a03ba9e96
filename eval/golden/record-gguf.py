"""Records test/golden/model/tiny.gguf and gguf.json; see README.md."""

import argparse
import tempfile
from importlib.metadata import version

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM

from common import GOLDEN, TEXTS, f32, gguf_fields, sha256, smollm_tokenizer, write_json

HIDDEN, INTERMEDIATE, HEADS, KV_HEADS, LAYERS, MERGES = 64, 96, 4, 2, 1, 600
SPECIAL, NORMAL, CONTROL = 17, 1, 3


def reduced_vocabulary(path):
    """The special tokens, the 256 bytes and what the first merges make of them."""
    fields = gguf_fields(path)
    merges = fields["tokenizer.ggml.merges"][:MERGES]
    special = fields["tokenizer.ggml.tokens"][:SPECIAL]
    single = [token for token in fields["tokenizer.ggml.tokens"][SPECIAL:] if len(token) == 1]
    tokens = special + single + list(dict.fromkeys(merge.replace(" ", "") for merge in merges))
    return tokens, merges, special, fields["tokenizer.chat_template"]


def permute(weights, heads):
    """llama.cpp's convert_hf_to_gguf.py, LlamaModel.permute."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weights.shape)


def write_gguf(path, tokens, merges, template):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(512)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(100000.0)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([CONTROL] * SPECIAL + [NORMAL] * (len(tokens) - SPECIAL))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template(template)

    random = np.random.default_rng(1)
    types = gguf.GGMLQuantizationType
    key_size = HIDDEN // HEADS * KV_HEADS
    shapes = {
        "token_embd": (types.Q8_0, (len(tokens), HIDDEN)),
        "output_norm": (types.F32, (HIDDEN,)),
        "blk.0.attn_norm": (types.F32, (HIDDEN,)),
        "blk.0.ffn_norm": (types.F32, (HIDDEN,)),
        "blk.0.attn_q": (types.Q4_1, (HIDDEN, HIDDEN)),
        "blk.0.attn_k": (types.F16, (key_size, HIDDEN)),
        "blk.0.attn_v": (types.BF16, (key_size, HIDDEN)),
        "blk.0.attn_output": (types.Q8_0, (HIDDEN, HIDDEN)),
        "blk.0.ffn_gate": (types.Q4_1, (INTERMEDIATE, HIDDEN)),
        "blk.0.ffn_up": (types.F32, (INTERMEDIATE, HIDDEN)),
        "blk.0.ffn_down": (types.Q4_1, (HIDDEN, INTERMEDIATE)),
    }
    expected = {}
    for name, (kind, shape) in shapes.items():
        norm = len(shape) == 1
        weights = (random.normal(1, 0.1, shape) if norm else random.normal(0, shape[-1] ** -0.5, shape)).astype(np.float32)
        if name.endswith("attn_q"):
            weights = permute(weights, HEADS)
        if name.endswith("attn_k"):
            weights = permute(weights, KV_HEADS)
        stored = gguf.quants.quantize(weights, kind)
        writer.add_tensor(f"{name}.weight", stored, raw_dtype=kind)
        decoded = gguf.quants.dequantize(stored, kind)
        expected[f"{name}.weight"] = {
            "type": kind.name,
            "shape": list(shape),
            "first": f32(decoded.reshape(-1)[:40]),
            "sum": float(decoded.astype(np.float64).sum()),
        }
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return expected


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gguf", required=True, help="SmolLM2-135M-Instruct.Q4_1.gguf")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    tokens, merges, special, template = reduced_vocabulary(arguments.gguf)
    GOLDEN.mkdir(parents=True, exist_ok=True)
    path = GOLDEN / "tiny.gguf"
    stored = write_gguf(path, tokens, merges, template)
    tokenizer = smollm_tokenizer(tokens, merges, special)
    encoded = [tokenizer.encode(text).ids for text in TEXTS]

    model = AutoModelForCausalLM.from_pretrained(GOLDEN, gguf_file=path.name, dtype=torch.float32)
    prompt = encoded[3][:12]
    with torch.no_grad():
        logits = model(torch.tensor([prompt])).logits[0]
    state = model.state_dict()
    hub = {
        name: f32(state[name].reshape(-1)[:: max(1, state[name].numel() // 40)].tolist())
        for name in state
        if name != "lm_head.weight"
    }
    write_json(
        "gguf.json",
        {
            "about": f"record-gguf.py: gguf {version('gguf')}, transformers {version('transformers')}, tokenizers {version('tokenizers')}",
            "sha256": sha256(path),
            "stored": stored,
            "hubStride": "every max(1, floor(count / 40))-th value of each hub tensor",
            "hub": hub,
            "texts": TEXTS,
            "ids": encoded,
            "decoded": [tokenizer.decode(ids) for ids in encoded],
            "prompt": prompt,
            "lastLogits": f32(logits[-1].tolist()),
        },
    )


if __name__ == "__main__":
    main()
