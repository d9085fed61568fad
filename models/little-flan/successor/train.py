"""Trains a small T5 v1.1 (flan-t5's architecture: gated gelu, untied head) on what make_data.py generates.

Run: python train.py OUT_DIR --minutes M | --until HH:MM      needs torch, transformers, sentencepiece, safetensors
The schedule is by the clock: warm-up, then a cosine down to nothing when the time is up. Every 5 minutes OUT_DIR/checkpoint gets the model and
OUT_DIR/state.pt all that going on takes; run again with the same OUT_DIR it goes on from there, at the rest of the schedule. A file OUT_DIR/stop ends it.
bf16 autocast (twice float32's speed on a CPU with AVX512-BF16); Muon for the inner matrices, AdamW for the rest (--opt adamw for all).
"""

import argparse, json, math, os, pathlib, random, time
import torch
from safetensors.torch import save_file, load_file
from transformers import T5Config, T5ForConditionalGeneration

ap = argparse.ArgumentParser()
ap.add_argument('out', type=pathlib.Path, help='with a spiece.model in it, that is used; else one is trained')
ap.add_argument('--minutes', type=float, default=28)
ap.add_argument('--opt', default='muon')
ap.add_argument('--seed', type=int, default=7)
ap.add_argument('--threads', type=int, default=1)
ap.add_argument('--batch', type=int, default=48, help='examples in each of the two micro-batches of a step')
ap.add_argument('--lr', type=float, default=1e-3)
ap.add_argument('--muon-lr', type=float, default=0.02)
ap.add_argument('--until', help='HH:MM, local: the schedule ends then; in place of --minutes')
ap.add_argument('--stop', help='HH:MM: stop there with the schedule unfinished')
ap.add_argument('--warm', type=int, default=60)
ap.add_argument('--pool', type=int, default=16000)
ap.add_argument('--d-model', type=int, default=256)
ap.add_argument('--d-ff', type=int, default=512)
ap.add_argument('--heads', type=int, default=4)
ap.add_argument('--layers', type=int, default=3)
a = ap.parse_args()


def at(hhmm):
    n = time.localtime()
    h, m = map(int, hhmm.split(':'))
    return time.mktime((n.tm_year, n.tm_mon, n.tm_mday, h, m, 0, 0, 0, -1))


a.out.mkdir(parents=True, exist_ok=True)
torch.set_num_threads(a.threads)
torch.manual_seed(a.seed)
r = random.Random(a.seed)
import make_data as data
import run
from tok import Tok

if not (a.out / 'spiece.model').exists():
    (a.out / 'spiece.model').write_bytes(Tok.train([data.example(r) for _ in range(40_000)]))
tk = Tok((a.out / 'spiece.model').read_bytes())
VOCAB = (tk.size + 15) // 16 * 16
cfg = T5Config(
    vocab_size=VOCAB,
    d_model=a.d_model,
    d_kv=32,
    num_heads=a.heads,
    d_ff=a.d_ff,
    num_layers=a.layers,
    num_decoder_layers=a.layers,
    feed_forward_proj='gated-gelu',
    dropout_rate=0.0,
    relative_attention_num_buckets=32,
    relative_attention_max_distance=128,
    decoder_start_token_id=0,
    pad_token_id=0,
    eos_token_id=1,
    tie_word_embeddings=False,
)
# the same functions in one kernel each: a fifth faster on a CPU
from transformers import activations
from transformers.models.t5 import modeling_t5

activations.NewGELUActivation.forward = lambda s, x: torch.nn.functional.gelu(x, approximate='tanh')
net = T5ForConditionalGeneration(cfg)
net.lm_head.weight = torch.nn.Parameter(torch.randn(VOCAB, cfg.d_model) * cfg.d_model**-0.5 * 0.5)
net.shared.weight.data.normal_(0, 1.0)
print('parameters', sum(p.numel() for p in net.parameters()), 'vocab', tk.size, flush=True)


