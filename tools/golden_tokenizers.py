#!/usr/bin/env python3
"""Writes src/text/golden/tokenizers_*.json: small tokenizers that between them use every component of tokenizer.json,
with the ids and texts that the tokenizers library gives for a list of texts.

    pip install tokenizers==0.23.3; python3 tools/golden_tokenizers.py src/text/golden
"""

import json
import pathlib
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = [
    "The quick brown fox jumps over the lazy dog, doesn't it? They'll say: I'm 12345 years old.",
    "def main(argc: int) -> None:\n    for i in range(10):\n        print(f'{i:>3}')  # a comment\n\n\treturn",
    "Größe, naïve café, Ångström, Œuvre, ﬁne, İstanbul, straße; Ελληνικά ΣΊΣΥΦΟΣ; Русский язык, Ёлка.",
    "中文分词测试，日本語のテキスト。カタカナ、한국어 문장입니다.",
    "العربية لغة جميلة ١٢٣، हिन्दी में वाक्य, ภาษาไทยไม่มีวรรค",
    "emoji 😀👍🏽👩‍👩‍👧‍👦🇩🇪 and e\u0301 combining o\u0308\u0323 marks",
    "words words words wording worded sword  two   three    four spaces \n\n\n newlines\r\n",
]

TEXTS = CORPUS + [
    "", " ", "  a", "a  ", "\n", "Hello", " Hello world", "Hello<s>world</s> again", "<s>", " <mask> x<mask>y",
    "[MASK]ed [MASK] x", "a[SPECIAL] b", "Monday monday MONDAY", "xMonday Mondayx Monday",
    "12 1234 1234567 ½ Ⅳ ٣٤٥ 1.5e-7", "don't DON'T we'Ll 'S ſ", "a_b__c-d--e ... !!! ?!", "tab\tsep\u00a0nbsp\u3000wide\u200bzw",
    "e\u0301\u0323 vs \u1ec7 vs ệ", "ﬁ ℌ ① Å K ㌔", "\u180e\u0085\u2028|", "\ufffd\x00\x07bell", "😀😀😀", "a" * 40, "ab" * 30 + " " + "ba" * 30,
    "the the the", "▁ already ▁▁ there", "unknown ☃ ♞ 𝔘 \U0001f9ff \U00031350", "##ing ing ##", "</w> x</w>", "<0x41> <0x0A>",
]


def trained(model, trainer, normalizer=None, pre=None, post=None, decoder=None, added=(), special=()):
    tokenizer = Tokenizer(model)
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre:
        tokenizer.pre_tokenizer = pre
    tokenizer.train_from_iterator(CORPUS * 2, trainer)
    if post:
        tokenizer.post_processor = post
    if decoder:
        tokenizer.decoder = decoder
    if special:
        tokenizer.add_special_tokens(list(special))
    if added:
        tokenizer.add_tokens(list(added))
    return tokenizer


def bpe(vocab=380, special=("<unk>", "<s>", "</s>"), alphabet=None, **kw):
    args = {"vocab_size": vocab, "special_tokens": list(special), "show_progress": False}
    args.update(kw)
    if alphabet is not None:
        args["initial_alphabet"] = alphabet
    return trainers.BpeTrainer(**args)


def byte_level(pre_steps, vocab=480, **kw):
    return trained(models.BPE(), bpe(vocab, ("<s>", "</s>"), pre_tokenizers.ByteLevel.alphabet()),
                   pre=pre_tokenizers.Sequence(pre_steps), decoder=decoders.ByteLevel(), **kw)


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


