// What the TypeScript faces of the tokenizers and their AssemblyScript agree on: commands in a mailbox
// (src/tensor/assembly/protocol.ts has its frame), the record that a command's payload begins with, and where the
// tables of a unigram tokenizer lie. Plain integer constants only, so that both compilers read this one file.

/** Commands from here on, up to LAST_COMMAND, are these, not the kernels'. */
export const FIRST_COMMAND = 32;
/** encode(tables): text -> ids, or as far as ROOM, MOST_IDS and MOST_STEPS allow */
export const COMMAND_UNIGRAM_ENCODE = 32;
/** normalize(tables): text -> normalised text in the window */
export const COMMAND_UNIGRAM_NORMALIZE = 33;
/** decode(tables): ids -> UTF-8 */
export const COMMAND_UNIGRAM_DECODE = 34;
/** check(): tables, which are the input -> what is wrong with them */
export const COMMAND_UNIGRAM_CHECK = 35;
/** The same of a byte-level BPE tokenizer. */
export const COMMAND_BPE_ENCODE = 36;
export const COMMAND_BPE_DECODE = 37;
export const COMMAND_BPE_CHECK = 38;
export const LAST_COMMAND = 63;

// --- the payload of a command ------------------------------------------------------------------------------
//
//   record, RECORD_BYTES | input, at a multiple of 4 | output | work
//
// Words of the record. A command reads the first ones and writes the last ones.
export const RECORD_BYTES = 64;
/** Bytes of the input: UTF-8 to encode, u32 ids to decode. */
export const INPUT_BYTES = 0;
/** encode: most ids; decode: most bytes. */
export const OUTPUT_MOST = 1;
/** Bytes of the work room. */
export const WORK_BYTES = 2;
/** Most steps along tries, in thousands; 0 for any number. */
export const MOST_STEPS = 3;
/** decode: 1 where no text has come before. Written as well. */
export const AT_START = 4;
/**
 * encode by BPE: 1 where the texts of special tokens are these, not ordinary text. decode: 1 to leave special tokens
 * out.
 */
export const SPECIAL = 5;
/** encode by BPE: bits of what kind of text it is, IS_PART and the others. */
export const PART = 6;
/** Ids or bytes put out. check: the place of what is wrong. */
export const COUNT = 8;
/** Steps along tries that it took, in thousands. */
export const STEPS = 9;

// --- results of a command (the mailbox's RESULT word) ------------------------------------------------------
export const DONE = 0;
/** More output than OUTPUT_MOST; what there was room for is there. */
export const TOO_MUCH = 1;
/** The work room is too small for this input: again with twice as much. */
export const NEEDS_ROOM = 2;
/** More than MOST_STEPS. */
export const TOO_DEAR = 3;
/** The input is no UTF-8. */
export const NOT_UTF8 = 4;
// check: what is wrong, COUNT saying of which piece or unit it is; in words in
// src/model/tokenizer/unigram/tokenizer-check.ts.
export const FAULT_NUMBER = 16;
export const FAULT_TYPE = 17;
export const FAULT_OFFSETS = 18;
export const FAULT_TEXT = 19;
export const FAULT_LENGTH = 20;
export const FAULT_BYTE = 21;
export const FAULT_SPECIAL = 22;
export const FAULT_CUT = 23;
export const FAULT_TRIE_RANGE = 24;
export const FAULT_TRIE_SHARED = 25;
export const FAULT_TRIE_KEY = 26;
export const FAULT_TRIE_LOOSE = 27;
export const FAULT_TRIE_COUNT = 28;
export const FAULT_MAP_RANGE = 29;
export const FAULT_MAP_CYCLE = 30;
export const FAULT_MAP_TEXT = 31;
export const FAULT_FLAGS = 32;

export const FAULT_MERGE = 33;
export const FAULT_SLOT = 34;
export const FAULT_CLASS = 35;
export const FAULT_ADDED = 36;
/** Bytes of work that a check needs for each unit of a trie. */
export const CHECK_WORK = 9;

