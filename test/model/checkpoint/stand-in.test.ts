/** A Git LFS pointer or a web page in place of any file of a folder: said as such. */
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/model/families/checkpoint.ts';
import { readFolderTokenizer, TOKENIZER_FILES } from '../../../src/model/tokenizer/files/folder-tokenizer.ts';
import { fixture, memoryFolder } from './memory.ts';

const text = (value: string) => new TextEncoder().encode(value);
const POINTER = text(`version https://git-lfs.github.com/spec/v1\noid sha256:${'ab'.repeat(32)}\nsize 307867048\n`);
const STAND_INS: [string, Uint8Array, string][] = [
  ['a pointer', POINTER, 'expected the file itself, got a Git LFS pointer to it; run git lfs pull'],
  ['a page', text('<!DOCTYPE html>\n<html lang="en"><head>'), 'got a web page (HTML); download it anew'],
  ['a page after a mark and space', text('\ufeff \r\n<HTML><body>Sign in'), 'got a web page (HTML); download it anew'],
  [
    'an answer in XML',
    text('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
    "got a server's answer in XML",
  ],
];
const CHECKPOINT = ['config.json', 'generation_config.json', 'model.safetensors'];

describe.each(STAND_INS)('%s', (_, bytes, message) => {
  it.each([...CHECKPOINT, 'model.safetensors.index.json', 'model-00001-of-00001.safetensors'])(
    'as %s',
    async (name) => {
      const isShard = name.startsWith('model-') || name.endsWith('index.json');
      const files: Record<string, Uint8Array | object> = Object.fromEntries(
        CHECKPOINT.filter((file) => !isShard || file !== 'model.safetensors').map((file) => [
          file,
          fixture(`t5/flan-a/${file}`),
        ]),
      );
      files['model.safetensors.index.json'] = { weight_map: { 'shared.weight': 'model-00001-of-00001.safetensors' } };
      files[name] = bytes;
      await expect(openCheckpoint(memoryFolder(files), 'x')).rejects.toThrow(`${name}: `);
      await expect(openCheckpoint(memoryFolder(files), 'x')).rejects.toThrow(message);
    },
  );

  it.each(TOKENIZER_FILES)('as %s', (name) => {
    const files = { 'spiece.model': fixture('tokenizer/dummy.model'), [name]: bytes };
    expect(() => readFolderTokenizer(files, undefined)).toThrow(`${name}: `);
    expect(() => readFolderTokenizer(files, undefined)).toThrow(message);
  });
});
