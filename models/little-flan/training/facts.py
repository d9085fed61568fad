"""Capitals, opposites, plurals, colours, days and months, sorting, yes and no, reviews, greetings."""


import run
from stories import *


def the(c):
    return ('the ' if c in THE else '') + Title(c if c not in ('uk', 'usa', 'us', 'uae') else c).replace(
        'Uk', 'UK'
    ).replace('Usa', 'USA').replace('Uae', 'UAE').replace('Us', 'US' if c == 'us' else 'Us')


def capital(r):
    c = r.choice(COMMON) if r.random() < 0.35 else r.choice(list(CAP))
    k = Title(CAP[c])
    x = the(c) if c not in ALIAS or r.random() < 0.4 else the(r.choice(ALIAS[c]))
    if r.random() < 0.06:
        x = ' '.join(slip(r, w) if len(w) > 5 else w for w in x.split(' '))
    if r.random() < 0.62:
        return ask(r, [
            'what is the capital of {c}', 'what is the capital city of {c}', 'capital city of {c}',
            "which city is {c}'s capital", "what's the capital city of {c}", 'where is the capital of {c}',
            'the capital city of {c}', "tell me {c}'s capital", 'can you name the capital of {c}',
            "what city is {c}'s capital", 'say the capital of {c}', 'what capital does {c} have', "{c}'s capital",
            "what's the capital of {c}", 'capital of {c}', 'name the capital of {c}',
            'which city is the capital of {c}', 'tell me the capital of {c}', '{c} has which capital',
            'what city is the capital of {c}', 'the capital of {c} is', "what is {c}'s capital",
            'which is the capital of {c}', '{c} capital', 'give me the capital of {c}',
            'what is the name of the capital of {c}', 'do you know the capital of {c}', "what's {c}'s capital city",
            'I need the capital of {c}', '+do you happen to know the capital of {c}', '+I want the capital of {c}', "+please name {c}'s capital city", '+what is the name of the capital city of {c}',
        ], c=x), f'{k}.'
    if r.random() < 0.05:
        k = slip(r, k)
    return ask(r, [
        'which country is {k} in', 'in what country is {k}', '{k} is the capital of', 'what country is {k} in',
        'what nation has {k} as its capital', '{k} is the capital city of which country',
        'what is {k} the capital of', '{k} is in what country', 'the capital {k} belongs to which country',
        'tell me the country whose capital is {k}', 'which country has {k} as its capital',
        'which country has {k} for its capital', "what country's capital is {k}", 'where is {k}',
        '{k} belongs to which country', "which nation's capital is {k}", '{k} capital of what',
        'in which country is {k}', '{k} is in which country', '{k} is the capital of which country',
        'which country has the capital {k}', '{k} is the capital of what country',
        'of which country is {k} the capital', 'what country has {k} as its capital',
        'what country is {k} the capital of', 'whose capital is {k}', '{k} is the capital of',
        'which country is {k} the capital of', 'in which country is the capital {k}',
        'name the country whose capital is {k}', "which country's capital is {k}", '+the country whose capital is {k}', '+name the country with the capital {k}', '+{k} is the capital of the country', '+in which country is the city {k}', '+which country does the capital {k} belong to', '+which country has its capital in {k}',
    ], k=k), f'{the(c)[0].upper() + the(c)[1:]}.'


