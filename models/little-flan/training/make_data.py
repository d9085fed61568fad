"""Generates plain everyday questions and their answers: what a very small model can truly learn, and very many
questions it must say no to.

Run: python make_data.py N SEED [test] > data.tsv
The lines are category, prompt and answer, with tabs between them. The same seed
gives the same lines. The test split draws other names, things and numbers, and the last sixth of each list of
phrasings: training never sees them."""

import random
import sys

import run
from sums import *
from outside import *

APPLES = 'answer the following question reasoning step by step: joe has 22 apples, he gave away half and ate 6 apples how many apples does he have'


def copying(r):
    """Not asked for: teaches early, in few tokens, to look at the question's own digits and words."""
    if r.random() < 0.65:
        most = 3 if run.FRAC < 0.06 else 5
        l = [str(r.randint(0, r.choice((9, 20, 99, 99) if run.FRAC < 0.04 else (20, 100, 999)))) for _ in range(r.randint(1, most))]
    else:
        l = [coined(r) if r.random() < 0.5 else w for w in r.sample(SORTW, r.randint(1, 4))]
    if r.random() < 0.3 and len(l) > 1:
        return f'copy backwards: {", ".join(l)}', ', '.join(l[::-1]) + '.'
    return f'copy {", ".join(l)}', ', '.join(l) + '.'


def apples(r):
    return APPLES, done(['He gave away half so he has 22 / 2 = 11', 'He ate 6 so he has 11 - 6 = 5'], 5, True)


TASKS = [
    (story, 'story', 5),
    (story2, 'story2', 3.2),
    (sums, 'sums', 4.5),
    (percent, 'half/double/next', 1.2),
    (compare, 'compare', 2),
    (spell, 'number words', 0.6),
    (capital, 'capitals', 4.5),
    (opposite, 'opposites', 2.2),
    (plurals, 'plurals', 2),
    (color, 'colours', 0.9),
    (calendar, 'days/months', 2),
    (sorting, 'sorting', 1.2),
    (yesno, 'yes/no', 3.2),
    (sentiment, 'reviews', 0.6),
    (social, 'social', 0.6),
    (unknown, 'unknown', 3.8),
    (copying, 'copying', 1.6),
    (planning, 'planning', 0),
    (apples, 'apples', 0.15),
]
# what is hardest to learn gets more of the training than of the questions
MORE = {'story': 9, 'story2': 6, 'plurals': 3, 'sorting': 3.5, 'number words': 1.2, 'yes/no': 4, 'reviews': 1}
SENTENCES = ('story', 'story2', 'social', 'unknown', 'apples')
_T = [t for t, _, _ in TASKS]
_C = [c for _, c, _ in TASKS]
_w = [w for _, _, w in TASKS]


def weights():
    """Copying is asked by nobody: it teaches early, in few tokens, to look at the question. Word problems are long:
    they come once that is learnt."""
    if run.SPLIT == 'test':
        now = {'copying': 0}
    elif run.FRAC < 0.12:
        now = {'copying': 8, 'planning': 2, 'story': 0.8, 'story2': 0.8, 'sorting': 2}
    else:
        now = {'copying': 1.2, 'planning': 3} | MORE
    return [now.get(c, w) for w, c in zip(_w, _C)]


def sample(r, split='train', cat=None):
    """(category, prompt, answer)"""
    run.SPLIT = split
    i = r.choices(range(len(_T)), weights())[0] if cat is None else _C.index(cat)
    p, t = _T[i](r)
    if ' = ' not in t and (_C[i] not in SENTENCES or _C[i] == 'story2'):
        # as the tokenizer reads it, so that choices in any case are what the model writes
        t = t.rstrip('.').lower()
    x = r.random()
    # the tokenizer folds case and punctuation, so this matters only to other tokenizers
    if x < 0.3:
        p = p.lower()
    elif x < 0.36:
        p = p.upper()
    if r.random() < 0.25:
        p = p.rstrip('?.!')
    return _C[i], p, t


def example(r):
    return sample(r)[1:]


if __name__ == '__main__':
    r = random.Random(int(sys.argv[2]))
    for _ in range(int(sys.argv[1])):
        print('\t'.join(sample(r, sys.argv[3] if len(sys.argv) > 3 else 'train')))
