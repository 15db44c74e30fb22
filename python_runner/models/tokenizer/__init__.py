"""A tokenizer of our own that gives the same ids in every engine.

Engines read a tokenizer from three different files: a SentencePiece model (llama.cpp's
converter), `tokenizer.json` (transformers, mistral.rs) and the vocabulary inside a GGUF
(llama.cpp, Ollama). They also merge pieces by three different algorithms. The vocabulary
is therefore made such that the order of merges can't matter, see `vocabulary.py`.
"""

from python_runner.models.tokenizer.files import write_tokenizer
from python_runner.models.tokenizer.reference import ReferenceTokenizer
from python_runner.models.tokenizer.templates import TEMPLATES, render_prompt
from python_runner.models.tokenizer.vocabulary import Vocabulary, make_vocabulary

__all__ = [
    "TEMPLATES",
    "ReferenceTokenizer",
    "Vocabulary",
    "make_vocabulary",
    "render_prompt",
    "write_tokenizer",
]