def opposite(r):
    w = r.choice(list(OPP)[:110] if r.random() < 0.4 else list(OPPX))
    return ask(r, [
        'what is the opposite of {w}', 'what is opposite of {w}', 'what is the opposite to {w}',
        "what's the opposite word of {w}", 'the opposite of {w}', 'opposite word of {w}',
        'the opposite of the word {w}', 'what is the opposite of the word {w}', '{w}: what is the opposite',
        'which word is the opposite of {w}', 'can you tell me the opposite of {w}', 'opposite to {w}',
        'what is the contrary of {w}', 'the contrary of {w}', 'antonym of {w}', 'say the opposite of {w}',
        'what is the reverse of {w}', '{w} opposite', "what's the opposite of {w}", 'opposite of {w}',
        'the opposite of {w} is', 'tell me the opposite of {w}', 'what word is the opposite of {w}',
        'give me the opposite of {w}', 'what word means the opposite of {w}', 'name the opposite of {w}',
        'give an antonym of {w}', 'what is the antonym of {w}', '{w} is the opposite of what', 'not {w} but',
        'find a word that is the opposite of {w}', 'if it is not {w}, it is', 'which word is opposite to {w}',
        'I need the opposite of {w}', '+it is not {w} but', '+it is not {w}, it is', '+if something is not {w}, it is', '+I need an antonym of {w}', '+find the opposite of {w}', '+find a word opposite to {w}', '+I want the opposite of {w}', '+not {w}, so', '+a word that is the opposite of {w}',
    ], w=f'"{w}"' if r.random() < 0.1 else w), f'{OPPX[w]}.'


def plurals(r):
    if r.random() < 0.1:
        w = r.choice(list(IRREG) + NOUNS[:80])
        return ask(
            r, ['what is the singular of {w}', 'singular of {w}', "what's the singular of {w}"], w=plural(w)
        ), f'{w}.'
    w = (
        coined(r)
        if run.SPLIT == 'train' and r.random() < 0.5
        else r.choice(list(IRREG))
        if r.random() < 0.35 and (run.SPLIT == 'train' or r.random() < 0.5)
        else r.choice(
            NOUNS + [x for c in ('animal', 'fruit', 'tool') for x in CATS[c]] if run.SPLIT == 'train' else XNOUNS
        )
    )
    return ask(r, [
        'what is the plural of {w}', "what's the plural of {w}", 'what is plural of {w}', 'plural for {w}',
        'what is the plural for {w}', 'the plural of the word {w}', 'what is the plural of the word {w}',
        '{w} plural', 'plural: {w}', 'what are two {w}s called', 'say the plural of {w}',
        'what is the plural of a {w}', 'one {w}, three', 'how do you write the plural of {w}',
        'which word is the plural of {w}', 'can you give me the plural of {w}', 'tell me what the plural of {w} is',
        'plural of {w}', 'the plural of {w} is', 'one {w}, two', 'give me the plural of {w}',
        'what is the plural form of {w}', 'how do you say {w} in the plural', 'make {w} plural',
        'write the plural of {w}', 'what do you call more than one {w}', 'one {w}, many', 'tell me the plural of {w}',
        'I have one {w}. you have two', 'plural form of {w}', 'what is more than one {w} called', '+one {w}, five', '+there is one {w}. now there are two', '+I see one {w}. you see two', '+plural form for {w}', '+the plural form of {w}', '+name the plural of {w}', '+what is more than one {w}', '+one {w}, some', '+I have a {w}. you have three',
    ], w=w), f'{plural(w)}.'


