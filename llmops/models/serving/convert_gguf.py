"""Turn a GGUF file into a folder that vLLM serves.

Run by the Python of the server (`python convert_gguf.py FILE FOLDER`), never
imported by llmops: torch and transformers are there and not here.
"""

from __future__ import annotations

import functools
import importlib
import sys
from pathlib import Path


def convert(source: Path, target: Path) -> None:
    """Dequantize the weights of `source` to bfloat16 and write model and tokenizer."""
    gguf = importlib.import_module("gguf")
    # transformers parses the file once for the configuration, the weights and
    # the tokenizer each, and builds the table of names for every tensor; both
    # depend on nothing but their arguments.
    for name in ("GGUFReader", "get_tensor_name_map"):
        setattr(gguf, name, functools.cache(getattr(gguf, name)))
    torch = importlib.import_module("torch")
    transformers = importlib.import_module("transformers")
    model = transformers.AutoModelForCausalLM.from_pretrained(
        str(source.parent),
        gguf_file=source.name,
        dtype=torch.bfloat16,
        quantization_config=transformers.GgufConfig(dequantize=True),
    )
    model.save_pretrained(str(target))
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        str(source.parent), gguf_file=source.name
    )
    tokenizer.save_pretrained(str(target))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
