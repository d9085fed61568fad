"""The tokenizer: SentencePiece unigram, digits one by one, </s>=1, <pad>=0, <unk>=2.

Its own normaliser (in spiece.model, as flan-t5 carries nmt_nfkc) folds what a question's meaning does not depend on: upper case, accents, curly quotes,
apostrophes ("what's" and "whats" are one), question and exclamation marks, commas, full stops. The model never sees them, so it cannot stumble over them.
Answers keep their case and full stops: the pieces with those are in the same vocabulary, and are only ever written, never read.
"""

import io, re, sys, tempfile, unicodedata
import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as pb


def rules():
    m = {chr(c): chr(c + 32) for c in range(65, 91)}
    for c in list(range(0xA0, 0x250)) + list(range(0x1E00, 0x1F00)) + list(range(0xFF01, 0xFF5F)):
        b = ''.join(x for x in unicodedata.normalize('NFKD', chr(c)) if not unicodedata.combining(x)).lower()
        if b and b != chr(c) and b.isascii() and b.isprintable():
            m[chr(c)] = b.strip() or ' '
    for k, v in {
        'ß': 'ss',
        'æ': 'ae',
        'Æ': 'ae',
        'ø': 'o',
        'Ø': 'o',
        'ł': 'l',
        'Ł': 'l',
        'đ': 'd',
        'Đ': 'd',
        'ı': 'i',
        '×': '*',
        '÷': '/',
        '−': '-',
        '–': '-',
        '—': ' ',
        '…': ' ',
        '\u00a0': ' ',
        '\u200b': '',
        '\ufe0f': '',
        '?': '',
        '!': '',
        "'": '',
        '"': '',
        '`': '',
        '‘': '',
        '’': '',
        '“': '',
        '”': '',
        '´': '',
        '.': ' ',
        ',': ' ',
        ';': ' ',
        ':': ' ',
        '(': ' ',
        ')': ' ',
        '\t': ' ',
        '\n': ' ',
        '\r': ' ',
    }.items():
        m[k] = v
    for c in range(0x300, 0x370):
        m[chr(c)] = ''
    for k in list(m):
        v = ''.join(m.get(x, x) for x in m[k]) if len(m[k]) > 0 else ''
        m[k] = v
    return m


RULES = rules()


def fold(s):
    return ' '.join(''.join(RULES.get(c, c) for c in s).split())


class Tok:
    @staticmethod
    def train(rows, vocab=1200):
        with tempfile.NamedTemporaryFile('w', suffix='.tsv') as f:
            for k, v in sorted(RULES.items()):
                f.write(' '.join(f'{ord(c):X}' for c in k) + '\t' + ' '.join(f'{ord(c):X}' for c in v) + '\n')
            f.flush()
            o = io.BytesIO()
            spm.SentencePieceTrainer.train(
                sentence_iterator=iter(['a b c d e f g h i j'] * 50),
                model_writer=o,
                vocab_size=24,
                hard_vocab_limit=False,
                normalization_rule_tsv=f.name,
                minloglevel=2,
            )
        norm = pb.ModelProto()
        norm.ParseFromString(o.getvalue())
        text = [x for p, t in rows for x in (fold(p), t)]
        o = io.BytesIO()
        spm.SentencePieceTrainer.train(
            sentence_iterator=iter(text),
            model_writer=o,
            vocab_size=vocab,
            model_type='unigram',
            split_digits=True,
            character_coverage=1.0,
            normalization_rule_name='identity',
            pad_id=0,
            eos_id=1,
            unk_id=2,
            bos_id=-1,
            pad_piece='<pad>',
            eos_piece='</s>',
            unk_piece='<unk>',
            minloglevel=2,
            num_threads=2,
            hard_vocab_limit=False,
            max_sentence_length=2000,
            required_chars="0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,?!-+*/=<>'%$&",
        )
        m = pb.ModelProto()
        m.ParseFromString(o.getvalue())
        m.normalizer_spec.precompiled_charsmap = norm.normalizer_spec.precompiled_charsmap
        m.normalizer_spec.name = 'lf2_fold'
        m.normalizer_spec.add_dummy_prefix = True
        m.normalizer_spec.remove_extra_whitespaces = True
        m.trainer_spec.ClearField('input')
        return m.SerializeToString()

    def __init__(s, proto):
        s.q = spm.SentencePieceProcessor(model_proto=proto)
        m = pb.ModelProto()
        m.ParseFromString(proto)
        m.normalizer_spec.precompiled_charsmap = b''
        m.normalizer_spec.name = 'identity'
        s.a = spm.SentencePieceProcessor(model_proto=m.SerializeToString())
        s.size = s.q.vocab_size()

    def encode(s, q):
        return s.q.encode(q)

    def encode_answer(s, t):
        return s.a.encode(t)

    def decode(s, ids):
        return s.a.decode([i for i in ids if i > 2])
