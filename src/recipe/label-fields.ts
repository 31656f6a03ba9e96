/** The fields of a label stage's answer: each has a name and finitely many values. */

import type { JsonSchema } from './json-schema.ts';

export type LabelValue = string | number | boolean | null;

export interface LabelField {
  name: string;
  /** In the schema's order; at least two. */
  values: readonly LabelValue[];
  /** All values are numbers, so that one can be further off than another. */
  ordered: boolean;
}

/** More values than this are a quantity, not a label. */
const MOST_VALUES = 100;

/** The values a schema allows, where it lists them: `enum`, `boolean`, or an integer between bounds. Undefined otherwise. */
export function labelValues(schema: JsonSchema): LabelValue[] | undefined {
  const { type, minimum, maximum } = schema;
  if (Array.isArray(schema.enum)) {
    const values = [...new Set(schema.enum as unknown[])];
    return values.length >= 2 && values.length <= MOST_VALUES && values.every(isLabelValue) ? values : undefined;
  }
  if (type === 'boolean') return [true, false];
  if (type !== 'integer' || typeof minimum !== 'number' || typeof maximum !== 'number') return undefined;
  const first = Math.ceil(minimum);
  const count = Math.floor(maximum) - first + 1;
  return count >= 2 && count <= MOST_VALUES ? Array.from({ length: count }, (_, i) => first + i) : undefined;
}

/** The label fields of an answer's schema, in its order. Properties without listed values are left out. */
export function labelFields(schema: JsonSchema): LabelField[] {
  return Object.entries(propertiesOf(schema)).flatMap(([name, property]) => {
    const values = labelValues(property);
    return values ? [{ name, values, ordered: values.every((value) => typeof value === 'number') }] : [];
  });
}

/** The properties of an object's schema that are schemas themselves. */
export function propertiesOf({ properties }: JsonSchema): Record<string, JsonSchema> {
  if (properties === null || typeof properties !== 'object') return {};
  return Object.fromEntries(
    Object.entries(properties).filter(([, property]) => property !== null && typeof property === 'object'),
  );
}

function isLabelValue(value: unknown): value is LabelValue {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
