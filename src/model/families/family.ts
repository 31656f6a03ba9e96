/** What a family's file says: how its config.json reads, and how its layers are wired. */

import type { FamilyName, ModelConfig, Wiring } from '../config.ts';
import type { HubFields } from '../hub-fields.ts';

/** Throws a UserError that names the field and its value. */
export type Refuse = (field: string, value: unknown) => never;

export interface Family {
  readonly name: FamilyName;
  /** The class of transformers that runs it. */
  readonly architecture: string;
  /** Fields that config.json may leave out, where the family's defaults are not those of hub-fields.ts. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** @throws what `refuse` throws, where config.json asks for something that is not wired */
  wiring(hub: HubFields, headDim: number, refuse: Refuse): Wiring;
  /** Fields of config.json beyond those of all families. */
  hubFields(config: ModelConfig): Record<string, unknown>;
}