def save(folder):
    folder.mkdir(parents=True, exist_ok=True)
    sd = {
        k: v.detach().to(torch.float32).contiguous().clone()
        for k, v in net.state_dict().items()
        if 'embed_tokens' not in k
    }
    save_file(sd, str(folder / 'model.safetensors'), metadata={'format': 'pt'})
    c = {
        k: v
        for k, v in cfg.to_dict().items()
        if k
        in (
            'd_model',
            'd_kv',
            'd_ff',
            'num_layers',
            'num_decoder_layers',
            'num_heads',
            'vocab_size',
            'feed_forward_proj',
            'relative_attention_num_buckets',
            'relative_attention_max_distance',
            'layer_norm_epsilon',
            'decoder_start_token_id',
            'pad_token_id',
            'eos_token_id',
            'dropout_rate',
        )
    }
    c.update(
        architectures=['T5ForConditionalGeneration'],
        model_type='t5',
        is_encoder_decoder=True,
        tie_word_embeddings=False,
    )
    (folder / 'config.json').write_text(json.dumps(c, indent=2) + '\n')
    (folder / 'generation_config.json').write_text(
        json.dumps(dict(decoder_start_token_id=0, eos_token_id=1, pad_token_id=0), indent=2) + '\n'
    )
    (folder / 'spiece.model').write_bytes((a.out / 'spiece.model').read_bytes())


class Muon:
    """Momentum orthogonalised by five Newton-Schulz steps, the matrices of one shape together."""

    def __init__(s, params, lr, mom=0.95, wd=0.01):
        s.lr = s.lr0 = lr
        s.mom, s.wd = mom, wd
        s.groups = {}
        for n, p in params:
            s.groups.setdefault((p.shape, n.endswith('.q.weight')), []).append(p)
        s.buf = {k: torch.zeros(len(v), *k[0]) for k, v in s.groups.items()}

    @torch.no_grad()
    def step(s):
        for k, ps in s.groups.items():
            g = torch.stack([p.grad for p in ps])
            b = s.buf[k]
            b.lerp_(g, 1 - s.mom)
            x = g.lerp(b, s.mom).bfloat16()
            t = x.shape[1] > x.shape[2]
            if t:
                x = x.transpose(1, 2).contiguous()
            x = x / (x.float().norm(dim=(1, 2), keepdim=True).bfloat16() + 1e-7)
            for _ in range(5):
                A = x @ x.transpose(1, 2)
                B = -4.7750 * A + 2.0315 * A @ A
                x = 3.4445 * x + B @ x
            if t:
                x = x.transpose(1, 2)
            # T5 does not divide the attention's logits by sqrt(d_kv), so the queries learn at a rate smaller by that
            lr = s.lr * max(1, k[0][0] / k[0][1]) ** 0.5 * (cfg.d_kv**-0.5 if k[1] else 1)
            for p, u in zip(ps, x):
                p.mul_(1 - s.lr * s.wd).add_(u.float(), alpha=-lr)


inner = [
    (n, p)
    for n, p in net.named_parameters()
    if p.ndim == 2
    and ('SelfAttention' in n or 'EncDecAttention' in n or 'DenseReluDense' in n)
    and 'relative' not in n
]
muon = Muon(inner, a.muon_lr) if a.opt == 'muon' else None
mine = {id(p) for _, p in inner} if muon else set()
rest = [p for p in net.parameters() if id(p) not in mine]
opt = torch.optim.AdamW(
    [
        dict(params=[p for p in rest if p.ndim > 1], weight_decay=0.01),
        dict(params=[p for p in rest if p.ndim < 2], weight_decay=0.0),
    ],
    lr=0,
    betas=(0.9, 0.98),
    fused=True,
)


