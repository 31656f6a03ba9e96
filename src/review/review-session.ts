/** One person's review: what is shown, what was rated, and the way of a rating into the ledger. */

import { sha256 } from '../foundation/hash.ts';
import type { Score } from '../stage/judge.ts';
import type { SourceDocument } from '../stage/stage.ts';
import { currentRatings } from '../store/current-ratings.ts';
import type { RatingLine } from '../store/ledger-lines.ts';
import type { ReviewOutput } from './review-outputs.ts';

/** More texts beside a document do not fit a laptop. */
const TEXTS_A_SCREEN = 2;

/** What the page is given: nothing in it says who wrote a text or what the judge thought of it. */
export interface ReviewView {
  documents: Record<string, { title: string; text: string }>;
  screens: { document: string; genre: string; audience: string; texts: { id: string; text: string }[] }[];
}

/** A rating, that the text was passed over, or that a rating is taken back. */
export type Answer = Score | 'skip' | null;

export interface ReviewState {
  total: number;
  /** In the order given, the last one last. */
  answers: [id: string, answer: Exclude<Answer, null>][];
}

export interface ReviewSettings {
  sample: readonly ReviewOutput[];
  documents: ReadonlyMap<string, SourceDocument>;
  rater: string;
  seed: number;
  /** What the ledger holds from before. */
  earlier: readonly RatingLine[];
  /** Resolves when the line is on disk. */
  append(line: RatingLine): Promise<void>;
}

export class ReviewSession {
  readonly view: ReviewView;
  readonly #settings: ReviewSettings;
  readonly #outputs: ReadonlyMap<string, ReviewOutput>;
  readonly #answers = new Map<string, Exclude<Answer, null>>();
  /** Writes one after the other, so that the ledger holds ratings in the order the answers below were set. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(settings: ReviewSettings) {
    const { sample, seed, rater, earlier } = settings;
    this.#settings = settings;
    const idOf = ({ key }: Pick<ReviewOutput, 'key'>) => sha256(`${seed}\u0000${key}`).slice(0, 16);
    this.#outputs = new Map(sample.map((output) => [idOf(output), output]));
    const byKey = new Map([...this.#outputs].map(([id, { key }]) => [key, id]));
    const own = currentRatings(earlier.filter((line) => line.rater === rater));
    const known = [...own].flatMap(([key, byRater]) => {
      const [id, line] = [byKey.get(key), byRater.get(rater)!];
      return id === undefined ? [] : [{ id, answer: line.score ?? ('skip' as const), at: line.at }];
    });
    for (const { id, answer } of known.sort((a, b) => (a.at < b.at ? -1 : 1))) this.#answers.set(id, answer);
    this.view = { documents: this.#documents(), screens: this.#screens() };
  }

  get state(): ReviewState {
    return { total: this.#outputs.size, answers: [...this.#answers] };
  }

  has(id: string): boolean {
    return this.#outputs.has(id);
  }

  /** Writes an answer down. One that stands already, as when a page sends it twice, is not written again. */
  async answer(id: string, answer: Answer): Promise<void> {
    const output = this.#outputs.get(id);
    if (output === undefined) throw new Error(`No output ${id} in this review`);
    const write = this.#writing.then(async () => {
      if ((this.#answers.get(id) ?? null) === answer) return;
      await this.#settings.append(this.#lineOf(output, answer));
      this.#answers.delete(id);
      if (answer !== null) this.#answers.set(id, answer);
    });
    this.#writing = write.catch(() => undefined);
    await write;
  }

  /** When all that was sent is on disk, or has failed. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  #lineOf({ key, stage, docId, item, arm, model }: ReviewOutput, answer: Answer): RatingLine {
    return {
      type: 'rating',
      key,
      stage,
      docId,
      item,
      arm,
      model,
      score: answer === 'skip' ? null : answer,
      ...(answer === 'skip' && { skipped: true }),
      rater: this.#settings.rater,
      at: new Date().toISOString(),
    };
  }

  #documents(): ReviewView['documents'] {
    const ids = new Set([...this.#outputs.values()].map(({ docId }) => docId));
    return Object.fromEntries(
      [...ids].map((id) => {
        const { title, text } = this.#settings.documents.get(id)!;
        return [id, { title: title ?? id, text }];
      }),
    );
  }

  /** Texts of one input together, in an order that says nothing of who wrote them. */
  #screens(): ReviewView['screens'] {
    const byInput = new Map<string, [id: string, output: ReviewOutput][]>();
    for (const entry of this.#outputs) {
      const together = byInput.get(entry[1].item) ?? [];
      byInput.set(entry[1].item, together);
      together.push(entry);
    }
    return [...byInput.values()].flatMap((together) => {
      // Ids are hashes: their order is random, and the same when the review goes on.
      const sides = together.sort(([a], [b]) => (a < b ? -1 : 1));
      const { docId, genre, audience } = sides[0]![1];
      return Array.from({ length: Math.ceil(sides.length / TEXTS_A_SCREEN) }, (_, i) => ({
        document: docId,
        genre,
        audience,
        texts: sides.slice(i * TEXTS_A_SCREEN, (i + 1) * TEXTS_A_SCREEN).map(([id, { text }]) => ({ id, text })),
      }));
    });
  }
}