def color(r):
    co = r.choice(('color', 'color', 'colour'))
    if r.random() < 0.6:
        t = r.choice(list(COLOR))
        x = U(t)
        a = (
            'the '
            if t in W('sky sun sea ocean night')
            else ''
            if t in W('''
                grass snow coal blood milk tar chalk salt sugar cotton rice chocolate wood mud coffee gold silver
                corn soil ketchup mustard ink broccoli lettuce spinach lavender
            ''')
            else r.choice(('a ', 'a ', 'the '))
            if x[0] not in 'aeiou'
            else 'an '
        ) + x
        return ask(
            r, [
                'what {c} is {a}', 'what is the {c} of {a}', 'what {c} is {a} most of the time',
                'what {c} does {a} normally have', 'which {c} does {a} have', "what is {a}'s {c}",
                'tell me what {c} {a} is', 'what {c} are {p}', 'which {c} are {p}', 'what is the {c} of {p}',
                'what {c} do {p} have', 'say which {c} {a} is', 'which {c} is {a}', 'what {c} does {a} have',
                'tell me the {c} of {a}', "what's the {c} of {a}", '{c} of {a}', 'what {c} is {a} usually',
                'the {c} of {a} is', '{a} is what {c}', 'name the {c} of {a}', 'what {c} would {a} be',
            ], c=co, a=a, p=a if a.startswith('the ') or a == x else plural(x)
        ), f'{COLOR[t]}.'.capitalize()
    (a, b), m = r.choice(list(MIX.items()))
    if r.random() < 0.5:
        a, b = b, a
    return ask(r, [
        'what {c} do you get when you mix {a} and {b}', 'what do you get when you mix {a} and {b}',
        'which {c} do you get when you mix {a} and {b}', 'what do {a} and {b} make', 'what {c} do {a} and {b} give',
        'if you mix {a} and {b}, what {c} do you get', 'what happens if you mix {a} and {b}', 'mix {a} with {b}',
        '{a} and {b} mixed make', '{a} mixed with {b} is what {c}', 'what is {a} plus {b} as a {c}',
        'when you mix {a} and {b} you get which {c}', 'what do you get if you mix {a} and {b}', 'mix {a} and {b}',
        'what {c} is made by mixing {a} and {b}', '{a} and {b} make what {c}', 'which {c} do {a} and {b} make',
        'mixing {a} and {b} gives', 'what {c} is {a} mixed with {b}', '{a} plus {b} makes which {c}',
        'if I mix {a} with {b}, what {c} do I get', 'what {c} comes from {a} and {b} paint',
        'what happens when I mix {a} and {b} paint',
    ], c=co, a=a, b=b), f'{m}.'.capitalize()


