"""Puts a trained checkpoint one folder up, as the model that Stepwise ships, with what tests and docs know of it.

Run: python bundle.py CHECKPOINT -> ../model.safetensors (float16), config.json, generation_config.json,
spiece.model; ../expected.json: what Hugging Face transformers answers (float32 of that file, greedy), the apples
question first, then the first 59 of the held-out split that it has right; ../questions.tsv: 300 of that split with their right answers (npm run
quality, test/long/bundled-model-run.ts).
"""

import json, pathlib, random, shutil, sys
import sentencepiece, torch, transformers
from safetensors.torch import load_file, save_file
from transformers import T5Config, T5ForConditionalGeneration
import make_data as data
from make_data import APPLES

MODEL = pathlib.Path(__file__).parent.parent
EXPECTED, QUESTIONS = 60, 300
# what the normaliser folds, drops and leaves; a rule may have nothing for its replacement
TEXTS = [
    "What's the capital of France?", 'WHAT’S “THIS”?!', "?!'", '', ' ', "what's", '...what', 'a.b,c;d:e(f)g',
    '5 × 3 − 2 ÷ 1', '12-7', 'café naïve', 'cafe\u0301 n\u0303', '\u0301a', 'a\u0301\u0302\u0303b',
    'straße Æon Øre', 'Ｗｈａｔ １２？', 'a\u200bb\ufe0fc', 'a\xa0b\tc\nd\r\ne', 'a…b—c–d', 'ẞ Ỹ', 'привет', '北京', '👍🏽 ok',
    'a</s>b<pad>', '▁a▁', '½ kg', '`x´', "''''''''''''''''''''''''''''''''''''''''",
    '????????????????????????????????????????x', 'don’t  stop  ',
]


def main(checkpoint):
    weights = {k: v.half() for k, v in load_file(checkpoint / 'model.safetensors').items()}
    save_file(weights, str(MODEL / 'model.safetensors'), metadata={'format': 'pt'})
    for name in ('config.json', 'generation_config.json', 'spiece.model'):
        shutil.copyfile(checkpoint / name, MODEL / name)
    (MODEL / 'expected.json').write_text(json.dumps(expected(), ensure_ascii=False, indent=1) + '\n')
    r = random.Random(2)
    lines = ['\t'.join(held_out(r)) for _ in range(QUESTIONS)]
    (MODEL / 'questions.tsv').write_text('\n'.join(lines) + '\n')


def held_out(r):
    return data.sample(r, 'test')[1:]


def expected():
    torch.set_num_threads(1)
    net = T5ForConditionalGeneration(T5Config(**json.loads((MODEL / 'config.json').read_text()))).eval()
    found = {k: v.float() for k, v in load_file(MODEL / 'model.safetensors').items()}
    net.lm_head.weight = torch.nn.Parameter(found['lm_head.weight'].clone())
    net.load_state_dict(found, strict=False)
    assert not torch.equal(net.lm_head.weight, net.shared.weight)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(MODEL / 'spiece.model'))
    r = random.Random(1)
    cases = []
    asked = 0
    while len(cases) < EXPECTED:
        prompt, answer = held_out(r) if cases else data.apples(r)
        asked += 1
        prompt_ids = pieces.encode(prompt) + [1]
        with torch.no_grad():
            ids = net.generate(torch.tensor([prompt_ids]), max_new_tokens=100, do_sample=False)[0].tolist()[1:]
        text = pieces.decode([i for i in ids if i > 1])
        # where it is unsure, int8 may say something else
        if text == answer:
            cases.append(dict(prompt=prompt, prompt_ids=prompt_ids, ids=ids, text=text))
    made_with = dict(
        transformers=transformers.__version__, torch=torch.__version__, dtype='float32 of the float16 file'
    )
    texts = [dict(text=text, ids=pieces.encode(text) + [1]) for text in TEXTS]
    return dict(made_with=made_with, asked=asked, cases=cases, texts=texts)


main(pathlib.Path(sys.argv[1]))
