/** A value as JSON in one fixed form, so that a student has one form to learn: keys in the order of the schema. */

import type { JsonSchema } from '../recipe/json-schema.ts';
import { propertiesOf } from '../recipe/label-fields.ts';

/** JSON with the keys of objects in the order of the schema's properties (others after them, sorted), one blank after `:` and `,`. */
export function schemaJson(value: unknown, schema: JsonSchema = {}): string {
  if (Array.isArray(value)) {
    const { items } = schema;
    const inner = items !== null && typeof items === 'object' ? (items as JsonSchema) : {};
    return `[${value.map((one) => schemaJson(one, inner)).join(', ')}]`;
  }
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const properties = propertiesOf(schema);
  const known = Object.keys(properties).filter((key) => Object.hasOwn(value, key));
  const others = Object.keys(value)
    .filter((key) => !Object.hasOwn(properties, key))
    .sort();
  const members = [...known, ...others]
    .map((key) => [key, (value as Record<string, unknown>)[key]] as const)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${JSON.stringify(key)}: ${schemaJson(member, properties[key])}`);
  return `{${members.join(', ')}}`;
}
