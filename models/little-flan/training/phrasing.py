"""How a question is put: one of several phrasings, misspelled now and then, with a lead before it, numbers in digits or words."""


import random

import run
from words import *


def noise(r, s):
    """A common misspelling, or a slip of the keyboard, in a template's own words (what is in {} stays)."""
    ws = s.split(' ')
    i = r.randrange(len(ws))
    for j in list(range(i, len(ws))) + list(range(i)):
        w = ws[j].strip('.,?!:')
        lw = w.lower()
        if '{' in w or not w:
            continue
        if lw in TYPO:
            ws[j] = ws[j].replace(w, U(r.choice(TYPO[lw])))
            return ' '.join(ws)
    for j in list(range(i, len(ws))) + list(range(i)):
        w = ws[j]
        if len(w) > 4 and w.isalpha():
            ws[j] = slip(r, w)
            break
    return ' '.join(ws)


def slip(r, w):
    if len(w) < 4:
        return w
    k = r.randrange(1, len(w) - 1)
    m = r.randrange(4)
    return (
        w[:k] + w[k + 1 :]
        if m == 0
        else w[:k] + w[k] + w[k:]
        if m == 1
        else w[:k] + w[k + 1] + w[k] + w[k + 2 :]
        if m == 2
        else w[:k] + r.choice('aeioulnrst') + w[k + 1 :]
    )


def pick(r, xs):
    """A phrasing of the split: the last sixth of a list of six or more is the test's. What begins
    with + is for training alone: it has the words of phrasings that are held out, put in another way."""
    more = [x[1:] for x in xs if x[0] == '+']
    xs = [x for x in xs if x[0] != '+'] if more else xs
    n = len(xs) // 6
    if run.SPLIT == 'train' and more:
        return r.choice([*xs[: len(xs) - n], *more, *more])
    if not n:
        return r.choice(xs)
    return r.choice(xs[:-n] if run.SPLIT == 'train' else xs[-n:])


LEAD = [
    'please {q}', 'can you tell me: {q}', 'tell me, {q}', 'hey, {q}', 'hi! {q}', 'question: {q}',
    'I want to know {q}', 'do you know {q}', 'quick question: {q}', 'ok, {q}', 'so {q}', 'answer this: {q}',
    'answer the following question: {q}', 'could you please tell me {q}', 'hello, {q}', '{q} please', '{q} thanks',
    'I have a question. {q}', "{q} I don't know", 'um, {q}', 'please answer: {q}', 'just wondering, {q}',
    'help me: {q}', 'well, {q}',
    '+I was just wondering: {q}', '+just a question: {q}', '+I am wondering, {q}', '+can you help me: {q}',
    '+help, {q}', '+well then, {q}', '+oh well, {q}', '+please give me the answer: {q}', '+just tell me: {q}',
    '+please, {q}', '+well, tell me {q}', '+help me with this: {q}',
]


def ask(r, xs, lead=0.18, q=True, **slots):
    s = pick(r, xs)
    if r.random() < 0.16 * run.noise():
        s = noise(r, s)
    s = s.format(**slots)
    if r.random() < lead * run.noise():
        s = pick(r, LEAD).format(q=s)
    s = s[0].upper() + s[1:]
    return s + ('?' if q and s[-1] not in '.?!:=' else '')


def words(n):
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + ('' if n % 10 == 0 else '-' + ONES[n % 10])
    return ONES[n // 100] + ' hundred' + ('' if n % 100 == 0 else ' and ' + words(n % 100))


def num(r, n, p=0.12):
    return words(n) if r.random() < p and n <= 100 else str(n)


def held(a, b=0):
    return (a * 7 + b * 3) % 10 == 0  # a tenth of all pairs of numbers are the test's


def fits(a, b=0):
    return held(a, b) == (run.SPLIT == 'test')


HELD = {*NOUNS, *XNOUNS, *(singular(t) for t in XTHINGS), *XBOYS, *XGIRLS}


def coined(r, words=NOUNS):
    """A word that there is not, of the head of one and the tail of another: training alone has them, so that a model
    copies and bends words that it has never read. Ends whose plural is irregular are left out."""
    while True:
        a, b = r.choice(words), r.choice(words)
        w = a[: r.randint(1, len(a) - 1)] + b[-r.randint(2, max(2, len(b) - 1)) :]
        if 3 < len(w) < 10 and w not in HELD and w not in IRREG and not w.endswith(('f', 'fe', 'o', 'man', 'z')):
            return w


_r = random.Random(3)
# a fifth of the names and things that training draws are coined
TRAIN_NAMES = tuple(10 * xs + [coined(_r, xs) for _ in range(len(xs) * 5 // 2)] for xs in (BOYS, GIRLS))
TRAIN_THINGS = 10 * THINGS + [plural(coined(_r)) for _ in range(len(THINGS) * 5 // 2)]


def names():
    return TRAIN_NAMES if run.SPLIT == 'train' else (XBOYS, XGIRLS)


def things():
    return TRAIN_THINGS if run.SPLIT == 'train' else XTHINGS


def who(r):
    b = r.random() < 0.5
    n = r.choice(names()[0 if b else 1])
    return n.capitalize(), ('he' if b else 'she')


JOBS = W('''
    farmer baker teacher boy girl man woman child shop school student cook gardener doctor library hotel dog king
    fisherman driver florist painter chef grocer zoo museum team company tailor postman
''')


def owner(r):
    """A name, or somebody who is not named: a baker."""
    if r.random() < 0.87:
        return who(r)
    j = r.choice(JOBS)
    return r.choice(('a ', 'a ', 'the ')) + j, 'it' if j in W(
        'shop school library hotel zoo museum team company dog'
    ) else 'she' if j in W('girl woman') or r.random() < 0.4 and j not in W('boy man king') else 'he'


def his(p):
    return dict(he='his', she='her', it='its')[p]


def an(w):
    return w if w in MASS or w.startswith(('a_', 'an_', 'the_')) else ('an ' if w[0] in 'aeiou' else 'a ') + w
