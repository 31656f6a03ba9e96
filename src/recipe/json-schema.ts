/** JSON Schema (2020-12) of a stage's answer: is the schema itself right, and does a value fit it? */

import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { errorMessage } from '../foundation/errors.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** What is wrong, and where: keys from the root. */
export interface SchemaProblem {
  path: (string | number)[];
  message: string;
}

/** Says what keeps a value from fitting; undefined where it fits. */
export type SchemaCheck = (value: unknown) => string | undefined;

/** Unknown keywords are errors, for a misspelt one checks nothing; formats are taken as remarks. */
const OPTIONS = {
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  validateFormats: false,
  logger: false,
} as const;

/** What is wrong with the schema itself. */
export function schemaProblems(schema: JsonSchema): SchemaProblem[] {
  const ajv = new Ajv2020({ ...OPTIONS, allErrors: true });
  if (ajv.validateSchema(schema) === false) {
    // A wrong keyword breaks the alternatives of its whole branch: the deepest errors are those a person can mend.
    const errors = ajv.errors ?? [];
    const depth = (error: ErrorObject) => error.instancePath.split('/').length;
    const deepest = Math.max(...errors.map(depth));
    const found = new Map(
      errors.filter((error) => depth(error) === deepest).map((error) => [error.instancePath, error]),
    );
    return [...found.values()].map((error) => ({ path: keysOf(error.instancePath), message: sentence(error) }));
  }
  try {
    ajv.compile(schema);
    return [];
  } catch (error) {
    return [{ path: [], message: errorMessage(error) }];
  }
}

/**
 * Compiles a schema that `schemaProblems` has nothing against.
 *
 * @throws Error for one it has
 */
export function schemaCheck(schema: JsonSchema): SchemaCheck {
  const validate = new Ajv2020(OPTIONS).compile(schema);
  return (value) => {
    if (validate(value)) return undefined;
    const error = validate.errors![0]!;
    const place = keysOf(error.instancePath).join('.');
    return place === '' ? sentence(error) : `${place} ${sentence(error)}`;
  };
}

function sentence({ message = 'does not fit', params }: ErrorObject): string {
  const allowed: unknown = params.allowedValues ?? params.allowedValue;
  const extra: unknown = params.additionalProperty ?? params.unevaluatedProperty;
  if (Array.isArray(allowed)) return `must be one of ${allowed.map((value) => JSON.stringify(value)).join(', ')}`;
  return extra === undefined ? message : `${message} (${String(extra)})`;
}

/** A JSON pointer's keys (RFC 6901). */
function keysOf(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
}
