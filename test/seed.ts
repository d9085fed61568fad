/**
 * Properties draw the same cases in every run, so that a run that passed passes again. SEED asks for others;
 * a failure names its seed.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['SEED'] ?? 2026) });
