"""Word problems, worked step by step: things that come and go, boxes, shares, money, ages, two people."""


import re

import run
from phrasing import *

OWN = [
    '{N} has {n} {t}', "{N}'s got {n} {t}", '{N} has got {n} {t} at home', '{N} has about {n} {t}',
    '{N} bakes {n} {t}', '{N} buys {n} {t}', '{N} finds {n} {t}', '{N} had {n} {t} in a box', '{N} gets {n} {t}',
    '{N} counted {n} {t}', '{N} won {n} {t}', '{N} was given {n} {t}', '{N} took {n} {t} to school',
    '{N} picks {n} {t}', '{N} has {n} {t}', '{N} had {n} {t}', 'there were {n} {t} and {N} took them all',
    '{N} made {n} {t}', '{N} saw {n} {t} and took them', '{N} bought {n} {t} at the market',
    '{N} has exactly {n} {t}', '{N} has got {n} {t}', '{N} keeps {n} {t} at home', '{N} had {n} {t}',
    '{N} starts with {n} {t}', '{N} owns {n} {t}', '{N} bought {n} {t}', '{N} found {n} {t}', '{N} got {n} {t}',
    "there are {n} {t} in {N}'s bag", '{N} has a box with {n} {t}', '{N} picked {n} {t}', '{N} collected {n} {t}',
    'in the morning {N} has {n} {t}', "+{N}'s bag has {n} {t} in it", '+{N} carries a box of {n} {t}', '+{N} picks up {n} {t}', '+{N} collects {n} {t}', '+this morning {N} has {n} {t}',
]
MINUS = [
    'gave {k} to {f}', 'gave {k} away', 'gives {k} away', 'had to give {k} away', 'gave {k} back', 'sent {k} to {f}',
    'took {k} back to the shop', 'threw out {k}', 'spent {k} of them', 'ruined {k}', 'burned {k}', 'let {f} have {k}',
    'gives {k} {t} to {f}', 'lends {k} to {f}', 'gave {k} as a present', 'drops {k}', 'lost {k} in the park',
    'sold {k} to {f}', 'uses {k}', 'gave {k} {t} to {f}', 'gave {f} {k} {t}', 'lost {k} {t}', 'sold {k} {t}',
    'lost {k} of them', 'sold {k} of them', 'gave away {k} of them', 'gave away {k} {t}', 'lost {k} on the way home',
    'sold {k} at the market', 'threw {k} away', 'spent {k}', 'traded away {k}', 'returned {k}', 'forgot {k} at home',
    'mailed {k} to {f}', 'put {k} in the trash', 'lost {k} yesterday', 'hid {k} away', 'gave away {k}', 'lost {k}',
    'sold {k}', 'gives {k} to {f}', 'gives away {k}', 'loses {k}', 'sells {k}', 'threw away {k}', 'broke {k}',
    'used {k}', 'dropped {k}', 'gives {f} {k}', 'gave {f} {k}', 'gave {k} of them to {f}', 'donated {k}',
    'lent {k} to {f}', 'handed {k} to {f}', 'uses {k} of them', 'left {k} at school', '+handed {k} out', '+hands {k} to {f}', '+handed {f} {k}', '+donates {k}', '+donated {k} {t}', '+donates {k} of them', '+lent {k} {t}', '+lends {f} {k}', '+lent out {k}', '+dropped {k} {t}', '+dropped {k} of them', '+left {k} at home', '+leaves {k} at school', '+uses {k} {t}', '+has used {k}',
]
EAT = [
    'ate {k}', 'ate {k}', 'ate {k} for lunch', 'ate {k} for breakfast', 'eats {k} for dinner', 'shared {k} with {f}',
    'cooked {k}', 'eats {k}', 'ate {k} of them', 'ate {k} {t}', 'has eaten {k}', 'eats {k} {t}', '+has eaten {k} of them', '+eats {k} of the {t}',
]
PLUS = [
    'found {k}', 'found {k} on the street', 'then made {k}', 'brought home {k} more', 'was given {k} {t}',
    'got {k} back', 'found {k} under the bed', 'gets another {k}', 'picks {k} more', 'won {k} in a game', 'wins {k}',
    'baked {k} more', 'orders {k} more', 'ordered {k} new ones', 'got {k} new {t}', 'buys another {k}',
    'took {k} from {f}', 'found {k} more', 'bought {k} more {t}', 'found {k} {t}', 'got {k} {t} from {f}',
    'got another {k}', 'made {k} more', 'bakes {k} more', 'makes {k} more', 'received {k} more', 'added {k}',
    'took {k} more', 'got {k} as a gift', 'got {k} for {p2} birthday', 'picked up {k}', 'found {k} more at home',
    'bought {k} at the shop', 'buys {k} new {t}', 'is given {k} more by {f}', 'grew {k} more', 'collected {k}',
    'bought {k}', 'got {k}', 'bought {k} more', 'finds {k} more', 'buys {k} more', 'gets {k} more', 'buys {k}',
    'picked {k} more', 'received {k} from {f}', 'got {k} more from {f}', 'was given {k}', 'gets {k} from {f}',
    'won {k}', 'wins {k} more', 'collects {k} more', 'borrowed {k} from {f}', 'earned {k} more',
    'then found another {k}', '+earned {k}', '+earns {k} more', '+earned {k} {t}', '+borrows {k} more', '+borrowed {k}', '+collects {k}', '+wins another {k}', '+won {k} more', '+receives {k}', '+was given {k} more', '+buys {k} more {t}', 'bought another {k} {t}',
]
HALF = [
    'gave away half', 'gave away half of them', 'gave half away', 'gave half of them away', 'lost half',
    'sold half of the {t}', 'lost half of the {t}', 'gives half of the {t} to {f}', 'shared half with {f}',
    'threw away half', 'gave one half to {f}', 'gave half to {f}', 'gives half of them to {f}', 'lost half of them',
    'sold half', 'gives away half', 'sells half of them', 'gave half of the {t} to {f}', 'loses half',
    'gave {f} half', 'used half of them', 'donated half of them', '+donates half', '+donated half', '+used half', '+uses half of the {t}', '+gives {f} half',
]
DOUBLE = [
    'doubled them', 'doubles {p2} {t}', 'doubled the number of {t}', 'got twice as many', 'doubles them',
]
HOWM = [
    'how many {t} does {P} have', 'how many has {P} got', 'how many {t} has {P} got left',
    'how many {t} has {P} left', 'how many now', 'how many left', 'how many does {P} have', 'how many are there',
    'what does {P} have now', 'tell me how many {t} {P} has', 'tell me how many are left',
    'how many {t} would {P} have', 'how many {t} will {P} have', 'so how many {t} does {P} have',
    'and how many are left', 'how many {t} does {P} have left', 'how many {t} are left', 'how many are left',
    'how many {t} are there now', 'how many {t} has {P} now', 'how many {t} does that leave', 'what is left',
    'how many has {P} left', 'how many in all', 'how many does that make', 'how many {t} altogether',
    'how many {t} does {P} have now', 'how many {t} does {P} have left', 'how many {t} are left', 'how many are left',
    'how many does {P} have now', 'how many {t} remain', 'what is the number of {t} now',
    'how many does {P} have left', 'how many {t} has {P} got now', 'how many {t} in total',
    'now how many {t} does {P} have', 'how many {t} are there in the end', 'how many does {P} still have', '+how many {t} does {P} still have', '+how many are there in the end', '+how many has {P} got now', '+now how many does {P} have', '+how many in total',
]
STEP = [
    'answer the following question reasoning step by step: ',
    'answer the following question by reasoning step by step: ', 'answer step by step: ', 'think step by step. ',
    'solve this step by step: ', 'reason step by step. ', 'step by step: ', "let's think step by step. ",
    'explain step by step: ', 'answer the question step by step: ', 'solve the following problem step by step: ',
    'work this out step by step: ', '+work it out step by step: ', '+solve the problem step by step: ',
    '+work this out. reason step by step: ', '+a problem to work out step by step: ',
]
PUT = [
    'solve this: ', 'solve the problem: ', 'word problem: ', 'answer the following question: ', 'answer this: ',
    'a question: ', 'here is a problem: ', 'math problem: ', '+a math problem: ', '+a problem in math: ',
]
WHEN = [
    '', '', '', '', '', '', ' yesterday', ' today', ' on Monday', ' in the morning', ' at school', ' at the market',
    ' last week', ' this week', ' in the park', ' in the afternoon', ' on the way', ' by accident', ' at home',
    ' on Friday', ' later that day',
]
SIDE = [
    '{P} is very happy', '{P} likes {t} a lot', 'it is a sunny day', 'it is {p2} birthday', '{P} is on holiday',
    '{P} goes home', '{P} lives in a small town', 'they are all very nice', '{P} counts them twice',
    'the {t} are red', 'some are blue', '{P} is going to school',
]