LETTERS = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
KIMI = (r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
        r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def bpe_tokenizers():
    yield "gpt2", byte_level([pre_tokenizers.ByteLevel(add_prefix_space=False)])
    yield "gpt2_prefix_space", byte_level([pre_tokenizers.ByteLevel(add_prefix_space=True)],
                                          post=processors.ByteLevel(trim_offsets=True))
    yield "roberta", byte_level(
        [pre_tokenizers.ByteLevel(add_prefix_space=False)], post=processors.RobertaProcessing(("</s>", 1), ("<s>", 0)),
        special=[AddedToken("<mask>", lstrip=True)])
    yield "smollm", byte_level([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    yield "llama3", byte_level([split(LLAMA3), LETTERS], post=processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 0)]))
    yield "o200k", byte_level([split(O200K), LETTERS])
    yield "o200k_removed", byte_level([split(O200K, "removed", True), LETTERS])
    yield "qwen", byte_level([split(LLAMA3.replace("{1,3}", "")), LETTERS], normalizer=normalizers.NFC(),
                             added=["<tool>", AddedToken("▁▁", normalized=False)])
    yield "kimi", byte_level([split(KIMI), LETTERS])
    yield "deepseek", byte_level([split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*"
        "|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"), LETTERS])
    yield "falcon", byte_level([pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False),
                                pre_tokenizers.Digits(False), split("[0-9][0-9][0-9]")])
    yield "superbpe", byte_level([split(r"\p{N}+"), split(r"(?=(\d{3})+(?!\d))"), LETTERS])
    yield "bytes_normalizer", trained(
        models.BPE(), bpe(440, ("<s>",), pre_tokenizers.ByteLevel.alphabet()),
        normalizer=normalizers.Sequence([normalizers.NFD(), normalizers.ByteLevel()]), decoder=decoders.ByteLevel())
    replace = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    llama = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    byte_tokens = ["<0x%02X>" % b for b in range(256)]
    template = processors.TemplateProcessing(single="<s> $A </s>", pair="$A $B", special_tokens=[("<s>", 1), ("</s>", 2)])
    for name, fuse in (("llama2", True), ("llama2_no_fuse", False)):
        yield name, trained(
            models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=fuse), bpe(560, ("<unk>", "<s>", "</s>", *byte_tokens)),
            normalizer=normalizers.Sequence(replace), post=template, decoder=decoders.Sequence(llama))
    yield "gemma", trained(
        models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True), bpe(520, ("<unk>", "<s>", "</s>", *byte_tokens)),
        normalizer=normalizers.Replace(" ", "▁"), pre=pre_tokenizers.Split(" ", "merged_with_previous"),
        decoder=decoders.Sequence(llama[:3]), added=[AddedToken("\n\n", normalized=False), AddedToken("  ", normalized=False)])
    yield "metaspace_first", trained(
        models.BPE(unk_token="<unk>", fuse_unk=True), bpe(), pre=pre_tokenizers.Metaspace(prepend_scheme="first"),
        decoder=decoders.Metaspace(prepend_scheme="first"))
    yield "unknown_unfused", trained(models.BPE(unk_token="<unk>"), bpe(300, limit_alphabet=50),
                                     pre=pre_tokenizers.WhitespaceSplit())
    yield "unknown_dropped", trained(models.BPE(), bpe(200, limit_alphabet=40), pre=pre_tokenizers.Whitespace())
    yield "clip", trained(
        models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"), bpe(420, end_of_word_suffix="</w>"),
        normalizer=normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]),
        pre=split(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", "removed", True),
        decoder=decoders.BPEDecoder("</w>"))
    yield "prefix", trained(
        models.BPE(unk_token="<unk>", continuing_subword_prefix="##", fuse_unk=True),
        bpe(400, continuing_subword_prefix="##"), pre=pre_tokenizers.BertPreTokenizer(), decoder=decoders.WordPiece("##", False))
    ignoring = byte_level([split(LLAMA3), LETTERS], vocab=420)
    data = json.loads(ignoring.to_str())
    data["model"]["ignore_merges"] = True
    for word in ("Hello", "wor", "Ġworded"):
        data["model"]["vocab"].setdefault(word, len(data["model"]["vocab"]))
    yield "ignore_merges", Tokenizer.from_str(json.dumps(data))
    # Added tokens that meet each other's white space, and one whose letters are the alphabet's.
    for name, flags in (("spaces_both", {"lstrip": True, "rstrip": True}), ("spaces_right", {"rstrip": True})):
        yield name, byte_level([pre_tokenizers.ByteLevel(add_prefix_space=False)], vocab=270, added=[
            AddedToken("  ", single_word=True, normalized=False, **flags), AddedToken("x", rstrip=True), "é"])