def pairs(n):
    """Steps for n examples: two micro-batches each, one of short examples and one of long ones, so that there is little padding and no step sees one task only."""
    rows = [(tk.encode(p) + [1], tk.encode_answer(t) + [1]) for p, t in (data.example(r) for _ in range(n))]
    rows.sort(key=lambda e: len(e[0]) + 1.3 * len(e[1]) + 4 * r.random())
    bs = [rows[i : i + a.batch] for i in range(0, len(rows) - a.batch + 1, a.batch)]
    short, long = bs[: len(bs) // 2], bs[len(bs) // 2 :]
    r.shuffle(short)
    r.shuffle(long)
    return list(zip(short, long))


def pad(xs, v):
    m = max(map(len, xs))
    return torch.tensor([x + [v] * (m - len(x)) for x in xs])


STATE = a.out / 'state.pt'
net.train()
t0 = time.time()
start = t0
end = at(a.until) if a.until else t0 + a.minutes * 60
step = seen = since = 0
ema = None
queue = []
if STATE.exists():  # goes on where it was; the time in between does not count
    z = torch.load(STATE, weights_only=False)
    net.load_state_dict(z['net'])
    opt.load_state_dict(z['opt'])
    step, seen, ema = z['step'], z['seen'], z['ema']
    r.setstate(z['random'])
    if muon:
        muon.buf = z['muon']
    f = z['frac']
    start = end - (end - t0) / max(1 - f, 1e-3)
    print(f'resumed at step {step}, {f:.3f} of the schedule', flush=True)


def keep(f):
    save(a.out / 'checkpoint')
    tmp = STATE.with_suffix('.tmp')
    torch.save(
        dict(
            net=net.state_dict(),
            opt=opt.state_dict(),
            muon=muon and muon.buf,
            step=step,
            seen=seen,
            ema=ema,
            frac=f,
            random=r.getstate(),
        ),
        tmp,
    )
    os.replace(tmp, STATE)


saved = told = t0
seen0 = seen
stopping = at(a.stop) if a.stop else None
while True:
    now = time.time()
    f = (now - start) / (end - start)
    if f >= 1:
        break
    if stopping and now > stopping or (a.out / 'stop').exists():
        keep(f)
        print('stopped', flush=True)
        raise SystemExit
    run.FRAC = f
    if not queue:
        queue = pairs(a.pool if seen else a.pool // 4)
    k = min((since + 1) / a.warm, 1) * (0.5 * (1 + math.cos(math.pi * f)) + 0.002)
    for gr in opt.param_groups:
        gr['lr'] = a.lr * k
    if muon:
        muon.lr = muon.lr0 * k
    micro = queue.pop()
    ntok = sum(len(t) for b in micro for _, t in b)
    opt.zero_grad(set_to_none=False)
    if muon:
        for _, p in inner:
            if p.grad is not None:
                p.grad.zero_()
    total = 0.0
    for b in micro:
        ids = pad([x for x, _ in b], 0)
        lab = pad([y for _, y in b], -100)
        w = (lab != -100).sum().item() / ntok
        with torch.autocast('cpu', dtype=torch.bfloat16):
            loss = net(input_ids=ids, attention_mask=(ids != 0).long(), labels=lab, use_cache=False).loss * w
        loss.backward()
        total += loss.item()
        seen += len(b)
    torch.nn.utils.clip_grad_norm_(rest, 1.0)
    opt.step()
    if muon:
        muon.step()
    step += 1
    since += 1
    ema = total if ema is None else 0.98 * ema + 0.02 * total if step > 50 else total
    now = time.time()
    if now - told > 20:
        print(
            f'{time.strftime("%H:%M:%S")} {f:.3f} step {step} seen {seen} loss {ema:.4f} lr x{k:.3f} {(seen - seen0) / (now - t0):.0f} ex/s cpu {time.process_time() / (now - t0):.2f}',
            flush=True,
        )
        told = now
    if now - saved > 300:
        keep(f)
        saved = now
save(a.out)
keep(1.0)
print(f'done: steps {step}, seen {seen}, loss {ema:.4f}', flush=True)
