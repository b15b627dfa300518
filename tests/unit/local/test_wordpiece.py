"""BERT's tokens, compared with what Hugging Face's `tokenizers` 0.23.3 gave for the vocabulary of all-MiniLM-L6-v2."""

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.local import embedder_files, weights
from trunkline.local.wordpiece import LONGEST_WORD, WordPiece

VOCABULARY = {word: index for index, word in enumerate(["[CLS]", "[SEP]", "[UNK]", "un", "##aff", "##able", "cafe", "!", "日", "a", "##a"])}
SMALL = WordPiece(VOCABULARY, limit=16)


def test_words_are_cut_into_the_longest_pieces() -> None:
    assert SMALL.ids("Unaffable!") == [0, 3, 4, 5, 7, 1]
    assert SMALL.ids("unaffordable") == [0, 2, 1]


def test_accents_case_blanks_and_controls() -> None:
    assert SMALL.ids("CAF\u00c9\tcafe\u0301\u00a0\u200bcafe\x00") == [0, 6, 6, 6, 1]


def test_ideographs_and_punctuation_stand_alone() -> None:
    assert SMALL.ids("日日!!cafe") == [0, 8, 8, 7, 7, 6, 1]


def test_nothing_and_too_much() -> None:
    assert SMALL.ids("") == SMALL.ids("  \n") == [0, 1]
    assert len(SMALL.ids("cafe " * 50)) == 16 and SMALL.ids("cafe " * 50)[-1] == 1
    assert SMALL.ids("a" * LONGEST_WORD)[-2:] == [10, 1]
    assert SMALL.ids("a" * (LONGEST_WORD + 1)) == [0, 2, 1]


@given(st.text(max_size=200))
def test_any_text_has_tokens_within_the_limit(text: str) -> None:
    ids = SMALL.ids(text)
    assert 2 <= len(ids) <= 16
    assert (ids[0], ids[-1]) == (0, 1)


def test_it_is_read_from_a_tokenizer_file(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_bytes(msgspec.json.encode({"version": "1.0", "model": {"type": "WordPiece", "vocab": VOCABULARY}}))
    assert WordPiece.load(file, limit=16).ids("cafe") == [0, 6, 1]


FOLDER = weights.default_directory(os.environ)
GOLDEN = (
    ("The capital of France is Paris.", [101, 1996, 3007, 1997, 2605, 2003, 3000, 1012, 102]),
    (
        "H\xe9llo, w\xf6rld! don't stop-me now\u2026 \xc0\xc9",
        [101, 7592, 1010, 2088, 999, 2123, 1005, 1056, 2644, 1011, 2033, 2085, 1529, 29347, 102],
    ),
    (
        "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8 and \u4e2d\u6587 mixed",
        [101, 1864, 1876, 1950, 1671, 30239, 30227, 30233, 30240, 1998, 1746, 1861, 3816, 102],
    ),
    ("na\xefve caf\xe9\xa0x\u200by\tz\n\rnew", [101, 15743, 7668, 1060, 2100, 1062, 2047, 102]),
    ("emoji \U0001f600 \U0001f469\u200d\U0001f469\u200d\U0001f467 ok", [101, 7861, 29147, 2072, 100, 100, 7929, 102]),
    (
        "unaffable antidisestablishmentarianism $5.00 (c) \xa9 \xae \u2122 \xbd \xb2",
        [
            101,
            14477,
            20961,
            3468,
            3424,
            10521,
            4355,
            7875,
            13602,
            3672,
            12199,
            2964,
            1002,
            1019,
            1012,
            4002,
            1006,
            1039,
            1007,
            1075,
            1079,
            1580,
            1092,
            1082,
            102,
        ],
    ),
    ("", [101, 102]),
    ("   ", [101, 102]),
    ("\u0130stanbul \u01c5 \xdf \ufb01", [101, 9960, 100, 1096, 1984, 102]),
    (
        "\ud55c\uad6d\uc5b4 \ud14d\uc2a4\ud2b8",
        [101, 1469, 30006, 30021, 29991, 30014, 30020, 29999, 30008, 1467, 30009, 30020, 29997, 30017, 30003, 30017, 102],
    ),
    (
        "snake_case camelCase http://x.y/z?a=b&c=d",
        [
            101,
            7488,
            1035,
            2553,
            19130,
            18382,
            8299,
            1024,
            1013,
            1013,
            1060,
            1012,
            1061,
            1013,
            1062,
            1029,
            1037,
            1027,
            1038,
            1004,
            1039,
            1027,
            1040,
            102,
        ],
    ),
    ("\x00\ufffd\ud7ff\x7f ctrl \x85 \u2028 line", [101, 100, 14931, 12190, 2240, 102]),
)


@pytest.mark.local_model
@pytest.mark.skipif(not (FOLDER / embedder_files.TOKENIZER.name).is_file() and os.environ.get("CI") != "true", reason="no vocabulary")
@pytest.mark.parametrize(("text", "ids"), GOLDEN)
def test_the_real_vocabulary(text: str, ids: list[int]) -> None:
    assert WordPiece.load(FOLDER / embedder_files.TOKENIZER.name, limit=256).ids(text) == ids