def work(a, op, b):
    """The equations that lead to a + b or a - b: one, or place by place when the numbers are long."""
    if op not in '+-' or max(a, b) < 100 or min(a, b) < 10:
        return [f'{a} {op} {b} = {a + b if op == "+" else a - b if op == "-" else a * b if op == "*" else a // b}']
    out = []
    for p in (b // 100 * 100, b // 10 % 10 * 10, b % 10):
        if p:
            c = a + p if op == '+' else a - p
            out.append(f'{a} {op} {p} = {c}')
            a = c
    return out


# what was done, in few words whatever the question says: the answer need not copy verbs
SAID = {
    'ate': 'ate eats eaten',
    'sold': 'sold sells',
    'used': 'used uses spent spend cooked',
    'left': 'left leaves forgot hid',
    'lost': 'lost loses threw ruined burned drops dropped broke put',
}


def gist(t, k):
    """What a phrase of MINUS, EAT, PLUS, HALF or DOUBLE comes to: gave away 6, ate half, got 3."""
    if t in DOUBLE:
        return 'doubled them'
    if t in PLUS or '+' + t in PLUS:
        return f'got {k}'
    words = t.split()
    verb = next((v for v, forms in SAID.items() if any(w in forms.split() for w in words[:2])), 'gave away')
    return f'{verb} {k}' if '{k}' in t else f'{verb} half'


def done(steps, n, long=False):
    return '. '.join(steps) + (f'. Therefore, the final answer is {n}.' if long else f'. The answer is {n}.')


def story(r):
    N, p = owner(r)
    t = r.choice(things())
    big = r.random()
    n = r.randint(2, 20) if big < 0.45 else r.randint(2, 100) if big < 0.96 else r.randint(100, 600)
    if not fits(n, len(t)):
        return story(r)
    start = n
    said, steps, told = [], [], []
    run.PLAN = plan = [str(n)]
    stepwise = r.random() < 0.17 and n < 100
    p2 = his(p)
    friend = lambda: r.choice(
        (
            who(r)[0],
            who(r)[0],
            f'{p2} {r.choice(FRIENDS)}',
            'a friend',
            'friends',
            f'the {r.choice(JOBS[:20])}',
            f'a {r.choice(JOBS[:20])}',
        )
    )
    boxes = r.random()
    if boxes < 0.13:
        m, k = r.randint(2, 12), r.randint(2, 12)
        box = r.choice(W('''
            boxes bags packs baskets jars bowls crates packets bunches rows shelves cartons
        '''))
        o = ask(r, [
            '{N} has {m} {b} of {k} {t}', '{N} has {m} {b} with {k} {t} each', '{N} has {m} {b} with {k} {t} in each',
            '{N} bought {m} {b} of {k} {t}', '{N} buys {m} {b} with {k} {t} in each',
            'there are {m} {b} with {k} {t} each, all for {N}', '{N} has {m} {b}. each has {k} {t}',
            '{N} has {m} {b}, each one holds {k} {t}', '+{N} has {m} {b}. each one has {k} {t}',
            '+{N} has {m} {b}. one holds {k} {t}',
        ], 0, False, N=N, m=num(r, m), b=box, k=num(r, k), t=t)
        n = m * k
        plan[0] = f'{m} * {k}'
        steps.append(f'{m} * {k} = {n}')
        told.append(f'First {p} has {m} * {k} = {n}')
        left = r.choice((0, 1, 1, 2))
    else:
        o = ask(r, OWN, 0, False, N=N, n=num(r, n), t=t)
        left = r.choice((1, 2, 2, 2, 3)) if n < 100 else 1
    for _ in range(left):
        fr, word = r.choice(((3, 'a third'), (4, 'a quarter'), (3, 'one third'), (4, 'one quarter'), (4, 'a fourth')))
        if not stepwise and n > fr and n % fr == 0 and r.random() < 0.12:
            said.append(r.choice([
                'gave away {h}', 'lost {h} of them', 'sold {h} of them', 'gave {h} to {f}', 'used {h} of the {t}',
                'gives {h} of them to {f}',
            ]).format(h=word, f=friend(), t=t))
            steps += [f'{n} / {fr} = {n // fr}', f'{n} - {n // fr} = {n - n // fr}']
            plan.append(f'- 1 / {fr}')
            n -= n // fr
            continue
        kind = r.choice(
            ('half', 'half', 'minus', 'minus', 'minus', 'plus', 'plus', 'plus', 'double')
            + (('minus', 'eat') if t in EATABLE else ())
        )
        cap = max(9, min(n, 30 if r.random() < 0.8 or n > 99 else 100))
        if kind == 'half' and n % 2 == 0 and n > 1:
            tt = HALF + (['ate half', 'ate half of them'] if t in EATABLE and run.SPLIT == 'train' else [])
            s = (tt, 0)
            e = [f'{n} / 2 = {n // 2}']
            plan.append('/ 2')
            n //= 2
        elif kind == 'double' and n <= 150:
            s = (DOUBLE, 0)
            e = [f'{n} * 2 = {2 * n}']
            plan.append('* 2')
            n *= 2
        elif kind in ('minus', 'eat') and n > 1:
            k = r.randint(1, min(n, cap))
            s = (EAT if kind == 'eat' else MINUS, k)
            e = work(n, '-', k)
            plan.append(f'- {k}')
            n -= k
        else:
            k = r.randint(1, cap)
            if n + k > 999:
                continue
            s = (PLUS, k)
            e = work(n, '+', k)
            plan.append(f'+ {k}')
            n += k
        x = pick(r, s[0])
        steps += e
        k2 = num(r, s[1])
        told.append(f'{p.capitalize()} {gist(x, s[1])} so {p} has ' + '. '.join(e))
        if r.random() < 0.06:
            x = noise(r, x)
        said.append(x.format(k=k2, f=friend(), t=t, p2=p2))
    if not steps:
        return story(r)
    if r.random() < 0.2:
        said = [x + r.choice(WHEN) for x in said]
    style = r.randrange(7)
    sub = lambda: r.choice((p, p, p.capitalize(), N))
    cap1 = lambda s: s[0].upper() + s[1:]
    if not said:
        body = o
    elif style < 2:
        body = o + '. ' + '. '.join(cap1(f'{r.choice((p, p, N))} {s}') for s in said)
    elif style == 2:
        body = f'{o}, ' + ' and '.join(f'{p} {s}' if i == 0 else s for i, s in enumerate(said))
    elif style == 3:
        body = (
            f'{o}. ' + cap1(f'{p} ') + (', '.join(said[:-1]) + ' and then ' + said[-1] if len(said) > 1 else said[0])
        )
    elif style == 4:
        body = f'{o} and ' + ' and '.join(said)
    elif style == 5:
        body = f'{o}. ' + '. '.join(cap1(f'{w}{p} {s}') for w, s in zip(('then ', 'after that ', 'later '), said))
    else:
        body = f'{o}, ' + ', '.join(
            f'{"then " if i and r.random() < 0.5 else ""}{p if r.random() < 0.7 else ""} {s}'.replace(
                '  ', ' '
            ).strip()
            for i, s in enumerate(said)
        )
    if stepwise and said and not {p, p2} & {*re.findall('[a-z]+', body.lower())}:
        # whether Robin is he or she has to be in the question, if the answer says it
        body = f'{o}. {cap1(p)} ' + ' and '.join(said)
    if r.random() < 0.07:
        body += '. ' + cap1(r.choice(SIDE).format(P=p, t=t, p2=p2))
    if r.random() < 0.06:
        body = 'If ' + body[0].lower() + body[1:] if N[0].islower() else 'If ' + body
    tail = r.random()
    if tail < 0.1 and n > 1:
        ds = [d for d in range(2, 13) if n % d == 0]
        if ds:
            d = r.choice(ds)
            q = ask(r, [
                '{P} shares them equally among {d} friends. how many does each friend get',
                '{P} shares the rest equally with {d} friends. how many {t} does each get',
                'the {t} are divided equally between {d} children. how many does each child get',
                '{P} puts them equally into {d} bags. how many are in each bag',
                '{P} splits them equally among {d} people. how many does each person get',
                '{P} divides them into {d} equal groups. how many in each group', '+{P} divides them into {d} groups. how many in one group',
                '+{P} divides the {t} equally into {d} groups. how many are in each',
            ], 0, P=p, d=num(r, d), t=t)
            plan.append(f'/ {d}')
            steps.append(f'{n} / {d} = {n // d}')
            told.append(f'Each gets {n} / {d} = {n // d}')
            n //= d
            return (pick(r, STEP) if stepwise else '') + body + '. ' + q, done(
                told if stepwise else steps, n, stepwise
            )
    q = ask(r, HOWM, 0, P=r.choice((p, p, p, N)), t=t)
    if r.random() < 0.5:
        q = q[0].lower() + q[1:]
    if r.random() < 0.08:
        q = q.replace(' does ', ' do ')
    if not stepwise and ' ' not in N and r.random() < 0.15:
        return first(body + r.choice(('. ', '. ', ', ', ' ')) + q, N, p, r), done(steps, n)
    if not stepwise and r.random() < 0.06 and '. ' not in body:
        return q.rstrip('?') + ' if ' + body.removeprefix('If ') + '?', done(steps, n)
    return (pick(r, STEP) if stepwise else pick(r, PUT) if r.random() < 0.08 else '') + body + r.choice(
        ('. ', '. ', ', ', ' ')
    ) + q, done(told if stepwise else steps, n, stepwise)


def first(s, N, p, r):
    """The same in the first person: I have, I gave."""
    me = 'I' if r.random() < 0.8 else 'you'
    for a, b in (
        (f' does {N} ', f' do {me} '),
        (f' does {p} ', f' do {me} '),
        (f' has {N} ', f' have {me} '),
        (f' has {p} ', f' have {me} '),
        (f" {N}'s ", ' my '),
        (' his ', ' my '),
        (' her ', ' my '),
        (f"{N}'s got", f"{me}'ve got"),
        (f'{N} was ', 'I was ' if me == 'I' else 'you were '),
        (f' {p} was ', f' {me} was '),
    ):
        s = s.replace(a, b)
    ws = s.split(' ')
    for i, w in enumerate(ws):
        if w in (N, p, p.capitalize()):
            ws[i] = me
    base = dict(
        has='have',
        gives='give',
        loses='lose',
        sells='sell',
        uses='use',
        eats='eat',
        finds='find',
        buys='buy',
        gets='get',
        wins='win',
        collects='collect',
        doubles='double',
        starts='start',
        owns='own',
        keeps='keep',
        makes='make',
        bakes='bake',
        shares='share',
        puts='put',
        splits='split',
        divides='divide',
        goes='go',
        likes='like',
        lives='live',
        counts='count',
        spends='spend',
        pays='pay',
        earns='earn',
        saves='save',
        throws='throw',
    )
    return ' '.join(base.get(w, w) for w in ws)


MON = W('dollars euros pounds coins dollars euros')
BUYS = [
    'a book', 'lunch', 'a shirt', 'a ticket', 'shoes', 'a toy', 'food', 'a hat', 'candy', 'a game', 'the bus',
    'a cake', 'flowers', 'a pen', 'a ball', 'coffee', 'dinner', 'milk and bread',
]


def money(r):
    N, p = who(r)
    u = r.choice(MON)
    n = r.randint(5, 100) if r.random() < 0.85 else r.randint(50, 900)
    o = n
    if not fits(n):
        return money(r)
    steps, said = [], []
    run.PLAN = plan = [str(n)]
    for _ in range(r.choice((1, 2, 2, 3))):
        if r.random() < 0.68 and n > 1:
            k = r.randint(1, max(1, min(n, 60)))
            said.append(
                r.choice([
                    'spends {k} {u} on {b}', 'uses {k} {u} for {b}', 'pays {k} for {b}', 'loses {k} {u}',
                    'lends {k} {u} to {f}', 'gave {k} to {f}', 'spent {k} {u} on {b}', 'spent {k} on {b}',
                    'gives away {k}', 'gets {b} for {k} {u}', 'spends another {k} {u}', 'spent {k} on {b}',
                    'buys {b} for {k} {u}', 'bought {b} for {k}', 'pays {k} {u} for {b}', 'paid {k} for {b}',
                    'spends {k}', 'lost {k} {u}', 'gives {k} {u} to a friend',
                ]).format(
                    k=num(r, k),
                    u=u,
                    b=r.choice(BUYS),
                    f=r.choice((who(r)[0], 'a friend', 'the teacher', 'a brother')),
                )
            )
            steps += work(n, '-', k)
            plan.append(f'- {k}')
            n -= k
        elif n < 900:
            k = r.randint(1, 60)
            said.append(r.choice([
                'earns {k} {u}', 'found {k} {u} on the street', 'finds {k} on the road', 'was paid {k} {u}',
                'got {k} {u} back', 'got {k} for {p2} birthday', 'sold a toy for {k} {u}', 'sells a book for {k}',
                'borrows {k} {u}', 'is given {k} {u}', 'won {k}', 'earned {k} {u} by working', 'earned {k}',
                'gets {k} more', 'finds {k} {u}', 'found {k} {u}', 'earns {k} {u} more', 'gets {k} {u} from a friend',
                'saves {k} {u}', 'wins {k} {u}',
            ]).format(k=num(r, k), u=u, p2=his(p)))
            steps += work(n, '+', k)
            plan.append(f'+ {k}')
            n += k
    if not steps:
        return money(r)
    body = ask(r, [
        '{N} has {n} {u}', '{N} had {n} {u}', '{N} has got {n} {u}', "{N}'s got {n} {u}",
        '{N} has {n} {u} in {p2} pocket', '{N} took {n} {u} to the shop', '{N} goes shopping with {n} {u}',
        '{N} went out with {n} {u}', '{N} earns {n} {u}', '{N} found {n} {u}', '{N} has {n} {u} in the bank',
        '{N} starts with {n} {u}', '{N} saved {n} {u}', '{N} got {n} {u} from home', '{N} earned {n} {u}', '+{N} got {n} {u} from {p2} aunt', '+{N} has earned {n} {u}', '+{N} earned {n} {u} at work', '+{N} got {n} {u} at home',
    ], 0, False, N=N, n=num(r, o), u=u, p2=his(p))
    body += r.choice(
        (
            f'. {p.capitalize()} ' + f'. {p.capitalize()} '.join(said),
            f' and ' + ' and '.join(said),
            f'. {p.capitalize()} ' + ' and '.join(said),
            f', {p} ' + f', {p} '.join(said),
            f'. {N} ' + ' and then '.join(said),
        )
    )
    q = ask(r, [
        'how much money does {P} have left', 'how much money does {P} have', 'how much does {P} have',
        'how much is that', 'how much does {P} still have', 'what is left', 'how much left',
        'how much money has {P} left', 'how much money has {P} got', 'how many {u} does {P} have',
        'how many {u} does {P} have left', 'how much does {P} have now', 'how much money is left',
        'how many {u} are left', 'how much is left', 'how much money does {P} have now',
        'how many {u} has {P} got now', 'how much has {P} left', 'how many {u} remain', '+how many dollars remain', '+how many remain', '+how much money remains', '+how much remains', '+how many {u} has {P} left', '+how many {u} has {P} now',
    ], 0, P=r.choice((p, p, N)), u=u)
    s = body + '. ' + q
    return (first(s, N, p, r) if r.random() < 0.18 else s), done(steps, n)


def planning(r):
    """For training alone: what is to be worked out, in the order of the question, without working it out."""
    return 'plan: ' + (story(r) if r.random() < 0.7 else money(r))[0], ' '.join(run.PLAN) + '.'


def ages(r):
    (A, p), (B, _) = who(r), who(r)
    a, b = r.randint(3, 70), r.randint(2, 30)
    k = r.randrange(6)
    if A == B or not fits(a, b):
        return ages(r)
    sib = r.choice(FRIENDS)
    p2 = 'his' if p == 'he' else 'her'
    x = B if r.random() < 0.6 else f'{p2} {sib}'
    if k == 0:
        return ask(r, [
            '{A} is {a} years old. {x} is {b} years older. how old is {x}',
            '{A} is {a} and {x} is {b} years older. how old is {x}',
            '{A} is {a} and {x} is {b} years older than {A}. what is the age of {x}',
            '{A} is {a}, {x} is {b} years older. how old is {x}',
            'if {A} is {a} and {x} is {b} years older, how old is {x}',
            '{A} is {a} years old and {x} is {b} years older, how old is {x}',
            '{x} is {b} years older than {A}, who is {a}. how old is {x}',
            'how old is {x} if {A} is {a} and {x} is {b} years older',
            '{A} is {a}. {x} is {b} years older than {A}. how old is {x}',
            '{x} is {b} years older than {A}. {A} is {a}. how old is {x}',
        ], 0.05, A=A, x=x, a=a, b=b), done([*work(a, '+', b)], a + b)
    if k == 1:
        return ask(r, [
            '{A} is {a} years old. {x} is {b} years younger. how old is {x}',
            '{A} is {a} and {x} is {b} years younger. how old is {x}',
            '{A} is {a}, {x} is {b} years younger than {A}. what is the age of {x}',
            '{A} is {a}, {x} is {b} years younger. how old is {x}',
            'if {A} is {a} and {x} is {b} years younger, how old is {x}',
            '{x} is {b} years younger than {A}, who is {a}. how old is {x}',
            'how old is {x} if {A} is {a} and {x} is {b} years younger',
            '{A} is {a}. {x} is {b} years younger than {A}. how old is {x}',
            '{x} is {b} years younger than {A}. {A} is {a}. how old is {x}',
        ], 0.05, A=A, x=x, a=a + b, b=b), done([*work(a + b, '-', b)], a)
    if k == 2:
        return ask(r, [
            '{A} is {a} years old. how old will {p} be in {b} years',
            'how old will {A} be in {b} years if {p} is {a} now', '{A} is {a}. how old will {p} be in {b} years',
            'in {b} years, how old will {A} be if {p} is {a} today',
            '{A} turned {a} today. how old will {p} be {b} years from now',
            "{A} is {a} today. what will be {A}'s age in {b} years",
            '{A} is {a} now. how old will {A} be after {b} years',
        ], 0.05, A=A, p=p, a=a, b=num(r, b)), done([*work(a, '+', b)], a + b)
    if k == 3:
        return ask(r, [
            '{A} is {a} years old. how old was {p} {b} years ago', 'how old was {A} {b} years ago if {p} is {a} now',
            '{A} is {a}. how old was {p} {b} years ago', "{A} is {a} now. what was {A}'s age {b} years ago",
            '{b} years ago, how old was {A} if {p} is {a} now', '{A} is {a} today. how old was {A} {b} years ago',
        ], 0.05, A=A, p=p, a=a + b, b=num(r, b)), done([*work(a + b, '-', b)], a)
    c = r.randint(2, 90)
    if c == a:
        c += 1
    up = r.random() < 0.6
    t = r.choice(things())
    w = A if (a > c) == up else B
    return ask(
        r, [
            '{A} has {a} {t} and {B} has {c} {t}. who has {m}', '{A} has {a} {t}, {B} has {c}. who has {m} {t}',
            'who has {m} {t}, {A} with {a} or {B} with {c}', '{A} has {a} and {B} has {c}. who has {m}',
            '{A} owns {a} {t} and {B} owns {c}. who owns {m}', 'if {A} has {a} {t} and {B} has {c} {t}, who has {m}',
            '{A} got {a} {t}, {B} got {c} {t}. which of them has {m}', '{A} has {a} {t} but {B} has {c}. who has {m}', '+{A} has {a} but {B} has {c}. who has {m}', '+{A} has {a} {t} but {B} has {c} {t}. who has {m} {t}',
        ], 0.05, A=A, B=B, a=a, c=c, t=t, m='more' if up else r.choice(('less', 'fewer'))
    ), f'{w.lower()}.'


def story2(r):
    if (x := r.random()) < 0.3:
        return money(r)
    if x < 0.42:
        return ages(r)
    return story2b(r)


def story2b(r):
    """Other shapes: two people, prices, sharing, things that come and go."""
    (A, _), (B, _) = who(r), who(r)
    t = r.choice(things())
    k = r.randrange(9)
    a, b = r.randint(2, 99), r.randint(2, 60)
    if A == B or not fits(a, b):
        return story2(r)
    n = lambda x: num(r, x)
    if k == 0:
        return ask(r, [
            '{A} has {a} {t} and {B} has {b} {t}. how many {t} do they have together',
            '{A} has {a} {t} and {B} has {b}. how many do they have',
            '{A} has {a} {t} and {B} has {b}. how many do they have together',
            'together, how many {t} do {A} with {a} and {B} with {b} have',
            '{A} made {a} {t} and {B} made {b} {t}. how many {t} did they make',
            '{A} bought {a} {t} and {b} {t2}. how many things is that',
            '{A} has {a} red {t} and {b} blue {t}. how many {t} in all',
            'there are {a} red {t} and {b} green {t}. how many {t} are there',
            '{A} ate {a} {t} and {B} ate {b}. how many {t} did they eat',
            'one box has {a} {t}, another box has {b}. how many {t} in both',
            'a class has {a} boys and {b} girls. how many children are in the class',
            'there are {a} boys and {b} girls in a room. how many children are there',
            '{A} has {a} {t}. {B} has {b}. how many do they have altogether',
            '{A} has {a} {t}, {B} has {b} {t}. how many {t} in total',
            'if {A} has {a} {t} and {B} has {b}, how many do they have in all',
            '{A} found {a} {t} and {B} found {b}. how many did they find together',
            '{A} and {B} have {a} and {b} {t}. how many together',
            '{A} picks {a} {t} and {B} picks {b} {t}, how many are there in total',
        ], 0.05, A=A, B=B, a=n(a), b=n(b), t=t, t2=r.choice(things())), done(
            [*work(a, '+', b)], a + b
        )
    if k == 1:
        if a <= b:
            return story2(r)
        return ask(r, [
            '{A} has {a} {t} and {B} has {b} {t}. how many more does {A} have',
            '{A} has {a} {t} and {B} has {b}. how many more does {A} have than {B}',
            '{A} has {a} {t} and {B} has {b}. what is the difference',
            '{A} picked {a} {t}, {B} picked {b}. how many more did {A} pick',
            '{A} has {a} {t}. {B} has {b}. how many fewer does {B} have',
            '{A} needs {a} {t} and has {b}. how many more does {A} need',
            '{A} wants {a} {t} but has only {b}. how many are missing',
            'a box holds {a} {t}. there are {b} in it. how many more fit',
            '{A} is reading a book with {a} pages and has read {b}. how many pages are left',
            '{A} has {a} {t}. {B} has {b} {t}. how many more {t} does {A} have than {B}',
            '{A} has {a} {t}, {B} has {b}. what is the difference',
            '{B} has {b} {t} and {A} has {a}. how many fewer {t} does {B} have',
            'how many more {t} does {A} have than {B} if {A} has {a} and {B} has {b}',
            '{A} has {a} {t} but {B} only has {b}. how many more does {A} have',
        ], 0.05, A=A, B=B, a=n(a), b=n(b), t=t), done([*work(a, '-', b)], a - b)
    if k == 2:
        return ask(
            r,
            [
                '{A} has {a} {t}. {B} has {b} more than {A}. how many {t} do they have together',
                '{A} has {a} {t} and {B} has {b} more {t} than {A}. how many do they have altogether',
                '{B} has {b} more {t} than {A}. {A} has {a}. how many do they have in total',
            ],
            0.05,
            A=A,
            B=B,
            a=n(a),
            b=n(b),
            t=t,
        ), done([*work(a, '+', b), *work(a, '+', a + b)], 2 * a + b)
    if k == 3:
        return ask(
            r,
            [
                '{A} has {a} {t}. {B} has twice as many. how many {t} do they have together',
                '{A} has {a} {t} and {B} has twice as many as {A}. how many do they have altogether',
                '{B} has twice as many {t} as {A}. {A} has {a}. how many do they have in total',
            ],
            0.05,
            A=A,
            B=B,
            a=n(a),
            t=t,
        ), done([f'{a} * 2 = {2 * a}', *work(a, '+', 2 * a)], 3 * a)
    if k == 4:
        c, m = r.randint(2, 12), r.randint(2, 12)
        cur = r.choice(W('dollars euros coins cents pounds'))
        s = singular(t)
        if r.random() < 0.5:
            return ask(r, [
                'one of the {t} costs {c} {u}. how much do {m} {t} cost',
                'a {s} costs {c} {u}. how much do {m} {t} cost', 'a {s} costs {c} {u}. what do {m} {t} cost',
                'one {s} costs {c} {u}. what do {m} cost', 'if a {s} costs {c} {u}, how much are {m} {t}',
                'how much are {m} {t} at {c} {u} each', 'what is the price of {m} {t} at {c} {u} each',
                'one {s} is {c} {u}. how much for {m}', '{A} buys {m} {t} at {c} {u} each. how much is that',
                '{A} buys {m} {t} for {c} {u} each. how much does it cost',
                'each of the {t} costs {c} {u}. {A} buys {m}. how much does {A} pay',
                '{A} buys {m} {t}. each costs {c} {u}. how much does {A} pay in total',
                'if {t} cost {c} {u} each, how much do {m} {t} cost', '{m} {t} at {c} {u} each cost how much',
                'how much does {A} pay for {m} {t} at {c} {u} each',
            ], 0.05, A=A, c=n(c), m=n(m), t=t, u=cur, s=s), done([f'{m} * {c} = {m * c}'], m * c)
        h = m * c + r.randint(0, 40)
        return ask(r, [
            '{A} has {h} {u}. {A} buys {m} {t} for {c} {u} each. how much money is left',
            '{A} has {h} {u} and buys {m} {t} for {c} {u} each. how much does {A} have left',
            'with {h} {u}, {A} buys {m} {t} at {c} {u} each. how much is left',
            'if {A} has {h} {u} and buys {m} {t} for {c} {u} each, how much is left',
            '{A} has {h} {u}. {t} cost {c} {u} each. {A} buys {m}. how much money does {A} have now',
            '{A} has {h} {u} and buys {m} {t} at {c} {u} each. how many {u} are left',
            '{A} pays for {m} {t} at {c} {u} each from {h} {u}. how much is left',
            '{A} had {h} {u}. then {A} bought {m} {t} that cost {c} {u} each. how many {u} does {A} have now',
        ], 0.05, A=A, c=n(c), m=n(m), h=n(h), t=t, u=cur), done(
            [f'{m} * {c} = {m * c}', *work(h, '-', m * c)], h - m * c
        )
    if k == 5:
        d, m = r.randint(2, 12), r.randint(1, 20)
        return ask(r, [
            '{A} shares {n} {t} equally among {d} friends. how many does each friend get',
            '{n} {t} are shared between {d} kids. how many for each',
            '{n} {t} are shared by {d} friends. how many each', '{d} friends share {n} {t}. how many does each get',
            '{A} shares {n} {t} with {d} friends. how many does each get', 'share {n} {t} between {d} people',
            '{n} {t} for {d} children. how many each', '{n} {t} are packed into {d} boxes. how many are in each box',
            '{n} {t} go into {d} bags. how many per bag', 'how many {t} does each of {d} children get from {n} {t}',
            '{A} has {n} {t} and {d} boxes. how many go in each box',
            'a teacher gives {n} {t} to {d} students equally. how many does each student get',
            '{A} has {n} {t} and shares them equally with {d} friends. how many {t} does each friend get',
            '{n} {t} are shared equally by {d} children. how many does each child get',
            '{A} divides {n} {t} equally between {d} people. how many does each get',
            'if {d} friends share {n} {t} equally, how many does each friend get',
            '{A} puts {n} {t} into {d} boxes with the same number in each. how many are in each box',
            '{A} splits {n} {t} equally among {d} kids. how many {t} does each kid get',
        ], 0.05, A=A, n=n(d * m), d=n(d), t=t), done([f'{d * m} / {d} = {m}'], m)
    if k == 6:
        pl, out, inn = r.choice(
            [
                ('on a bus', 'get off', 'get on'),
                ('in a tree', 'fly away', 'come'),
                ('in a room', 'leave', 'come in'),
                ('in a park', 'go home', 'arrive'),
                ('on a train', 'got off', 'got on'),
                ('on a farm', 'run away', 'are born'),
                ('in a class', 'leave', 'join'),
            ]
        )
        w = r.choice(W('people birds children boys girls students animals'))
        x = r.randint(1, a)
        y = r.randint(1, 40)
        up = r.random() < 0.6
        if up:
            return ask(r, [
                'there are {a} {w} {pl}. {x} {out} and {y} {inn}. how many {w} are there now',
                'there were {a} {w} {pl}. {x} {out} and {y} {inn}. how many are there now',
                'there were {a} {w} {pl}, {x} {out} and {y} {inn}. how many are {pl} now',
                '{a} {w} were {pl}. {x} {out} and {y} {inn}. how many are there',
                'if {a} {w} are {pl}, {x} {out} and {y} {inn}, how many are there',
                '{a} {w} are {pl}. {x} {out}, then {y} {inn}. how many are {pl} now',
                'there were {a} {w} {pl}, {x} {out} and {y} more {inn}. how many now',
            ], 0.05, a=n(a), x=n(x), y=n(y), w=w, pl=pl, out=out, inn=inn), done(
                [*work(a, '-', x), *work(a - x, '+', y)], a - x + y
            )
        return ask(r, [
            'there are {a} {w} {pl}. {x} {out}. how many {w} are left',
            'there were {a} {w} {pl}. {x} {out}. how many are left',
            'if {a} {w} are {pl} and {x} {out}, how many are left', '{a} {w} are {pl}, {x} {out}. how many stay',
            'there are {a} {w} {pl} and {x} {out}, how many {w} are there now',
            '{a} {w} are {pl}. {x} of them {out}. how many are left',
            'there were {a} {w} {pl} and {x} {out}. how many remain',
        ], 0.05, a=n(a), x=n(x), w=w, pl=pl, out=out), done([*work(a, '-', x)], a - x)
    if k == 7:
        m, x = r.randint(2, 12), r.randint(2, 12)
        u, v = r.choice(
            [
                ('box', 'boxes'),
                ('bag', 'bags'),
                ('pack', 'packs'),
                ('basket', 'baskets'),
                ('jar', 'jars'),
                ('shelf', 'shelves'),
                ('row', 'rows'),
            ]
        )
        return ask(r, [
            'each {u} has {x} {t}. how many {t} are in {m} {v}',
            '{A} has {m} {v} with {x} {t} each. how many {t} is that', '{A} has {m} {v} of {x} {t}. how many {t}',
            '{m} {v} with {x} {t} each. how many {t}', 'there are {m} {v} of {x} {t}. how many {t} are there in all',
            'how many {t} are there in {m} {v} with {x} {t} each', 'a {u} holds {x} {t}. how many are in {m} {v}',
            'there are {m} {v} with {x} {t} in each {u}. how many {t} are there',
            'how many {t} are in {m} {v} of {x}', 'one {u} holds {x} {t}. how many {t} do {m} {v} hold',
            'if one {u} has {x} {t}, how many are in {m} {v}',
            '{A} fills {m} {v} with {x} {t} each. how many {t} is that',
        ], 0.05, A=A, m=n(m), x=n(x), u=u, v=v, t=t), done([f'{m} * {x} = {m * x}'], m * x)
    m, x = r.randint(2, 10), r.randint(2, 12)
    wk = r.choice(W('day week hour month'))
    return ask(r, [
        '{A} reads {x} pages every {w}. how many pages does {A} read in {m} {w}s',
        '{A} reads {x} pages a {w}. how many pages in {m} {w}s', '{A} walks {x} miles every {w}. how far in {m} {w}s',
        '{A} earns {x} dollars a {w}. how much in {m} {w}s',
        '{A} drinks {x} cups of tea a {w}. how many cups in {m} {w}s',
        '{A} bakes {x} {t} every {w}. how many {t} in {m} {w}s',
        '{A} saves {x} euros a {w}. how much is that after {m} {w}s',
        '{A} gets {x} dollars per {w}. how many dollars in {m} {w}s',
        '{A} makes {x} {t} a {w}. how many {t} does {A} make in {m} {w}s',
        '{A} earns {x} dollars per {w}. how much does {A} earn in {m} {w}s',
        '{A} saves {x} coins each {w}. how many coins after {m} {w}s',
        'if {A} sells {x} {t} every {w}, how many in {m} {w}s', '{A} paints {x} {t} in one {w}. how many in {m} {w}s',
    ], 0.05, A=A, x=n(x), m=n(m), w=wk, t=t), done([f'{m} * {x} = {m * x}'], m * x)
