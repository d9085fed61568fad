/**
 * A token that was added to a tokenizer beside its pieces: found in a text before it is cut up, one id. Names are
 * transformers' (AddedToken).
 */
export interface AddedToken {
  id: number;
  content: string;
  /** Taken for what it is where that is asked for, and never shown; other tokens always and in every answer. */
  special: boolean;
  /** Sought in normalised text, and normalised itself. */
  normalized: boolean;
  /** Takes the spaces before it, behind it. */
  lstrip: boolean;
  rstrip: boolean;
  /** Not within a word. */
  singleWord: boolean;
}