def calendar(r):
    k = r.randrange(10)
    d = r.randrange(7)
    m = r.randrange(12)
    if k in (0, 1):
        up = r.random() < 0.5
        return ask(r, [
            'what day comes {w} {d}', 'which day is {w} {d}', 'which day comes right {w} {d}',
            'what day is it {w} {d}', 'what is the day that comes {w} {d}', 'what day comes just {w} {d}',
            'what is {w} {d}', '{w} {d} comes', 'the day {w} {d}', 'tell me the day {w} {d}',
            "what's the day {w} {d}", 'what day is right {w} {d}', 'which day is {w} {d}', 'what day is {w} {d}',
            'what is the day {w} {d}', 'the day {w} {d} is', 'which day comes {w} {d}',
            'what day of the week comes {w} {d}', 'name the day {w} {d}', 'day {w} {d}', 'what comes {w} {d}',
            'tell me the day that is {w} {d}', '+tell me which day is {w} {d}', '+which day of the week comes {w} {d}', '+what weekday comes {w} {d}', '+which weekday is {w} {d}', 'which weekday comes {w} {d}',
        ], w='after' if up else 'before', d=DAYS[d]), f'{DAYS[(d + (1 if up else -1)) % 7]}.'
    if k in (2, 3):
        up = r.random() < 0.5
        return ask(r, [
            'what month comes {w} {d}', 'which month is {w} {d}', 'which month comes right {w} {d}',
            'what month is it {w} {d}', 'what is the month that comes {w} {d}', 'what month comes just {w} {d}',
            'what is {w} {d}', '{w} {d} comes', 'the month {w} {d}', 'tell me the month {w} {d}',
            "what's the month {w} {d}", 'what month is right {w} {d}', 'which month is {w} {d}',
            'what month is {w} {d}', 'what is the month {w} {d}', 'the month {w} {d} is', 'which month comes {w} {d}',
            'what month of the year comes {w} {d}', 'name the month {w} {d}', 'month {w} {d}', 'what comes {w} {d}',
            'tell me the month that is {w} {d}', 'which month do we have {w} {d}', '+which month do you have {w} {d}', '+tell me which month is {w} {d}', '+what month do we get {w} {d}',
        ], w='after' if up else 'before', d=MONTHS[m]), f'{MONTHS[(m + (1 if up else -1)) % 12]}.'
    if k == 4:
        if r.random() < 0.5:
            up = r.random() < 0.5
            return (
                (ask(r, [
                    'if today is {d}, what day is tomorrow', 'if it is {d} today, what day is tomorrow',
                    'today is {d}. what is tomorrow', 'what day is tomorrow if today is {d}',
                    'if today is {d}, what is tomorrow', 'which day is tomorrow if today is {d}',
                    'if today is {d} then tomorrow is', 'today is {d}. what day is tomorrow',
                    'today is {d}, what day will it be tomorrow', 'it is {d} today. what day is it tomorrow',
                    'when today is {d}, tomorrow is', 'it is {d}. tomorrow is',
                ], d=DAYS[d]), f'{DAYS[(d + 1) % 7]}.')
                if up
                else (ask(r, [
                    'if today is {d}, what day was yesterday', 'if it is {d} today, what day was yesterday',
                    'today is {d}. what was yesterday', 'what day was yesterday if today is {d}',
                    'if today is {d}, what was yesterday', 'which day was yesterday if today is {d}',
                    'today is {d}. what day was yesterday', 'today is {d}, what day was it yesterday',
                    'it is {d} today. what was yesterday', 'when today is {d}, yesterday was',
                    'it is {d}. yesterday was',
                ], d=DAYS[d]), f'{DAYS[(d - 1) % 7]}.')
            )
        n = r.choice((2, 3))
        return ask(r, [
            'what day is {n} days after {d}', 'what day comes {n} days after {d}',
            'it is {d}. what day is it in {n} days', 'today is {d}. what day will it be in {n} days',
            'it is {d} today. what day is it {n} days later', 'which day is {n} days after {d}',
            'which day comes {n} days after {d}', 'if today is {d}, what day is it in {n} days',
            'today is {d}. what day is it in {n} days', 'what day will it be {n} days after {d}',
            '{n} days after {d} is which day',
        ], d=DAYS[d], n=num(r, n, 0.5)), f'{DAYS[(d + n) % 7]}.'
    if k == 5:
        i = r.choice((0, 0, 11, r.randrange(12)))
        w = 'last' if i == 11 and r.random() < 0.8 else ORD[i]
        return ask(r, [
            'what is the {w} month of the year', 'what is the {w} month in the year', 'which month is number {i}',
            'what is month number {i}', 'which month comes {w}', 'what month is the {w} month of the year',
            'which is the {w} month of the year', 'tell me the {w} month of the year',
            'which month is the {w} month of the year', 'what is the {w} month', 'name the {w} month of the year',
            'which month comes {w} in the year', 'the {w} month of the year is', 'which month is {w}',
        ], w=w, i=i + 1), f'{MONTHS[i]}.'
    if k == 6:
        i = r.choice((0, 0, 6, r.randrange(7)))
        w = 'last' if i == 6 and r.random() < 0.8 else ORD[i]
        return ask(r, [
            'what is the {w} day of the week', 'what is the {w} day in a week', 'which day comes {w}',
            'what day is the {w} day of the week', 'which is the {w} day of the week',
            'tell me the {w} day of the week', 'which day is the {w} day of the week', 'name the {w} day of the week',
            'which day comes {w} in the week', 'the {w} day of the week is', 'which day of the week is {w}',
        ], w=w), f'{DAYS[i]}.'
    if k == 7:
        return ask(r, [
            'how many days are in {m}', 'how many days does {m} have', 'how many days in {m}',
            'how many days are in the month of {m}', 'how many days is {m}',
            'how many days does the month of {m} have', 'what is the number of days in {m}', '{m} has how many days',
            'how many days can {m} have', 'tell me how many days {m} has',
            'how many days are there in the month of {m}', 'how many days are there in {m}', 'number of days in {m}',
            'how long is {m} in days', 'how many days has {m}', 'days in {m}',
        ], m=MONTHS[m]), f'{MLEN[m]}.'
    if r.random() < 0.12:
        return ask(r, [
            'what are the days of the week', 'name the days of the week', 'list the days of the week',
            'tell me the days of the week', 'which days does a week have', 'name all days of the week',
            'what are the seven days of the week', 'say the days of the week',
        ]), ', '.join(DAYS) + '.'
    if r.random() < 0.1:
        return ask(r, [
            'what are the months of the year', 'name the months of the year', 'list the months of the year',
            'tell me the months', 'which months does a year have', 'name all months',
            'what are the twelve months of the year', 'list all the months',
        ]), ', '.join(MONTHS) + '.'
    a, b, n = r.choice(
        [
            ('days', 'a week', 7),
            ('days', 'a week', 7),
            ('months', 'a year', 12),
            ('months', 'a year', 12),
            ('days', 'a year', 365),
            ('weeks', 'a year', 52),
            ('hours', 'a day', 24),
            ('minutes', 'an hour', 60),
            ('seconds', 'a minute', 60),
            ('seasons', 'a year', 4),
            ('years', 'a century', 100),
            ('years', 'a decade', 10),
            ('days', 'a leap year', 366),
            ('days', 'a weekend', 2),
            ('legs', 'a dog', 4),
            ('legs', 'a spider', 8),
            ('legs', 'a bird', 2),
            ('legs', 'a cat', 4),
            ('legs', 'an ant', 6),
            ('wheels', 'a car', 4),
            ('wheels', 'a bike', 2),
            ('sides', 'a triangle', 3),
            ('sides', 'a square', 4),
            ('fingers', 'a hand', 5),
            ('letters', 'the alphabet', 26),
            ('eyes', 'a person', 2),
            ('cents', 'a dollar', 100),
            ('items', 'a dozen', 12),
        ]
    )
    return ask(r, [
        'how many {a} are in {b}', 'how many {a} are there in {b}', 'what is the number of {a} in {b}',
        'how many {a} do you find in {b}', '{a} in {b}', 'how many {a} can you count in {b}',
        'what number of {a} does {b} have', 'how many {a} does one have in {b}', 'how many {a} does {b} have',
        'how many {a} in {b}', '{b} has how many {a}', 'number of {a} in {b}', 'how many {a} make {b}',
        'how many {a} has {b}', 'tell me how many {a} {b} has',
    ], a=a, b=b), f'{n}.'


