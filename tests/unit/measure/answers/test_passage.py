from python_runner.measure.answers.passage import PASSAGE_TOKENS, passage_request
from python_runner.models import ReferenceTokenizer
from python_runner.models.cards import models_dir


def test_the_passage_has_as_many_tokens_as_it_is_to_have() -> None:
    tokenizer = ReferenceTokenizer(models_dir() / "gemma-2-tiny")
    request = passage_request(tokenizer.encode)
    assert len(request.answer_ids) == PASSAGE_TOKENS
    assert request.prompt_ids == tokenizer.encode("")


def test_a_vocabulary_of_whole_words_has_enough_of_it_too() -> None:
    request = passage_request(lambda text: tuple(range(1 + len(text.split()))))
    assert len(request.answer_ids) == PASSAGE_TOKENS
