/** Which keys a schema knows at a path, for "did you mean". */

import { z } from 'zod';

/** Keys the schema allows at `path`. `data` decides which member of a union on `kind` is meant. */
export function keysAt(schema: z.core.$ZodType, path: readonly (string | number)[], data: unknown): string[] {
  const bare = chooseMember(unwrap(schema), data);
  if (path.length === 0)
    return bare.flatMap((member) => (member instanceof z.ZodObject ? Object.keys(member.shape) : []));
  const [key, ...rest] = path as [string | number, ...(string | number)[]];
  const inner = data !== null && typeof data === 'object' ? (data as Record<string, unknown>)[key] : undefined;
  return bare.flatMap((member) => {
    if (member instanceof z.ZodArray) return keysAt(member.element, rest, inner);
    if (member instanceof z.ZodRecord) return keysAt(member.valueType, rest, inner);
    const field = member instanceof z.ZodObject ? member.shape[key] : undefined;
    return field ? keysAt(field, rest, inner) : [];
  });
}

/** The schema inside defaults and optionals. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional) {
    inner = inner.unwrap();
  }
  return inner;
}

function chooseMember(schema: z.core.$ZodType, data: unknown): z.core.$ZodType[] {
  if (!(schema instanceof z.ZodDiscriminatedUnion)) {
    return schema instanceof z.ZodUnion ? schema.options.flatMap((option) => chooseMember(option, data)) : [schema];
  }
  const chosen = schema.options.filter(
    (option) =>
      option instanceof z.ZodObject && option.shape.kind?.safeParse((data as { kind?: unknown })?.kind).success,
  );
  return chosen.length > 0 ? chosen : [...schema.options];
}
