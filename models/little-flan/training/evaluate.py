"""Accuracy by category on the held-out split (other names, things, numbers and phrasings) in three casings, and on
questions written by hand (by-hand.tsv).

Run: python evaluate.py MODEL_DIR [N_PER_CATEGORY] -> how many of the 300 of ../questions.tsv it has right, by category;
a table of N_PER_CATEGORY (60; 0 for no table); and the questions by hand with their answers
"""

import os, pathlib, random, sys, time
import torch
from transformers import T5ForConditionalGeneration
import make_data as d
from tok import Tok

HAND = [line.split('\t') for line in (pathlib.Path(__file__).parent / 'by-hand.tsv').read_text().splitlines()]

NO = "don't know"


def right(want, got):
    """A number has to be the last one; yes and no the first word; any other answer has to be in it."""
    low = got.lower()
    if want.isdigit():
        return low.rstrip('.').split()[-1:] == [want]
    return low.startswith(want) if want in ('yes', 'no') else want in low


def main(folder, n=60, quiet=False):
    torch.set_num_threads(int(os.environ.get('THREADS', 2)))
    t0 = time.time()  # not beside a training run: two times two threads on two cores slow both to a fifth
    net = T5ForConditionalGeneration.from_pretrained(folder).eval()
    tk = Tok((pathlib.Path(folder) / 'spiece.model').read_bytes())
    memo = {}

    def answer(qs):
        enc = {q: tuple(tk.encode(q) + [1]) for q in qs}
        todo = sorted({e for e in enc.values() if e not in memo}, key=len)
        for i in range(0, len(todo), 64):
            b = todo[i : i + 64]
            m = max(map(len, b))
            ids = torch.tensor([list(e) + [0] * (m - len(e)) for e in b])
            with torch.no_grad(), torch.autocast('cpu', dtype=torch.bfloat16):
                g = net.generate(input_ids=ids, attention_mask=(ids != 0).long(), max_new_tokens=70, do_sample=False)
            for e, o in zip(b, g.tolist()):
                memo[e] = tk.decode(o)
        return [memo[enc[q]] for q in qs]

    drawn = random.Random(2)  # as bundle.py draws questions.tsv
    rows = [d.sample(drawn, 'test') for _ in range(300)]
    counts = {}
    for (cat, _, want), got in zip(rows, answer([p for _, p, _ in rows])):
        counts.setdefault(cat, [0, 0])[0] += got.strip() == want
        counts[cat][1] += 1
    print('held out', sum(a for a, _ in counts.values()), 'of 300:', *(f'{c} {a}/{b}' for c, (a, b) in counts.items()))
    r = random.Random(4242)
    table = {}
    wrong = {}
    for cat in d._C if n else ():
        rows = [d.sample(r, 'test', cat)[1:] for _ in range(1 if cat == 'apples' else n)]
        for name, f in (('as is', lambda s: s), ('lower', lambda s: s.lower().rstrip('?.!')), ('UPPER', str.upper)):
            got = answer([f(p) for p, _ in rows])
            table.setdefault(cat, {})[name] = sum(g.strip() == a for g, (_, a) in zip(got, rows)) / len(rows)
            if name == 'as is':
                wrong[cat] = [(p, g, a) for g, (p, a) in zip(got, rows) if g.strip() != a][:8]
        # right in its last number or words, whatever the way there
        if cat in ('story', 'story2', 'sums'):
            table[cat]['final'] = sum(
                g.split()[-1:] == a.split()[-1:] for g, (_, a) in zip(answer([p for p, _ in rows]), rows)
            ) / len(rows)
    for c, v in table.items():
        print(f'{c:18}', '  '.join(f'{k} {x:.2f}' for k, x in v.items()))
    if table:
        print('mean of categories', round(sum(v['as is'] for v in table.values()) / len(table), 3))
    got = answer([q for q, _ in HAND])
    ok = [0, 0]
    for (q, a), g in zip(HAND, got):
        good = right(a, g)
        ok[a == NO] += good
        print('ok ' if good else 'NO ', q, '->', g)
    outside = sum(a == NO for _, a in HAND)
    print(f'by hand {ok[0]} of {len(HAND) - outside}, declined {ok[1]} of {outside}, {time.time() - t0:.0f} s')
    if not quiet:
        for c, v in wrong.items():
            for p, g, a in v[:4]:
                print(f'[{c}] {p} -> {g}   (want {a})')


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 60)