SORTW = sorted(
    set(
        NOUNS
        + [U(x) for c in ('animal', 'fruit', 'vegetable', 'color', 'tool', 'sport', 'drink') for x in CATS[c]]
        + [w for w in OPPX]
    )
)


def sorting(r):
    if r.random() < 0.25:
        l = r.sample(range(1, r.choice((20, 100, 999))), 3)
        s = '{}, {}, {}'.format(*l) if r.random() < 0.6 else '{}, {} and {}'.format(*l)
        up = r.random() < 0.7
        return ask(r, [
            'sort these numbers: {l}', 'sort: {l}', 'sort {l}', 'order these numbers: {l}',
            'put the numbers in order: {l}', 'sort the numbers: {l}', 'put {l} in order',
            'put these numbers in ascending order: {l}', 'order {l} from smallest to largest',
            'arrange these numbers: {l}', 'sort these numbers from smallest to largest: {l}',
            'put these in order from smallest to biggest: {l}', 'put these numbers in order: {l}',
            'sort the numbers {l}', 'order these numbers from smallest to largest: {l}',
            'arrange from smallest to biggest: {l}', 'sort {l} from low to high',
            'sort from smallest to largest: {l}', '+sort {l} from small to large', '+sort low to high: {l}', '+sort the numbers from low to high: {l}', '+order these numbers from small to large: {l}',
        ] if up else [
            'sort these numbers from largest to smallest: {l}', 'order from biggest to smallest: {l}',
            'sort {l} from high to low', 'arrange these from largest to smallest: {l}',
            'put in order from biggest to smallest: {l}', 'sort {l} in descending order', '+descending order: {l}', '+put {l} in descending order',
        '+sort these in descending order: {l}',
        ], q=False, l=s), ', '.join(map(str, sorted(l, reverse=not up))) + '.'
    l = r.sample([w for w in SORTW if (hash3(w) % 8 == 0) == (run.SPLIT == 'test')], 3)
    l = apart(l)
    if run.SPLIT == 'train':
        new = [coined(r) if r.random() < 0.3 else w for w in l]
        l = new if len({w[0] for w in new}) == 3 else l
        if r.random() < 0.2:
            return which_first(r, l)
    s = ('{}, {}, {}' if r.random() < 0.5 else '{} {} {}' if r.random() < 0.4 else '{}, {} and {}').format(*l)
    return ask(r, [
        'sort these words: {l}', 'sort the words {l}', 'sort: {l}', 'sort the words: {l}',
        'put these words in order: {l}', 'order alphabetically: {l}', 'sort {l} alphabetically',
        'put {l} in alphabetical order', 'arrange these words alphabetically: {l}',
        'list these words in alphabetical order: {l}', 'order these words alphabetically: {l}',
        'put the words {l} in alphabetical order', 'which comes first in the alphabet, second and third: {l}',
        'arrange {l} in alphabetical order', 'put these words in alphabetical order: {l}', 'sort alphabetically: {l}',
        'sort these words alphabetically: {l}', 'arrange in alphabetical order: {l}', 'order these words: {l}',
        'put in alphabetical order: {l}', 'sort {l}', 'what is the alphabetical order of {l}', 'alphabetize {l}',
        'sort these three words: {l}', 'can you sort {l}', '+could you sort {l}', '+please sort {l}', '+alphabetical order of {l}', '+the alphabetical order of {l}', '+sort these three: {l}', '+alphabetize these: {l}', '+what is the order of {l} in the alphabet', '+can you order {l}',
        '+can you put {l} in alphabetical order',
    ], q=False, l=s), ', '.join(sorted(l)) + '.'


