"""
20 steps by Python's icp-py-core 2.3, unmodified. Started by run.ts, which says with what.
It verifies certificates by the Python binding of blst, which is not on PyPI; where there is none, certificates go unverified, which is said.
Rust's steps verify them.
"""

import os
import time

from icp_agent.agent import Agent
from icp_agent.client import Client
from icp_canister.canister import Canister
from icp_identity.identity import DelegateIdentity, Identity
from icp_principal import Principal
import icp_agent.agent as wire

try:
    import blst  # noqa: F401: looked for, used by the library

    VERIFIES = True
except ImportError:
    VERIFIES = False
    print('no blst for Python: certificates are not verified')

URL, CANISTER = os.environ['REPLICA_URL'], os.environ['CANISTER_ID']
ROOT_KEY = bytes.fromhex(os.environ['ROOT_KEY'])
PROMPT, ANSWER = 'opposite of hot:', 'cold'


class OurAgent(Agent):
    """Of this replica's root key."""

    def __init__(self, identity):
        super().__init__(identity, Client(url=URL), root_key=ROOT_KEY, verify_query_signatures=VERIFIES)

    def update_raw(self, *args, **kwargs):
        return super().update_raw(*args, **{**kwargs, 'verify_certificate': VERIFIES})

    def read_state_raw(self, *args, **kwargs):
        return super().read_state_raw(*args, **{**kwargs, 'verify_certificate': VERIFIES})


def canister(identity):
    agent = OurAgent(identity)
    return Canister(agent, CANISTER, auto_fetch_candid=True)


anonymous = canister(Identity(anonymous=True))
ed25519 = canister(Identity(type='ed25519'))
secp256k1 = canister(Identity(type='secp256k1'))


def value(result):
    """What a method answered: the library gives a list of values with their types."""
    (only,) = result
    return only['value']


def ok(result):
    answer = value(result)
    assert 'Ok' in answer, answer
    return answer['Ok']


def err(result, kind, words):
    told = value(result)['Err']
    assert kind in told and words in str(told[kind]), told


def fails(work, words):
    try:
        got = work()
    except Exception as error:  # whatever the library throws: its text has to say why
        assert words in str(error), error
        return
    raise AssertionError(f'expected an error with {words!r}, got {got!r}')


OPTIONS = [
    'bad_words_ids', 'begin_suppress_tokens', 'decoder_start_token_id', 'do_sample', 'early_stopping', 'eos_token_id',
    'forced_bos_token_id', 'forced_eos_token_id', 'length_penalty', 'max_new_tokens', 'min_new_tokens',
    'no_repeat_ngram_size', 'num_beams', 'repetition_penalty', 'seed', 'special_tokens', 'suppress_tokens',
    'temperature', 'tokens_per_call', 'top_k', 'top_p',
]  # fmt: skip


def options(**given):
    return {name: [given[name]] if name in given else [] for name in OPTIONS}


def delegated():
    """An identity that another one lets speak for it for a minute."""
    owner, session = Identity(type='ed25519'), Identity(type='ed25519')
    delegation = {'pubkey': session.der_pubkey, 'expiration': time.time_ns() + 60_000_000_000}
    _, signature = owner.sign(b'\x1aic-request-auth-delegation' + wire.to_request_id(delegation))
    chain = {'delegations': [{'delegation': delegation, 'signature': signature}], 'publicKey': owner.der_pubkey}
    return owner, DelegateIdentity(session, chain)


session = ''


def starts():
    global session
    session = ok(ed25519.start(PROMPT, []))


def finishes():
    for _ in range(100):
        told = ok(ed25519.progress(session, 0))
        if 'finished' in told['state']:
            return
        time.sleep(0.1)
    raise AssertionError(told)


def metadata():
    path = [b'canister', Principal.from_str(CANISTER).bytes, b'metadata', b'candid:service']
    assert b'generate : (text)' in ed25519.agent.read_state_raw(CANISTER, [path]).lookup(path)


def speaks_for_its_owner():
    owner, identity = delegated()
    one = canister(identity)
    assert ok(one.generate(PROMPT))['text'] == ANSWER
    assert len(ok(canister(owner).list([]))) == 1


def same(result):
    assert ok(result)['text'] == ANSWER, result


def makes_one(result):
    assert ok(result)['output_tokens'] == 1, result


STEPS = [
    ('metadata, certified', metadata),
    ('query, anonymous', lambda: value(anonymous.models())),
    ('query, Ed25519', lambda: value(ed25519.settings())),
    ('query, secp256k1', lambda: value(secp256k1.status())),
    ('update, anonymous', lambda: same(anonymous.generate(PROMPT))),
    ('update, Ed25519', lambda: same(ed25519.generate(PROMPT))),
    ('update, secp256k1', lambda: same(secp256k1.generate(PROMPT))),
    ('update with options', lambda: makes_one(ed25519.generate_with(PROMPT, options(max_new_tokens=1)))),
    ('query that generates', lambda: same(ed25519.generate_query(PROMPT, []))),
    ('a session begins', starts),
    ('a session is followed to its end', finishes),
    ('a session of others is not there', lambda: err(secp256k1.cancel(session), 'NoSuchSession', 'session')),
    ('sessions are listed', lambda: ok(ed25519.list([]))[0]['model']),
    ('a session is deleted', lambda: ok(ed25519.delete(session))),
    ('an empty prompt is refused in words', lambda: err(ed25519.generate(''), 'EmptyPrompt', 'expected a prompt')),
    ('a long prompt is refused in words', lambda: err(ed25519.generate('x' * 9_000), 'PromptTooLong', '8192')),
    (
        'a stranger who would be an admin is refused before the call is queued',
        lambda: fails(lambda: ed25519.set_role(Principal.from_str('aaaaa-aa'), [{'admin': None}]), 'expected a controller'),
    ),
    ('a delegation speaks for its owner', speaks_for_its_owner),
    ('an unknown method', lambda: fails(lambda: ed25519.agent.update(CANISTER, 'nope'), 'nope')),
    ('arguments of another type', lambda: fails(lambda: ed25519.agent.update(CANISTER, 'generate'), 'generate')),
]

failed = 0
for what, step in STEPS:
    try:
        step()
        print(f'ok    {what}')
    except Exception as error:
        failed += 1
        print(f'wrong {what}: {type(error).__name__}: {error}')
print(f'{len(STEPS) - failed} passed, {failed} failed')
raise SystemExit(failed > 0)
