"""Puts a trained checkpoint one folder up, as the model that Stepwise ships, with what tests and docs know of it.

Run: python bundle.py CHECKPOINT -> in the folder above model.safetensors (float16), config.json,
generation_config.json, spiece.model; expected.json: what Hugging Face transformers answers (float32 of that file,
greedy), the apples question first, then the first 59 of the held-out split that it has right; questions.tsv: 300 of
that split with their right answers (npm run quality, test/long/bundled-model-run.ts); and
test/fixtures/choose/little-flan.json, how likely it finds listed answers. A checkpoint that does not say what docs and
tests show (SAID) is refused, and nothing is written.
"""

import json, pathlib, random, shutil, subprocess, sys
import sentencepiece, torch, transformers
from safetensors.torch import load_file, save_file
from transformers import T5Config, T5ForConditionalGeneration
import make_data as data

MODEL = pathlib.Path(__file__).resolve().parent.parent
CHOOSE = MODEL.parent.parent / 'test/fixtures/choose'
EXPECTED, QUESTIONS = 60, 300
# what README, docs and tests ask it and show the answer of
SAID = {
    data.APPLES: data.apples(None)[1],
    'opposite of hot:': 'cold',
    'what is the opposite of hot?': 'cold',
    'What is the capital of France?': 'paris',
}
# what the normaliser folds, drops and leaves; a rule may have nothing for its replacement
TEXTS = [
    "What's the capital of France?", 'WHAT’S “THIS”?!', "?!'", '', ' ', "what's", '...what', 'a.b,c;d:e(f)g',
    '5 × 3 − 2 ÷ 1', '12-7', 'café naïve', 'cafe\u0301 n\u0303', '\u0301a', 'a\u0301\u0302\u0303b',
    'straße Æon Øre', 'Ｗｈａｔ １２？', 'a\u200bb\ufe0fc', 'a\xa0b\tc\nd\r\ne', 'a…b—c–d', 'ẞ Ỹ', 'привет', '北京', '👍🏽 ok',
    'a</s>b<pad>', '▁a▁', '½ kg', '`x´', "''''''''''''''''''''''''''''''''''''''''",
    '????????????????????????????????????????x', 'don’t  stop  ',
]


class Model:
    """transformers' T5 with the float16 weights of a checkpoint as float32."""

    def __init__(self, checkpoint):
        torch.set_num_threads(1)
        self.weights = {k: v.half() for k, v in load_file(checkpoint / 'model.safetensors').items()}
        self.net = T5ForConditionalGeneration(T5Config(**json.loads((checkpoint / 'config.json').read_text()))).eval()
        found = {k: v.float() for k, v in self.weights.items()}
        # newer versions tie a head that the file has apart
        self.net.lm_head.weight = torch.nn.Parameter(found['lm_head.weight'].clone())
        self.net.load_state_dict(found, strict=False)
        assert not torch.equal(self.net.lm_head.weight, self.net.shared.weight)
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(checkpoint / 'spiece.model'))

    def ask(self, prompt):
        prompt_ids = self.pieces.encode(prompt) + [1]
        with torch.no_grad():
            ids = self.net.generate(torch.tensor([prompt_ids]), max_new_tokens=100, do_sample=False)[0].tolist()[1:]
        return dict(prompt=prompt, prompt_ids=prompt_ids, ids=ids, text=self.pieces.decode([i for i in ids if i > 1]))


def held_out(r):
    return data.sample(r, 'test')[1:]


def expected(model):
    r = random.Random(1)
    cases = [model.ask(data.APPLES)]
    asked = 1
    while len(cases) < EXPECTED:
        prompt, answer = held_out(r)
        asked += 1
        case = model.ask(prompt)
        # where it is unsure, int8 may say something else; no prompt twice
        if case['text'] == answer and all(prompt != known['prompt'] for known in cases):
            cases.append(case)
    made_with = dict(
        transformers=transformers.__version__, torch=torch.__version__, dtype='float32 of the float16 file'
    )
    texts = [dict(text=text, ids=model.pieces.encode(text) + [1]) for text in TEXTS]
    return dict(made_with=made_with, asked=asked, cases=cases, texts=texts)


def main(checkpoint):
    model = Model(checkpoint)
    for prompt, answer in SAID.items():
        said = model.ask(prompt)['text']
        if said != answer:
            sys.exit(f'bundle: expected {answer!r} to {prompt!r}, as docs and tests show it, got {said!r}')
    known = json.dumps(expected(model), ensure_ascii=False, indent=1) + '\n'
    r = random.Random(2)
    lines = ['\t'.join(held_out(r)) for _ in range(QUESTIONS)]
    save_file(model.weights, str(MODEL / 'model.safetensors'), metadata={'format': 'pt'})
    for name in ('config.json', 'generation_config.json', 'spiece.model'):
        shutil.copyfile(checkpoint / name, MODEL / name)
    (MODEL / 'expected.json').write_text(known)
    (MODEL / 'questions.tsv').write_text('\n'.join(lines) + '\n')
    command = [sys.executable, 'make_choose_expected.py', 'little-flan', str(MODEL)]
    chosen = subprocess.run(command, cwd=CHOOSE, check=True, stdout=subprocess.PIPE).stdout
    (CHOOSE / 'little-flan.json').write_bytes(chosen)


if __name__ == '__main__':
    main(pathlib.Path(sys.argv[1]))