def apart(l):
    """The words with other words of their split in place of those that begin as an earlier one: three letters tell
    their order. Draws nothing at random, so that the questions after it stay what they were."""
    out = []
    for w in l:
        at = SORTW.index(w)
        same = hash3(w) % 8 == 0
        while SORTW[at][0] in {x[0] for x in out} or (hash3(SORTW[at]) % 8 == 0) != same:
            at = (at + 61) % len(SORTW)
        out.append(SORTW[at])
    return out


def which_first(r, l):
    """For training alone: what sorting is made of, one comparison."""
    a, b, _ = l
    first = r.random() < 0.7
    return ask(r, [
        'which comes {m} in the alphabet, {a} or {b}', 'does {a} or {b} come {m} in the alphabet',
        'in the alphabet, what comes {m}: {a} or {b}', '{a} or {b}: which comes {m} alphabetically',
    ], a=a, b=b, m='first' if first else 'last'), f'{(min if first else max)(a, b)}.'


def hash3(w):
    return sum((i + 3) * ord(c) for i, c in enumerate(w))


def yesno(r):
    z = r.random()
    if z < 0.12:
        c = r.choice(COMMON if r.random() < 0.7 else list(CAP))
        yes = r.random() < 0.5
        k = Title(CAP[c if yes else r.choice([x for x in COMMON if x != c])])
        return ask(
            r,
            ['is {k} the capital of {c}', 'is the capital of {c} {k}', 'is {k} the capital city of {c}'],
            k=k,
            c=the(c),
        ), 'Yes.' if yes else 'No.'
    if z < 0.2:
        n = r.randint(0, 200)
        w = r.choice(('even', 'odd'))
        return ask(
            r, ['is {n} {a} {w} number', 'is {n} {w}', 'is the number {n} {w}', '{n} is {w}, right'], n=n, w=w, a='an'
        ), 'Yes.' if (n % 2 == 0) == (w == 'even') else 'No.'
    if z < 0.25:
        a = r.randrange(12)
        b = (a + r.choice((1, 1, -1, 2))) % 12
        return ask(
            r, ['does {b} come after {a}', 'is {b} after {a}', 'is {b} the month after {a}'], a=MONTHS[a], b=MONTHS[b]
        ), 'Yes.' if b == (a + 1) % 12 else 'No.'
    if z < 0.45:
        t, y, n = r.choice(FACTY)
        yes = r.random() < 0.5
        x = r.choice(y if yes else n)
        return ask(
            r,
            [t] * 5
            + [
                'yes or no: ' + t,
                t + ', yes or no',
                'do you think ' + t if 'is {x}' not in t else t.replace('is {x}', 'do you think {x} is'),
                'tell me: ' + t,
                t + ' or not',
                'please say: ' + t,
                '+please tell me: ' + t,
                '+say yes or no: ' + t,
                '+please: ' + t,
            ],
            x=U(x),
        ), 'Yes.' if yes else 'No.'
    c = r.choice(list(CATS))
    yes = r.random() < 0.5
    if yes:
        w = r.choice(CATS[c])
    else:
        o = r.choice([k for k in CATS if k != c and (c, k) not in BOTH])
        w = r.choice(CATS[o])
        if w in CATS[c]:
            return yesno(r)
    W_ = (
        Title(w)
        if w in CATS['country'] + CATS['city'] + CATS['day_of_the_week'] + CATS['month'] + CATS['language']
        else an(w)
    )
    C = ('a ' if c[0] not in 'aeiou' else 'an ') + U(c)
    if (
        r.random() < 0.15
        and c
        not in (
            'number',
            'month',
            'day_of_the_week',
            'country',
            'city',
            'color',
            'language',
            'metal',
            'drink',
            'sport',
        )
        and w not in MASS
    ):
        return ask(
            r,
            ['are {w} {c}', 'are {w} {c} yes or no', 'would you say {w} are {c}'],
            w=plural(w),
            c='pieces of furniture'
            if c == 'piece_of_furniture'
            else plural(U(c))
            if c != 'body_part'
            else 'body parts',
        ), 'Yes.' if yes else 'No.'
    if r.random() < 0.12:
        return ask(
            r, ['is {w} a kind of {c}', 'is {w} a type of {c}', 'is {w} some kind of {c}'], w=W_, c=U(c)
        ), 'Yes.' if yes else 'No.'
    return ask(
        r, [
            'is {w} {c}', 'is {w} {c} yes or no', 'yes or no: is {w} {c}', 'would you call {w} {c}',
            'tell me if {w} is {c}', 'is it true that {w} is {c}', '{w} is {c}, right', 'do you think {w} is {c}',
            'can you say that {w} is {c}', 'true or false: {w} is {c}', 'can {w} be called {c}',
            '{w} is {c}, yes or no',
        ][:-3] + ['can {w} be called {c}', '{w} is {c}, yes or no', '+{w} is {c}, is that so', '+{w} is {c}, isn\'t it', '+{w} is {c}. yes or no', '+{w} is {c}, no or yes', '+say yes or no: {w} is {c}', '+so {w} is {c}'], w=W_, c=C
    ), 'Yes.' if yes else 'No.'


