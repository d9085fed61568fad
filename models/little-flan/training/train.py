"""Trains a small T5 v1.1 (flan-t5's architecture: gated gelu, untied head) on what make_data.py generates.

Run: python train.py OUT_DIR --minutes M | --until HH:MM
Needs torch, transformers, sentencepiece, safetensors. The schedule is by the clock: warm-up, a plateau, then a
straight line down to nothing when the time is up. Every 5 minutes OUT_DIR/checkpoint gets the model and
OUT_DIR/state.pt all that going on takes; run again with the same OUT_DIR it goes on from there, at the rest of the
schedule. A file OUT_DIR/stop ends it. Muon for the inner matrices, AdamW for the rest.
"""

import argparse, json, os, pathlib, random, time
import torch
import net as N

ap = argparse.ArgumentParser()
ap.add_argument('out', type=pathlib.Path, help='with a spiece.model in it, that is used; else one is trained')
ap.add_argument('--minutes', type=float, default=28)
ap.add_argument('--until', help='HH:MM, local: the schedule ends then; in place of --minutes')
ap.add_argument('--stop', help='HH:MM: stop there with the schedule unfinished')
ap.add_argument('--seed', type=int, default=7)
ap.add_argument('--threads', type=int, default=1)
ap.add_argument('--batch', type=int, default=24, help='examples in each of the two micro-batches of a step')
ap.add_argument('--lr', type=float, default=2e-3)
ap.add_argument('--muon-lr', type=float, default=0.012)
ap.add_argument('--warm', type=int, default=200)
ap.add_argument('--flat', type=float, default=0.2, help='share of the schedule at the full rate')
ap.add_argument('--pool', type=int, default=16000)
ap.add_argument('--frac', type=float, help='the data of that point of the schedule, all the time')
ap.add_argument('--again', action='store_true', help='from the weights of state.pt at a new schedule')
ap.add_argument('--d-model', type=int, default=256)
ap.add_argument('--d-ff', type=int, default=512)
ap.add_argument('--heads', type=int, default=4)
ap.add_argument('--layers', type=int, default=3)
a = ap.parse_args()


def at(hhmm):
    n = time.localtime()
    h, m = map(int, hhmm.split(':'))
    then = time.mktime((n.tm_year, n.tm_mon, n.tm_mday, h, m, 0, 0, 0, -1))
    return then if then > time.time() else then + 86400  # after midnight


a.out.mkdir(parents=True, exist_ok=True)
torch.set_num_threads(a.threads)
r = random.Random(a.seed)
import make_data as data
import run
from tok import Tok

if not (a.out / 'spiece.model').exists():
    (a.out / 'spiece.model').write_bytes(Tok.train([data.example(r) for _ in range(40_000)]))
tk = Tok((a.out / 'spiece.model').read_bytes())
c = dict(d=a.d_model, ff=a.d_ff, heads=a.heads, kv=32, layers=a.layers, vocab=(tk.size + 15) // 16 * 16)
P = N.make(c, torch.Generator().manual_seed(a.seed))
print('parameters', sum(p.numel() for p in P.values()), 'vocab', tk.size, flush=True)
low = {k for k in P if P[k].ndim == 2 and k != 'emb' and 'bias' not in k}  # multiplied in bfloat16
W = {k: (v.bfloat16() if k in low else v.clone()).requires_grad_() for k, v in P.items()}


class Muon:
    """Momentum orthogonalised by three Newton-Schulz steps, the matrices of one shape together."""

    def __init__(s, lr, mom=0.95, wd=0.01):
        s.lr0, s.mom, s.wd = lr, mom, wd
        s.groups = {}
        for k, p in P.items():
            if k.count('.') == 2:
                name = k.split('.')[-1]
                parts = dict(qkv=3, xkv=2, wi=2).get(name, 1)
                for i, x in enumerate(p.chunk(parts)):
                    q = name == 'xq' or name == 'qkv' and i == 0
                    s.groups.setdefault((tuple(x.shape), q), []).append((k, i, parts, x))
        s.buf = {k: torch.zeros(len(v), *k[0]) for k, v in s.groups.items()}

    @torch.no_grad()
    def step(s, rate):
        for k, ps in s.groups.items():
            g = torch.stack([W[n].grad.chunk(m)[i] for n, i, m, _ in ps]).float()
            b = s.buf[k]
            b.lerp_(g, 1 - s.mom)
            x = g.lerp(b, s.mom)
            x = (x / (torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True) + 1e-12)).bfloat16()
            t = x.shape[1] > x.shape[2]
            if t:
                x = x.transpose(1, 2).contiguous()
            for _ in range(3):
                A = x @ x.transpose(1, 2)
                B = torch.baddbmm(A, A, A, beta=-4.7750, alpha=2.0315)
                x = torch.baddbmm(x, B, x, beta=3.4445)
            if t:
                x = x.transpose(1, 2)
            # T5 does not divide the attention's logits by sqrt(d_kv), so the queries learn at a rate smaller by that
            lr = s.lr0 * rate * max(1, k[0][0] / k[0][1]) ** 0.5 * (c['kv'] ** -0.5 if k[1] else 1)
            for (*_, p), u in zip(ps, x):
                p.mul_(1 - s.lr0 * rate * s.wd).add_(u.float(), alpha=-lr)


