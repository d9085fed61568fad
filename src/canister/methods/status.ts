/** What the canister has and does, for whoever asks. */
import { canisterCycleBalance, dataCertificate, inReplicatedExecution } from 'azle';
import type { ModelCertificate, ModelInfo, Status, TokenCount } from '../../interface/llm.did.ts';
import { maxPromptCharacters, TOKENIZER_STEPS } from '../../interface/prompt-limit.ts';
import { sizesOf } from '../../model/families/registry.ts';
import { packShape } from '../../model/pack/pack.ts';
import { type Opt, some } from '../candid/opt.ts';
import { modelWitness } from '../certification/certified.ts';
import { activeModel } from '../model/model.ts';
import { keptOfPrompts } from '../model/prefixes.ts';
import { arena } from '../runtime/unit.ts';
import { sessionCounts } from '../sessions/sessions.ts';
import { candid } from './methods.ts';

export class StatusMethods {
  /** The model that answers, if there is one. Query; everyone. */
  @candid()
  model_info(): Opt<ModelInfo> {
    const model = activeModel();
    if (!model) return [];
    const { head, stored, ready } = model;
    const { limits } = model;
    const sizes = sizesOf(packShape(head));
    return [
      {
        name: head.name,
        sha256: stored.sha256,
        bytes: BigInt(stored.bytes),
        weights: head.weights,
        vocabulary_size: head.config.vocabularySize,
        d_model: sizes.width,
        encoder_layers: sizes.encoderLayers,
        decoder_layers: sizes.decoderLayers,
        max_prompt_tokens: limits.promptTokens,
        max_new_tokens: limits.newTokens,
        not_applied: head.generation.notApplied,
        ready,
        about: some(head.about),
        chats: [head.chat !== undefined],
        streamed_bytes: [BigInt(model.languageModel.weights.streamedBytes)],
      },
    ];
  }

  /**
   * How many tokens a prompt is, so that one that is too long can be seen before it is sent. None while there is no
   * model in memory, for a text that is refused unread, and where it is called as an update, which would cost up to a
   * billion instructions. Query; everyone.
   */
  @candid()
  count_tokens(prompt: string): Opt<TokenCount> {
    const model = activeModel();
    if (inReplicatedExecution() || !model?.ready) return [];
    if (prompt.length > maxPromptCharacters(model.limits.promptTokens)) return [];
    const ids = model.tokenizer.encodeUpTo(prompt, Number.POSITIVE_INFINITY, { thousandSteps: TOKENIZER_STEPS });
    return ids ? [{ tokens: ids.length, limit: model.limits.promptTokens }] : [];
  }

  /**
   * The SHA-256 of the pack that answers, with the certificate for the canister's certified data and the hash tree
   * (certified.ts) whose root that is, pruned to `model`: whoever checks both knows the model without trusting the node
   * that answered. Query; everyone.
   */
  @candid()
  model_certificate(): ModelCertificate {
    return {
      sha256: activeModel()?.stored.sha256 ?? '',
      certificate: some(dataCertificate()),
      tree: some(modelWitness()),
    };
  }

  /** Counts and sizes. Query; everyone. */
  @candid()
  status(): Status {
    const { all, active, queued } = sessionCounts();
    const kept = keptOfPrompts();
    return {
      model: some(activeModel()?.head.name),
      sessions: all,
      generating: active,
      queued,
      embeddings: kept.count,
      embedding_bytes: BigInt(kept.bytes),
      embedding_hits: BigInt(kept.hits),
      embedding_misses: BigInt(kept.misses),
      arena_bytes: BigInt(arena.grown),
      cycles: canisterCycleBalance(),
    };
  }
}