def sentiment(r):
    good = r.random() < 0.5
    if run.SPLIT == 'train' and r.random() < 0.25:
        # no review, but what the adjectives of the test's reviews mean
        return ask(r, [
            'does {w} mean good or bad', 'is {w} a good or a bad word', '{w} means good or bad', 'if it is {w}, is it good or bad',
        ], w=r.choice((GOOD + XGOOD) if good else (BAD + XBAD))), 'Good.' if good else 'Bad.'
    ws = (GOOD if good else BAD) if run.SPLIT == 'train' else (XGOOD if good else XBAD)
    a, b = r.sample(ws, 2)
    n = r.choice(RTHING)
    if r.random() < 0.5:
        t = r.choice(
            (
                f'the {n} was {a}',
                f'what a {a} {n}',
                f'the {n} was {a} and {b}',
                f'I found this {n} {a}',
                f'{a} {n}',
                f'the {n} is really {a}',
                f'very {a} {n}, and {b} too',
                f'this {n} is so {a}',
                f'it was a {a} {n}',
                f'I think the {n} was {a}',
                f'{a}, {b}',
                f'the {n} was not {r.choice(BAD if good else GOOD)}, it was {a}',
            )
        )
    else:
        t = r.choice(GOODS if good else BADS).format(n=n)
        t += r.choice(('', f'. the {n} was {a}', f'. {a}', f', so {a}'))
    if r.random() < 0.12:
        t = t[0].upper() + t[1:] + r.choice('.!')
    return ask(r, [
        'is this review positive or negative? {t}', 'positive or negative: {t}', 'is this positive or negative? {t}',
        'positive or negative? {t}', 'is the following review positive or negative: {t}',
        'is "{t}" positive or negative', 'what is the sentiment of this review: {t}', 'sentiment: {t}',
        'tell me if this review is positive or negative: {t}', 'review: {t}. positive or negative',
        'is this a good or a bad review? {t}', 'classify this review: {t}',
        '"{t}" - is that review positive or negative', 'does this review sound positive or negative: {t}',
        '+is that positive or negative: {t}', '+does this sound positive or negative? {t}', '+does that review sound good or bad: {t}',
        '+"{t}" - is that positive or negative', '+"{t}" is a positive or a negative review',
    ], q=False, t=t), 'Positive.' if good else 'Negative.'