muon = Muon(a.muon_lr)
rest = [k for k in P if k.count('.') < 2]
for k in rest:
    P[k].requires_grad_()
opt = torch.optim.AdamW([P[k] for k in rest], lr=0, betas=(0.9, 0.98), weight_decay=0.0, fused=True)


def steps(n):
    """n examples as steps of two micro-batches, one of short and one of long ones: little padding, and no step sees
    one task only."""
    rows = [(tk.encode(p) + [1], tk.encode_answer(t) + [1]) for p, t in (data.example(r) for _ in range(n))]
    rows.sort(key=lambda e: len(e[0]) + 1.3 * len(e[1]) + 4 * r.random())
    k = n // a.batch // 2
    bs = [rows[i * a.batch : (i + 1) * a.batch] for i in range(2 * k)]
    for i in range(2):
        q = bs[i * k : (i + 1) * k]
        r.shuffle(q)
        bs[i * k : (i + 1) * k] = q
    return [[bs[j], bs[k + j]] for j in range(k)]


BUCKETS = {}


def buckets(n, both):
    if (n, both) not in BUCKETS:
        i = torch.arange(n)
        BUCKETS[n, both] = N.bucket(i[None] - i[:, None], both)
    return BUCKETS[n, both]


def tensors(b):
    """Padded to multiples of 8: a kernel is made for each new shape, so that there should be few. Last come the
    tokens' weights: an answer weighs as the square root of its length, or word problems would have two thirds of the
    gradient."""
    L, T = (-(-max(len(e[i]) for e in b) // 8) * 8 for i in (0, 1))
    ids = torch.tensor([x + [0] * (L - len(x)) for x, _ in b])
    lab = torch.tensor([y + [-100] * (T - len(y)) for _, y in b])
    dec = torch.cat([torch.zeros(len(b), 1, dtype=torch.long), lab[:, :-1].clamp(min=0)], 1)
    lab = lab.view(-1)
    pos = (lab >= 0).nonzero()[:, 0]
    pad = -len(pos) % 128
    mask = torch.where(ids == 0, -1e9, 0.0)[:, None, None]
    lab = torch.cat([lab[pos], pos.new_full((pad,), -100)])
    weight = torch.tensor([len(y) ** -0.5 for _, y in b]).repeat_interleave(T)[pos]
    weight = torch.cat([weight, weight.new_zeros(pad)])
    return ids, mask, dec, buckets(L, True), buckets(T, False), torch.cat([pos, pos.new_zeros(pad)]), lab, weight


STATE = a.out / 'state.pt'
t0 = time.time()
start = t0
end = at(a.until) if a.until else t0 + a.minutes * 60
step = seen = since = 0
ema = None
queue = []
if STATE.exists():  # goes on where it was; the time in between does not count
    z = torch.load(STATE, weights_only=False)
    with torch.no_grad():
        for k, v in z['net'].items():
            P[k].copy_(v)
    opt.load_state_dict(z['opt'])
    step, seen, ema = z['step'], z['seen'], z['ema']
    r.setstate(z['random'])
    muon.buf = z['muon']
    done = 0 if a.again else z['frac']
    start = end - (end - t0) / max(1 - done, 1e-3)
    print(f'resumed at step {step}, {done:.3f} of the schedule', flush=True)


def keep(f):
    N.save(P, c, a.out / 'checkpoint', (a.out / 'spiece.model').read_bytes())
    tmp = STATE.with_suffix('.tmp')
    state = dict(net=P, opt=opt.state_dict(), muon=muon.buf, step=step, seen=seen, ema=ema, frac=f, random=r.getstate())
    torch.save(state, tmp)
    os.replace(tmp, STATE)


def probe():
    """Loss per token by category, and the share of answers that are right to the last token, on questions of the
    training split: greedy decoding finds an answer if each of its tokens is the likeliest after those before it."""
    q = random.Random(99)
    f, run.FRAC = run.FRAC, 1.0
    out = {}
    for cat in data._C[:-1]:
        samples = (data.sample(q, cat=cat) for _ in range(48))
        m = tensors([(tk.encode(p) + [1], tk.encode_answer(t) + [1]) for _, p, t in samples])
        with torch.no_grad():
            logits = N.forward(W, c, *m[:-2], None)
        labels, n = m[-2], (m[-2] >= 0).sum().item()
        loss = torch.nn.functional.cross_entropy(logits, labels, reduction='sum').item() / n
        width = m[2].shape[1]
        wrong = {p // width for p in m[5][:n][(logits.argmax(-1) != labels)[:n]].tolist()}
        out[cat] = f'{loss:.3f} {1 - len(wrong) / 48:.2f}'
    run.FRAC = f
    print('  '.join(f'{k} {v}' for k, v in out.items()), flush=True)


def refresh():
    with torch.no_grad():
        for k, w in W.items():
            w.copy_(P[k])


refresh()
saved = told = t0
seen0 = seen
stopping = t0 + float(a.stop) * 60 if a.stop and ':' not in a.stop else at(a.stop) if a.stop else None
while True:
    now = time.time()
    f = (now - start) / (end - start)
    if f >= 1:
        break
    if stopping and now > stopping or (a.out / 'stop').exists():
        keep(f)
        probe()
        print('stopped', flush=True)
        raise SystemExit
    run.FRAC = f if a.frac is None else a.frac
    if not queue:
        queue = steps(a.pool if seen else a.pool // 4)
    rate = min((since + 1) / a.warm, 1) * min(1, (1 - f) / (1 - a.flat))
    micro = [tensors(b) for b in queue.pop()]
    ntok = sum((m[-2] >= 0).sum().item() for m in micro)
    whole = sum(m[-1].sum().item() for m in micro)
    total = 0.0
    for w in W.values():
        w.grad = None
    for m in micro:
        losses = N.forward(W, c, *m[:-1])
        (losses @ m[-1] / whole).backward()
        total += losses.sum().item() / ntok
        seen += len(m[0])
    for k in rest:
        P[k].grad = W[k].grad.float()
    torch.nn.utils.clip_grad_norm_([P[k] for k in rest], 1.0)
    for gr in opt.param_groups:
        gr['lr'] = a.lr * rate
    opt.step()
    muon.step(rate)
    refresh()
    step += 1
    since += 1
    ema = total if ema is None else 0.98 * ema + 0.02 * total if step > 50 else total
    now = time.time()
    if now - told > 20:
        print(
            f'{time.strftime("%H:%M:%S")} {f:.3f} step {step} seen {seen} loss {ema:.4f} lr x{rate:.3f} '
            f'{(seen - seen0) / (now - t0):.0f} ex/s cpu {time.process_time() / (now - t0):.2f}',
            flush=True,
        )
        told = now
    if now - saved > 300:
        keep(f)
        probe()
        saved = time.time()
keep(1.0)
print(f'done: steps {step}, seen {seen}, loss {ema:.4f}', flush=True)
