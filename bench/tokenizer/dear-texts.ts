/** Texts that might be dear to tokenize: for the bench, and for the test that holds them against their bound. */
/**
 * What a text that is dear to tokenize may consist of, over and over: what maps make longer, tries long to walk, what
 * is unknown, what has no end of a word.
 */
export const KINDS: Record<string, string> = {
  'one word of a letter': 'a',
  'one word of all letters': 'qjzxkvbwpygufmcdlhrsniotae',
  spaces: ' ',
  'words of a letter': 'a ',
  'tabs and no-break spaces': '\t\u00a0',
  'U+FDFA, 18 characters by NFKC': '\ufdfa',
  'U+FDFA and spaces': '\ufdfa ',
  'U+3316, six katakana by NFKC': '\u3316',
  'U+33FF, square units': '\u33ff\u33fa\u3318',
  'U+FB03 ligatures': '\ufb03',
  'combining marks alone': '\u0301',
  'a letter and 30 combining marks': `a${'\u0301'.repeat(30)}`,
  'Hangul jamo': '\u1112\u1161\u11ab',
  'emoji, unknown': '\u{1f600}',
  'CJK, unknown': '\u6f22\u5b57',
  'unknown and known by turns': '\u6f22a',
  'lone surrogates': '\ud800',
  NUL: '\0',
  'space symbols': '\u2581',
  'zero-width characters': '\u200b\u200d\ufeff',
  'names of control pieces': '</s><pad><unk><extra_id_0>',
};

/** What a prompt has at most. */
const CHARACTERS = 8192;

export const textOf = (part: string): string => part.repeat(Math.ceil(CHARACTERS / part.length)).slice(0, CHARACTERS);