// --- the tables of a unigram tokenizer: src/model/tokenizer/unigram/tokenizer-data.ts ------------------------------
// Words of the head; then come the lengths of the sections.
export const UNIGRAM_FLAGS = 3;
export const UNIGRAM_SIZE = 4;
export const UNIGRAM_UNK = 5;
export const UNIGRAM_EOS = 6;
export const UNIGRAM_UNK_SCORE = 7;
export const UNIGRAM_LENGTHS = 8;
export const UNIGRAM_SECTIONS = 12;
/** Bits of the flags. */
export const ADD_DUMMY_PREFIX = 1;
export const REMOVE_EXTRA_WHITESPACES = 2;
export const ESCAPE_WHITESPACES = 4;
export const WHITESPACE_AS_SUFFIX = 8;
export const BYTE_FALLBACK = 16;
export const PLAIN_ASCII = 32;

/**
 * Of normalised text: a space. No other byte of it is 0x20, as plain spaces become space symbols (or there are no
 * symbols).
 */
export const SPACE_BYTE = 0x20;
/** NUL, which double arrays cannot hold: a byte that is in no UTF-8. */
export const NUL_BYTE = 0xfe;
/** Stands after the text and ends every search. */
export const END_BYTE = 0xff;

// --- the tables of a BPE tokenizer: src/text/bpe/bpe-data.ts ------------------------------------------------
export const BPE_KIND = 3;
export const BPE_SIZE = 4;
export const BPE_MERGES = 5;
export const BPE_FLAGS = 6;
export const BPE_LENGTHS = 8;
export const BPE_SECTIONS = 14;
/** How a text is parted into words before they are merged: the pre-tokenizers of these models. */
export const PRE_GPT2 = 1;
export const PRE_SMOLLM = 2;
export const PRE_LLAMA3 = 3;
export const PRE_QWEN2 = 4;
/**
 * SentencePiece's BPE: a text is one word of characters, a space among them; a character without a piece is its bytes'.
 */
export const PRE_SENTENCEPIECE = 5;
/** Bits of the flags. SentencePiece: a space goes before the whole text, */
export const PREFIX_TEXT = 1;
/** or before each part between added tokens, */
export const PREFIX_PARTS = 2;
/** or, where it does not begin with one, before the whole text, */
export const PREFIX_TEXT_UNLESS = 4;
/** or before each part. */
export const PREFIX_PARTS_UNLESS = 8;
/** An answer's first space is left out. */
export const STRIP_SPACE = 16;
/** Texts are normalised to NFC, which TypeScript does. */
export const NFC = 32;
/** Bits of PART. Not the beginning of a text, */
export const IS_PART = 1;
/** without added tokens that are sought in texts as they are, which were found before, */
export const IS_SPLIT = 2;
/** or these are all that is wanted: from, to and id of each. */
export const SPLIT_ONLY = 4;
/** An added token: its id, and bits of what is known of it. */
export const ADDED_ID = 0xffffff;
export const ADDED_SPECIAL = 1 << 24;
export const ADDED_NORMALIZED = 1 << 25;
export const ADDED_LSTRIP = 1 << 26;
export const ADDED_RSTRIP = 1 << 27;
export const ADDED_SINGLE_WORD = 1 << 28;
/** Bytes of an added token's text at most: what a place of a text may cost. */
export const MOST_ADDED_BYTES = 1024;
/** Classes of a code point: one of these at most, */
export const LETTER = 1;
export const NUMBER = 2;
export const SPACE = 4;
export const KINDS = 7;
/** and whether it is part of a word, as \w of regular expressions has it. */
export const WORD = 8;
/** Blocks of 256 code points up to U+10FFFF. */
export const CLASS_BLOCKS = 4352;
/** Factors of the hash of a pair, and of a word's bytes (FNV-1a). */
export const HASH_LEFT = 0x9e3779b1;
export const HASH_RIGHT = 0x85ebca77;
export const FNV_BASIS = 0x811c9dc5;
export const FNV_PRIME = 0x01000193;
