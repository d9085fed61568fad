"""Sums, halves, comparisons, numbers in words."""


from stories import *


def sums(r):
    k = r.random()
    op = r.choices('+-*/', (5, 4, 3.2, 1.2))[0]
    hi = 20 if k < 0.25 else 100 if k < 0.75 else 999
    if op == '*':
        a, b = (
            (r.randint(0, 12), r.randint(0, 12))
            if k < 0.65
            else (r.randint(2, 12), r.randint(2, 12))
            if k < 0.95
            else (r.randint(1, 12) * 10, r.randint(2, 9))
        )
        if r.random() < 0.4:
            a, b = b, a
    elif op == '/':
        b = r.randint(1, 12)
        a = b * r.randint(1, 12)
    else:
        a, b = r.randint(0, hi), r.randint(0, hi if r.random() < 0.6 else min(hi, 60))
    if op == '-':
        a, b = max(a, b), min(a, b)
    if op == '-' and hi == 20 and a != b and r.random() < 0.06:
        return ask(r, [
            'what is {a} - {b}', '{a} - {b}', '{a} minus {b}', 'what is {a} minus {b}', "what's {a} - {b}",
            'calculate {a} - {b}', 'how much is {a} minus {b}',
        ], a=b, b=a), f'{b} - {a} = -{a - b}.'
    if op == '+' and a + b > 999 and r.random() < 0.8:
        a, b = a // 2, b // 2
    if op in '+-' and not fits(a, b):
        return sums(r)  # the tables of products are facts: their phrasings are held out
    v = {'+': a + b, '-': a - b, '*': a * b, '/': a // b if b else 0}[op]
    A, B = num(r, a, 0.15), num(r, b, 0.15)
    base = [
        'what is {a} {o} {b}', 'calculate {a} {o} {b}', '{a} {o} {b}', '{a} {o} {b} =', 'how much is {a} {o} {b}',
        "what's {a} {o} {b}", 'what does {a} {o} {b} equal', 'compute {a} {o} {b}',
        'what do you get if you calculate {a} {o} {b}', '{a} {o} {b} is', 'solve {a} {o} {b}',
        'can you work out {a} {o} {b}', 'what is the answer to {a} {o} {b}', '+can you calculate {a} {o} {b}', '+give me the answer to {a} {o} {b}', '+could you work out {a} {o} {b}', '+the answer to {a} {o} {b} is',
    ]
    own = {'+': [
        'add {a} and {b}', 'what do {a} and {b} add up to', 'the sum of {a} and {b} is', 'add up {a} and {b}',
        'total of {a} and {b}', 'what is the total of {a} and {b}', 'put {a} and {b} together. what is that',
        'what is {a} added to {b}', '{a} and {b} together are', 'what is the sum of {a} and {b}', 'add {b} to {a}',
        'sum of {a} and {b}', 'what do you get when you add {a} and {b}', 'what is {b} more than {a}',
        'if I add {a} and {b}, what do I get', '+what do I get if I add {a} to {b}', '+if you add {a} and {b}, what do you get', '+{b} more than {a} is',
    ], '-': [
        'subtract {b} from {a}', 'what is {a} less {b}', '{a} take away {b}', 'take {b} from {a}',
        'what do I get if I take {b} from {a}', 'the difference between {a} and {b}',
        'what is left of {a} after taking {b}', 'from {a} subtract {b}', 'remove {b} from {a}',
        'what is the difference between {a} and {b}', 'take {b} away from {a}', 'what is {a} take away {b}',
        'how much is left if you take {b} from {a}', 'what is {b} less than {a}', 'difference of {a} and {b}', '+the difference of {a} and {b}', '+how much is {b} less than {a}', '+{b} less than {a} is', '+take {b} off {a}',
    ], '*': [
        'multiply {a} by {b}', '{a} multiplied by {b}', 'what is {a} multiplied by {b}', '{a} times {b} is',
        'the product of {a} and {b} is', 'how much is {a} by {b}', 'what is {a} times {b}', 'what are {a} times {b}',
        'what is the product of {a} and {b}', 'product of {a} and {b}', 'multiply {a} and {b}',
        'what do you get when you multiply {a} by {b}', 'how many are {a} times {b}',
        'if I multiply {a} and {b}, what do I get', '+what do I get if I multiply {a} by {b}', '+how many is {a} times {b}', '+if you multiply {a} and {b}, what do you get', '+how much are {a} times {b}', '+what are {a} times {b} together',
    ], '/': [
        'divide {a} by {b}', '{a} divided by {b}', '{a} over {b}', 'what do you get when you divide {a} by {b}',
        'how many {b}s are in {a}', 'how often does {b} fit into {a}', '{a} split by {b}', 'what is {a} over {b}',
        'what is {a} shared by {b}', 'what is {a} divided by {b}', 'how many times does {b} go into {a}',
        'share {a} by {b}', 'how much is {a} over {b}', 'split {a} into {b} equal parts. how big is each part',
        'if I divide {a} by {b}, what do I get', '+what do I get if I divide {a} by {b}', '+split {a} into {b} equal groups. how big is each',
        '+how big is each part if I split {a} into {b}', '+if you divide {a} by {b}, what do you get', '+how much is {a} split by {b}', '+split {a} into {b} parts. how big is one', '+share {a} between {b}',
    ]}[op]
    o = r.choice(
        {
            '+': ('+', '+', 'plus', 'and'),
            '-': ('-', '-', 'minus', 'minus'),
            '*': ('*', 'x', 'times', 'times', '×', 'multiplied by'),
            '/': ('/', 'divided by', '÷'),
        }[op]
    )
    if o == 'and':
        s = ask(r, ['what is {a} and {b} together', 'how much is {a} and {b}', '{a} and {b} make'], a=A, b=B)
    elif r.random() < 0.55:
        s = ask(r, base, a=A, b=B, o=o)
    else:
        s = ask(r, own, a=A, b=B)
    if o in '+-*/x' and r.random() < 0.15:
        s = s.replace(f' {o} ', o)
    e = work(a, op, b)
    return s, f'{e[0]}.' if len(e) == 1 else done(e, v)


def percent(r):
    k = r.randrange(4)
    if k == 0:
        n = r.randint(1, 50 if r.random() < 0.6 else 300) * 2
        return ask(r, [
            'what is half of {n}', "what's half of {n}", 'half of {n} is', 'half {n}', 'what is half {n}',
            'what is {n} divided in half', 'what is 1/2 of {n}', 'cut {n} in half', 'how much is half {n}',
            'half of {n}', 'how much is half of {n}', 'what is a half of {n}', 'halve {n}', 'what is one half of {n}',
            'divide {n} in half', '+split {n} in half', '+divide {n} by half', '+how much is one half of {n}', '+one half of {n} is',
        ], n=num(r, n)), f'{n} / 2 = {n // 2}.'
    if k == 1:
        n = r.randint(1, 50 if r.random() < 0.6 else 300)
        return ask(r, [
            'what is double {n}', "what's twice {n}", 'what is the double of {n}', 'twice {n}', "what's double {n}",
            '2 times {n}', 'double of {n}', 'what is {n} doubled', 'two times {n} is', 'double {n}',
            'what is twice {n}', 'how much is two times {n}', 'how much is twice {n}',
            'what number is the double of {n}', '+which number is twice {n}', '+what number is double {n}',
        ], n=num(r, n)), f'{n} * 2 = {n * 2}.'
    if k == 2:
        a, b, c = (r.randint(1, 30) for _ in range(3))
        return ask(
            r, [
                'what is {a} + {b} + {c}', '{a} + {b} + {c} =', '{a}+{b}+{c}', 'what is {a} plus {b} plus {c}',
                "what's {a} + {b} + {c}", 'calculate {a} + {b} + {c}', '{a} and {b} and {c} together',
                'sum up {a}, {b}, {c}', 'total of {a}, {b} and {c}', '{a} + {b} + {c}', 'add {a}, {b} and {c}',
                'what is the sum of {a}, {b} and {c}', '{a} plus {b} plus {c}', 'how much is {a} plus {b} plus {c}', '+how much is {a} + {b} + {c}', '+how much are {a}, {b} and {c}',
            ], a=a, b=b, c=c
        ), f'{a} + {b} = {a + b}. {a + b} + {c} = {a + b + c}. The answer is {a + b + c}.'
    n = (
        r.choice(
            (
                r.randint(1, 998),
                r.randint(1, 99),
                r.randint(0, 9) * 10 + r.choice((0, 9)),
                r.randint(1, 8) * 100 + r.choice((99, 0)),
            )
        )
        or 1
    )
    up = r.random() < 0.5
    return ask(r, [
        'what number comes {w} {n}', 'which number comes {w} {n}', 'what number is {w} {n}',
        'what number comes right {w} {n}', 'what comes right {w} {n}', 'what is the number {w} {n}',
        'what comes just {w} {n} when I count', 'the number right {w} {n} is', 'tell me the number {w} {n}',
        'which number is {w} {n}', 'which number is right {w} {n}', 'what comes {w} {n}', 'the number {w} {n}',
        'what is the number just {w} {n}', 'counting up, what comes {w} {n}', '+when counting, what comes {w} {n}', '+I am counting up: what is {w} {n}',
        '+count up: which number is {w} {n}', '+what is just {w} {n}',
    ], w='after' if up else 'before', n=n), f'{n + 1 if up else n - 1}.'


def compare(r):
    hi = r.choice((20, 100, 999))
    a, b = r.sample(range(hi + 1), 2)
    if not fits(a, b):
        return compare(r)
    k = r.random()
    if k < 0.65:
        up = r.random() < 0.5
        w = r.choice(W('larger bigger greater more higher') if up else W('smaller less lower fewer smaller'))
        return ask(r, [
            'which number is {w}: {a} or {b}', 'which number is {w} {a} or {b}', 'what number is {w}, {a} or {b}',
            'which is the {w} number: {a} or {b}', 'which of these is {w}: {a}, {b}',
            'what is the {w} number of {a} and {b}', '{a} and {b}: which is {w}', 'which is {w}: {a} or {b}',
            'which of {a} and {b} is {w}', '{w}: {a} or {b}', 'which one is {w}, {a} or {b}',
            'tell me which is {w}, {a} or {b}', 'what is {w} {a} or {b}', 'which is {w}, {a} or {b}',
            'what is {w}, {a} or {b}', 'is {a} or {b} {w}', '{a} or {b}, which is {w}',
            'which number is {w}, {a} or {b}', 'tell me the {w} number: {a} or {b}', 'which one is {w}: {a} or {b}',
            'of {a} and {b}, which is {w}', 'pick the {w} number of {a} and {b}', 'between {a} and {b}, which is {w}',
            'what number is {w}: {a} or {b}', '+choose the {w} number of {a} and {b}', '+pick {w}: {a} or {b}', '+of {a} or {b}, which one is {w}', '+between {a} and {b}, what is {w}', '+pick the {w} number: {a} or {b}',
        ], w=w, a=num(r, a), b=num(r, b)), f'{max(a, b) if up else min(a, b)}.'
    if k < 0.83 and r.random() < 0.2:
        return ask(r, [
            'is {a} equal to {b}', 'are {a} and {b} equal', 'is {a} the same as {b}', '+is {a} the same as {b} or not',
            'are {a} and {b} the same number', 'is {a} the same number as {b}',
        ], a=a, b=a if (same := r.random() < 0.5) else b), 'Yes.' if same else 'No.'
    if k < 0.85:
        up = r.random() < 0.5
        w = r.choice(W('larger bigger greater higher more') if up else W('smaller less lower'))
        return ask(r, [
            'is {a} {w} than {b}', 'is {a} {w} than {b} or not', 'is it true that {a} is {w} than {b}',
            '{a} is {w} than {b}, true or false', 'is {b2} {w} than {a2}', 'are {a} apples {w} than {b} apples',
            'do you think {a} is {w} than {b}', '{a} is {w} than {b}, right', 'can you say that {a} is {w} than {b}',
            'is {a} {w} than {b} yes or no', 'would you say {a} is {w} than {b}', 'is the number {a} {w} than {b}',
            'yes or no: is {a} {w} than {b}', 'true or not, {a} is {w} than {b}', '+true or false: {a} is {w} than {b}', '+is it so that {a} is {w} than {b}', '+say if {a} is {w} than {b}', '+yes or no: {a} is {w} than {b}',
        ], w=w, a=num(r, a), b=num(r, b), a2=b, b2=a), 'Yes.' if (a > b) == up else 'No.'
    c = r.randint(0, hi)
    l = [a, b, c]
    up = r.random() < 0.5
    w = r.choice(W('largest biggest greatest highest') if up else W('smallest lowest least'))
    return ask(r, [
        'which number is the {w}: {a}, {b} or {c}', 'which is the {w}: {a}, {b} or {c}',
        'which is the {w}, {a}, {b} or {c}', 'what is the {w}: {a}, {b}, {c}', 'which of {a}, {b} and {c} is the {w}',
        'the {w} of {a}, {b} and {c}', 'which one is the {w}: {a}, {b}, {c}', 'find the {w} of {a}, {b} and {c}',
        'what is the {w} number: {a} {b} {c}', 'what is the {w} of {a}, {b} and {c}', 'which is {w}: {a}, {b}, {c}',
        '{a}, {b} or {c}, which is the {w}', 'find the {w} number: {a}, {b}, {c}',
        'what is the {w} number in {a}, {b}, {c}', '+what is the {w} in {a}, {b}, {c}', '+{w} number of {a}, {b}, {c}', '+tell me the {w} number: {a}, {b}, {c}', '+pick the {w}: {a}, {b}, {c}', '+find the {w}: {a}, {b}, {c}',
    ], w=w, a=a, b=b, c=c), f'{max(l) if up else min(l)}.'


def counting(r):
    """For training alone: tens as answers, by counting, where spell keeps tens for the test."""
    n = r.randint(1, 99) * 10 if r.random() < 0.3 else r.randint(0, 9) * 10
    up = r.random() < 0.5
    near = n - 1 if up and n else n + 1
    up = near < n
    if r.random() < 0.5:
        return ask(r, [
            'count in words: what comes {w} {n}', 'in words, which number comes {w} {n}',
            'which word comes {w} {n} when you count',
        ], w='after' if up else 'before', n=words(near)), f'{words(n)}.'
    return ask(r, [
        'in digits, what comes {w} {n}', 'count in digits: what comes {w} {n}', 'which number in digits is {w} {n}',
    ], w='after' if up else 'before', n=words(near)), f'{n}.'


def spell(r):
    if run.SPLIT == 'train' and r.random() < 0.2:
        return counting(r)
    n = r.randint(0, 99) if r.random() < 0.6 else r.randint(100, 999)
    if not fits(n):
        return spell(r)
    k = r.random()
    if k < 0.45:
        return ask(r, [
            'write {n} in words', 'how do you spell the number {n}', '{n} in words', 'how do you spell {n}',
            'spell the number {n}', 'how is {n} written in words', 'write out {n}', 'write the number {n} in words',
            '{n} as a word', 'how do you say {n}', 'spell {n} in words', 'what is {n} in words',
            'write the number {n} as a word', 'how do you write {n} in words', 'say {n} in words', '+say {n} with words', '+write down {n} in words', '+put {n} into words', '+write {n} as words', '+how does one write {n} in words', '+what do you say for {n} in words',
        ], n=n), f'{words(n)}.'
    if k < 0.85:
        return ask(r, [
            'write {n} as a number', 'what is {n} in digits', '{n} in digits', 'what is {n} as a number',
            'how do you write {n} as a number', 'how do you write {n} in digits', 'write {n} in numbers',
            '{n} as a number', 'write the number {n} in digits', 'write {n} in digits', 'what number is {n}',
            'give me {n} as digits', '{n} in numbers', 'turn {n} into digits', '+turn {n} into a number', '+{n} in number form', '+{n} written in numbers', '+write {n} with numbers', '+write {n} using digits', '+{n} with digits',
        ], n=words(n)), f'{n}.'
    return ask(r, [
        'is {n} even or odd', 'is {n} odd or even', 'is the number {n} even or odd', '{n}: even or odd',
        'even or odd: {n}', 'tell me if {n} is even or odd', '+tell me: is {n} even or odd', '+say if {n} is odd or even',
    ], n=n), 'Even.' if n % 2 == 0 else 'Odd.'
