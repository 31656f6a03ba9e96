/** Which samples each optimizer step sees: fixed before the first step, a function of the seed alone. */

import { packSequences, type TokenSequence } from '../engine/pack.ts';
import { randomStream } from '../foundation/random.ts';

export interface StepPlanSettings {
  readonly epochs: number;
  readonly samplesPerStep: number;
  readonly maxSteps?: number | undefined;
}

/**
 * Steps as lists of sample indices. A document's samples stay together, because they share their prefix; those of a document
 * that has more than `samplesPerStep` are parted evenly, into as few steps as can take them. Each epoch shuffles these parts,
 * and a step takes whole ones for as long as it has at most `samplesPerStep` samples: rather more steps than larger ones, as
 * the same samples teach more in them (docs/log.md).
 *
 * @param documents the document of each sample
 */
export function planSteps(documents: readonly string[], settings: StepPlanSettings, seed: number): number[][] {
  const parts = documentParts(documents, settings.samplesPerStep);
  const steps: number[][] = [];
  const wanted = Math.max(1, Math.round(settings.epochs * documents.length));
  let seen = 0;
  for (let epoch = 0; seen < wanted; epoch++) {
    let step: number[] = [];
    for (const part of randomStream(seed, 'epoch', epoch).shuffle([...parts])) {
      if (step.length > 0 && step.length + part.length > settings.samplesPerStep) {
        steps.push(step);
        step = [];
      }
      step.push(...part);
      seen += part.length;
      if (seen >= wanted) break;
    }
    if (step.length > 0) steps.push(step);
  }
  return steps.slice(0, settings.maxSteps);
}

/** The samples of each document, in parts of at most `most`. */
function documentParts(documents: readonly string[], most: number): number[][] {
  const byDocument = new Map<string, number[]>();
  for (const [i, document] of documents.entries()) {
    const samples = byDocument.get(document);
    if (samples) samples.push(i);
    else byDocument.set(document, [i]);
  }
  return [...byDocument.values()].flatMap((samples) => {
    const count = Math.ceil(samples.length / most);
    const bounds = Array.from({ length: count + 1 }, (_, i) => Math.round((i * samples.length) / count));
    return bounds.slice(1).map((end, i) => samples.slice(bounds[i]!, end));
  });
}

/**
 * Tokens of a pass through the model before sharing. Documents share nothing, so that larger passes only cost memory; much
 * smaller ones would run graphs of few rows.
 */
export const PASS_TOKENS = 3072;

/**
 * Cuts a step into passes through the model: whole documents while they stay under `passTokens`. A document is never
 * split, however long, as its samples share their prefix.
 *
 * @param samples of one step, those of a document side by side
 * @param documents the document of each sample of the data set
 * @param lengths its tokens
 */
export function planPasses(
  samples: readonly number[],
  documents: readonly string[],
  lengths: readonly number[],
  passTokens: number,
): number[][] {
  const passes: number[][] = [];
  let pass: number[] = [];
  let tokens = 0;
  for (let i = 0; i < samples.length; ) {
    let end = i;
    let size = 0;
    while (end < samples.length && documents[samples[end]!] === documents[samples[i]!])
      size += lengths[samples[end++]!]!;
    if (pass.length > 0 && tokens + size > passTokens) {
      passes.push(pass);
      pass = [];
      tokens = 0;
    }
    pass.push(...samples.slice(i, end));
    tokens += size;
    i = end;
  }
  if (pass.length > 0) passes.push(pass);
  return passes;
}

/** Rows of the largest pass of a training, after prefixes are shared. */
export function largestPass(
  samples: readonly (TokenSequence & { readonly docId: string })[],
  settings: StepPlanSettings,
  seed: number,
): number {
  const documents = samples.map(({ docId }) => docId);
  const lengths = samples.map(({ tokens }) => tokens.length);
  // The same documents meet in many epochs.
  const rows = new Map<string, number>();
  for (const step of planSteps(documents, settings, seed)) {
    for (const pass of planPasses(step, documents, lengths, PASS_TOKENS)) {
      const key = pass.join();
      if (!rows.has(key)) rows.set(key, packSequences(pass.map((i) => samples[i]!)).rows);
    }
  }
  return [...rows.values()].reduce((most, n) => Math.max(most, n), 0);
}
