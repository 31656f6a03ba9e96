/** Texts that are judged besides the teacher's reformulations: what local judges are fitted on and measured with. */

import { z } from 'zod';
import { readJsonLines } from './json-lines.ts';

const judgeTextRow = z.object({
  id: z.string().min(1),
  doc_id: z.string().min(1),
  text: z.string(),
  kind: z.string(),
  model: z.string().optional(),
});

export interface JudgeText {
  id: string;
  /** The document the text is judged against; for planted mismatches not the one it was made from. */
  docId: string;
  text: string;
  /** `strict`, `relaxed`, `flawed`, `mismatch`, `student`, or a kind of the user's own. */
  kind: string;
  /** Who wrote it, where known. */
  model?: string;
}

/** The rows of a judge-texts file whose document is one of `documents`. No file gives none. */
export async function readJudgeTexts(
  path: string | undefined,
  documents: ReadonlyMap<string, unknown>,
): Promise<JudgeText[]> {
  if (path === undefined) return [];
  const texts: JudgeText[] = [];
  for await (const { id, doc_id, text, kind, model } of readJsonLines(path, judgeTextRow)) {
    if (!documents.has(doc_id)) continue;
    texts.push({ id, docId: doc_id, text, kind, ...(model === undefined ? {} : { model }) });
  }
  return texts;
}
