/** The card of a data set: YAML by which the hub finds the files, then what a person wants to know. */

import { groupBy } from '../group-by.ts';
import type { ExportFormat } from './export-sft.ts';

export interface CardFile {
  stage: string;
  split: 'train' | 'dev';
  rows: number;
  /** Relative to the card. */
  file: string;
}

const SHAPES: Record<ExportFormat, string> = {
  parquet: 'Parquet; `prompt` and `completion` are lists of chat messages, as TRL reads them',
  'prompt-completion': 'JSON Lines; `prompt` and `completion` are lists of chat messages, as TRL reads them',
  'chat-jsonl': 'JSON Lines of `messages`, as fine-tuning APIs read them',
  sharegpt: 'ShareGPT `conversations`; dataset_info.json tells LLaMA-Factory how to read them',
};

/** The hub's name of each split. */
const HUB_SPLITS = { train: 'train', dev: 'validation' } as const;

/** README.md of a data set; one configuration a stage. */
export function dataCard(files: readonly CardFile[], format: ExportFormat, source: string): string {
  const configs = [...groupBy(files, ({ stage }) => stage)].map(([stage, ofStage]) => {
    const paths = ofStage.map(({ split, file }) => `  - split: ${HUB_SPLITS[split]}\n    path: ${file}`);
    return `- config_name: ${stage}\n  data_files:\n${paths.join('\n')}`;
  });
  const rows = files.map(({ stage, split, rows, file }) => `| ${stage} | ${split} | ${rows} | ${file} |`);
  return `---
tags: [distillation, sft, mga-distill]
task_categories: [text-generation]
configs:
${configs.join('\n')}
---

# Training samples distilled from a labeler

Made by mga-distill from ${source}. ${SHAPES[format]}.

| stage | split | rows | file |
|---|---|---|---|
${rows.join('\n')}

The answers were written by a language model; its provider's terms apply to their use.
`;
}