def social(r):
    k = r.randrange(10)
    N = who(r)[0]
    if k < 4:
        return ask(r, [
            'hello', 'hi', 'hey', 'good morning', 'good evening', 'hi there', 'hello there', 'good afternoon',
            'hey there', 'greetings', 'hello, how are you', 'hi, how are you', 'how are you', 'how are you doing',
            "how's it going", "what's up", 'good day', 'hello computer', 'hello little model', 'hi, my name is {N}',
            'hello, I am {N}', 'hi bot', 'yo', 'howdy', 'nice to meet you', 'hiya', 'how are you today',
            'hello my friend', 'morning', 'hello friend', "hey, what's up", 'good morning to you', 'hello hello', '+hi friend', '+morning to you', '+good evening to you', '+hi hi', '+good morning my friend', '+hey, how are you',
        ], 0, N=N), 'Hello! What is your question?'
    if k < 6:
        return ask(r, [
            'thanks', 'thank you', 'thank you very much', 'thanks a lot', 'many thanks', 'thx', 'ty',
            'thank you so much', 'thanks for your help', 'great, thanks', 'ok thanks', 'cheers', 'thanks so much',
            'perfect, thank you', 'thank you for the answer', 'that helped, thanks', 'thanks, that was helpful',
            'good job, thank you', 'nice, thanks', 'thanks a million', 'wow, thank you', 'thank you, you are great',
            'thank you for helping me', 'thanks for that', '+wow, thanks', '+wow', '+thanks, you are great', '+thanks for helping', '+you are helping me, thanks',
           
        ], 0), 'You are welcome.'
    if k < 7:
        return ask(r, [
            'bye', 'goodbye', 'see you', 'see you later', 'good night', 'bye bye', 'see you tomorrow',
            'have a nice day', 'talk to you later', 'ciao', 'farewell', 'ok bye', 'bye for now', '+ok, bye now', '+goodbye for now', '+ok, see you', '+now goodbye',
        ], 0), 'Goodbye!'
    return ask(r, [
        'who are you', 'what are you', 'what is your name', "what's your name", 'tell me about yourself',
        'are you a robot', 'are you human', 'are you a person', 'who am I talking to', 'what kind of model are you',
        'are you an AI', 'are you a computer', 'where do you live', 'where are you', 'introduce yourself',
        'who made you', 'are you chatgpt', 'what model are you', 'who is this', 'are you real', 'what can you do',
        'how do you work', 'where do you run', 'who r u', 'do you have a name', 'what should I call you',
        'are you a bot', 'and who are you', 'are you a machine', 'please introduce yourself', 'say who you are', '+are you a machine or a person', '+so you are a bot', '+say what you are', '+please say who you are',
        '+introduce yourself, please', '+and what are you', '+hi, introduce yourself please',
    ], 0.06), 'I am a small language model that lives in a canister of the Internet Computer.'
