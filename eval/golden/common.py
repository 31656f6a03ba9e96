"""What the recording scripts share: where golden files go, and what made them."""

import hashlib
import json
import pathlib

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

GOLDEN = pathlib.Path(__file__).parents[2] / "test" / "golden" / "model"


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def write_json(name, content, folder=GOLDEN):
    """One line for each top-level member, so that files stay small and differences readable."""
    folder.mkdir(parents=True, exist_ok=True)
    members = [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in content.items()]
    (folder / name).write_text("{\n" + ",\n".join(members) + "\n}\n", encoding="utf-8")


def f32(values):
    """Shortest decimals that are the same f32."""
    return [float(f"{value:.9g}") for value in values]


def smollm_tokenizer(tokens, merges, special):
    """SmolLM2's tokenizer as the hub defines it (digits one by one, then byte-level BPE), built without our code."""
    vocabulary = {token: id for id, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[tuple(merge.split(" ")) for merge in merges]))
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


def gguf_fields(path):
    # Not every recording needs this package.
    import gguf

    reader = gguf.GGUFReader(path)
    return {name: field.contents() for name, field in reader.fields.items()}


# Digits, apostrophes, every kind of white space (BOM and NEL included), scripts, emoji, control characters, special tokens.
TEXTS = [
    "",
    " ",
    "The quick brown fox jumps over the lazy dog.",
    "In 1234 and 12.5% it's 2024-01-01, isn't it?",
    "two  spaces 7,   three   spaces\tand tabs\t\t8",
    "x² + ½y = ٣٤ and ४५, Ⅷ.",
    "line\nline\r\nline\n\n\n  indented\n",
    "trailing spaces   ",
    "\ufeffBOM first\ufeff and inside \ufeff",
    "next\u0085line, no-break\u00a0space, ideographic\u3000space, zero\u200bwidth, para\u2029graph",
    "Straße, naïve, Ångström, e\u0301, İstanbul, ſ",
    "Привет, мир! Γειά σου. שלום. مرحبا",
    "日本語のテキストと中文文本 한국어",
    "emoji 😀👩‍👩‍👧‍👦🇩🇪 done",
    "\x00\x01\x1f\x7f",
    "'s 't 're 've 'm 'll 'd 'S 'LL we'll they'd",
    "http://example.org/a_b?c=1&d=%20#e",
    "def f(x):\n    return {'a': [1, 2.0, x**3]}\n",
    "<|im_start|>user\nHi<|im_end|>\n<|endoftext|><repo_name>",
    "<|im_end|<|im_end|>|im_end|>",
]

CHATS = [
    [{"role": "user", "content": "Hello"}],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 12 + 30?\n"}],
    [
        {"role": "user", "content": "Document:\nTea is a drink.\n\nRewrite it."},
        {"role": "assistant", "content": "A drink called tea."},
    ],
]
