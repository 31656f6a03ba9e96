/** The header of a safetensors file: parsing, and the checks the format asks for (no holes, no overlaps, sizes that fit). */

import { UserError } from '../foundation/errors.ts';

/** Bytes of an element by dtype name. */
export const ELEMENT_BYTES = { F32: 4, F16: 2, BF16: 2, I8: 1, U8: 1, I32: 4, I64: 8 } as const;

export type StoredDType = keyof typeof ELEMENT_BYTES;

export interface SafetensorsEntry {
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  /** Byte range in the data section. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Parses and checks the JSON header of a safetensors file.
 *
 * @param json the header's text
 * @param dataBytes size of the data section, which the tensors must fill exactly
 * @param path file name for messages
 * @throws UserError naming the tensor that is wrong
 */
export function parseSafetensorsHeader(json: string, dataBytes: number, path: string): SafetensorsHeader {
  const refuse = (found: string): never => {
    throw new UserError(`Cannot read ${path}: ${found}`, 'The file is damaged or not safetensors; fetch it again');
  };
  let root: unknown;
  try {
    root = JSON.parse(json);
  } catch (error) {
    return refuse(`its header is not JSON (${(error as Error).message})`);
  }
  if (!isRecord(root)) return refuse('its header is not a JSON object');

  const entries = new Map<string, SafetensorsEntry>();
  for (const [name, value] of Object.entries(root)) {
    if (name !== '__metadata__') entries.set(name, parseEntry(name, value, refuse));
  }
  let filled = 0;
  for (const [name, entry] of [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== filled) refuse(`tensor ${name} begins at byte ${entry.begin} instead of ${filled}`);
    filled = entry.end;
  }
  if (filled !== dataBytes) refuse(`its tensors take ${filled} bytes, but ${dataBytes} follow the header`);
  return { entries, metadata: parseMetadata(root.__metadata__, refuse) };
}

function parseEntry(name: string, value: unknown, refuse: (found: string) => never): SafetensorsEntry {
  if (!isRecord(value)) return refuse(`tensor ${name} has no description`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(ELEMENT_BYTES, dtype)) {
    return refuse(`tensor ${name} has dtype ${JSON.stringify(dtype)}; read are ${Object.keys(ELEMENT_BYTES)}`);
  }
  if (!isSizes(shape)) return refuse(`tensor ${name} has shape ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    return refuse(`tensor ${name} has data_offsets ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((product, size) => product * size, ELEMENT_BYTES[dtype as StoredDType]);
  if (end - begin !== bytes) {
    return refuse(`tensor ${name} of ${dtype} [${shape}] needs ${bytes} bytes, its data_offsets span ${end - begin}`);
  }
  return { dtype: dtype as StoredDType, shape, begin, end };
}

function parseMetadata(value: unknown, refuse: (found: string) => never): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value) || Object.values(value).some((text) => typeof text !== 'string')) {
    return refuse('its __metadata__ is not a map of texts');
  }
  return value as Record<string, string>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