def other_tokenizers():
    unigram = {"vocab_size": 320, "unk_token": "<unk>", "special_tokens": ["<unk>", "<s>", "</s>", "<mask>"], "show_progress": False}
    yield "t5", trained(
        models.Unigram(), trainers.UnigramTrainer(**unigram),
        normalizer=normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]),
        pre=pre_tokenizers.Metaspace(), decoder=decoders.Metaspace(),
        post=processors.TemplateProcessing(single="$A </s>", pair="$A $B", special_tokens=[("</s>", 2)]))
    yield "albert", trained(
        models.Unigram(), trainers.UnigramTrainer(**unigram),
        normalizer=normalizers.Sequence([normalizers.Replace("``", '"'), normalizers.NFKD(), normalizers.StripAccents(),
                                         normalizers.Lowercase(), normalizers.Strip()]),
        pre=pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]),
        decoder=decoders.Metaspace(), special=[AddedToken("[MASK]", lstrip=True, normalized=False)])
    fallback = json.loads(trained(models.Unigram(), trainers.UnigramTrainer(**unigram),
                                  pre=pre_tokenizers.Metaspace(prepend_scheme="never", split=False)).to_str())
    fallback["model"]["byte_fallback"] = True
    fallback["model"]["vocab"] += [["<0x%02X>" % b, -20.0 - b / 64] for b in range(256)]
    fallback["decoder"] = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "▁",
                           "prepend_scheme": "never", "split": False}]}
    yield "unigram_bytes", Tokenizer.from_str(json.dumps(fallback))

    pieces = {"vocab_size": 340, "special_tokens": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], "show_progress": False}
    bert_post = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    for name, norm in (("bert", normalizers.BertNormalizer()),
                       ("bert_cased", normalizers.BertNormalizer(lowercase=False, strip_accents=False)),
                       ("bert_accents", normalizers.BertNormalizer(lowercase=True, strip_accents=False, clean_text=False,
                                                                   handle_chinese_chars=False))):
        yield name, trained(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=30), trainers.WordPieceTrainer(**pieces),
                            normalizer=norm, pre=pre_tokenizers.BertPreTokenizer(), post=bert_post, decoder=decoders.WordPiece())
    words = {"vocab_size": 120, "special_tokens": ["<unk>", "<s>", "</s>"], "show_progress": False}
    yield "words", trained(
        models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(**words), normalizer=normalizers.Lowercase(),
        pre=pre_tokenizers.Whitespace(),
        post=processors.Sequence([processors.ByteLevel(), processors.TemplateProcessing(
            single="<s> $A </s> <s>", pair="$A $B", special_tokens=[("<s>", 1), ("</s>", 2)])]),
        added=[AddedToken("Monday", single_word=True), AddedToken("[SPECIAL]", lstrip=True, rstrip=True, normalized=False),
               AddedToken("DON'T", normalized=True)])
    for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        yield "words_" + behavior, trained(
            models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(**words),
            pre=pre_tokenizers.Sequence([pre_tokenizers.CharDelimiterSplit("|"), pre_tokenizers.Punctuation(behavior),
                                         split(r"\s", behavior), pre_tokenizers.Digits(behavior == "isolated")]))
    yield "words_inverted", trained(
        models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(**words),
        pre=pre_tokenizers.Sequence([split("[a-z]+", "merged_with_next", True), pre_tokenizers.Split(" ", "contiguous", True)]))
    yield "ctc", trained(models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(**words),
                         pre=pre_tokenizers.FixedLength(1), decoder=decoders.CTC("a", "|", True))
    yield "no_steps", trained(models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(**words))


def golden(name, tokenizer):
    rng = random.Random(name)
    cases = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        case = {"text": text, "ids": ids}
        if plain != ids:
            case["plain"] = plain
        case["decoded"] = tokenizer.decode(ids, skip_special_tokens=True) if ids else ""
        cases.append(case)
    size = tokenizer.get_vocab_size()
    by_bytes = "ByteFallback" in tokenizer.to_str()
    for _ in range(8):
        ids = [rng.randrange(size) for _ in range(8)]
        # A run of byte tokens with one wrong byte becomes U+FFFD as a whole in the library, which cannot be streamed.
        if by_bytes and "\ufffd" in tokenizer.decode(ids, skip_special_tokens=False):
            continue
        cases.append({"random": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
    return {"name": name, "tokenizer": json.loads(tokenizer.to_str()), "cases": cases}


def write(path, tokenizers):
    rows = [json.dumps(golden(name, t), ensure_ascii=True, separators=(",", ":")) for name, t in tokenizers]
    path.write_text("[\n" + ",\n".join(rows) + "\n]\n")
    print(path, path.stat().st_size, "bytes", len(rows), "tokenizers")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    bpes = list(bpe_tokenizers())
    write(folder / "tokenizers_bpe_a.json", bpes[:7])
    write(folder / "tokenizers_bpe_b.json", bpes[7:13])
    write(folder / "tokenizers_bpe_c.json", bpes[13:16])
    write(folder / "tokenizers_bpe_d.json", bpes[16:])
    write(folder / "tokenizers_other.json", other_tokenizers())


if __name__ == "__main__":
    main()
