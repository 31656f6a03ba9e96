/** Which samples each optimizer step sees: fixed before the first step, a function of the seed alone. */

import { packSequences, type TokenSequence } from '../engine/pack.ts';
import { randomStream } from '../foundation/random.ts';

export interface StepPlanSettings {
  readonly epochs: number;
  readonly samplesPerStep: number;
  readonly maxSteps?: number | undefined;
}

/**
 * Steps as lists of sample indices. Each epoch shuffles the documents; a document's samples stay together, because they
 * share their prefix; a step takes whole documents until it has `samplesPerStep` samples.
 *
 * @param documents the document of each sample
 */
export function planSteps(documents: readonly string[], settings: StepPlanSettings, seed: number): number[][] {
  const byDocument = new Map<string, number[]>();
  for (const [i, document] of documents.entries()) {
    const samples = byDocument.get(document);
    if (samples) samples.push(i);
    else byDocument.set(document, [i]);
  }
  const steps: number[][] = [];
  const wanted = Math.max(1, Math.round(settings.epochs * documents.length));
  let seen = 0;
  for (let epoch = 0; seen < wanted; epoch++) {
    let step: number[] = [];
    for (const document of randomStream(seed, 'epoch', epoch).shuffle([...byDocument.keys()])) {
      const samples = byDocument.get(document)!;
      step.push(...samples);
      seen += samples.length;
      if (step.length >= settings.samplesPerStep) {
        steps.push(step);
        step = [];
      }
      if (seen >= wanted) break;
    }
    if (step.length > 0) steps.push(step);
  }
  return steps.slice(0, settings.maxSteps);
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
