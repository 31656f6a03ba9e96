/** docs/recipe.md, generated from the schema. */

import { z } from 'zod';
import { recipeSchema } from './schema.ts';

/** The part of JSON Schema that zod writes for a recipe. */
interface JsonSchema {
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
  oneOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
}

/** Sections whose keys are those of another section: shown as one row instead. */
const REPEATED = new Set(['students.train', 'students.generate', 'validate.arms.generate']);

const HEAD = `# Recipe reference

Generated from src/recipe/schema.ts (\`npx vitest run test/recipes.test.ts -u\` writes it again). A recipe is a YAML file;
unknown keys are errors. Any key can be overridden on the command line: \`--set train.epochs=2 --set students.0.name=writer\`.
Paths are relative to the current folder; files not found there are looked for in the installed package.
`;

/** The recipe reference as Markdown: one table a section. */
export function recipeDocs(): string {
  const schema = z.toJSONSchema(recipeSchema, { io: 'input' }) as JsonSchema;
  const scalars = Object.entries(schema.properties ?? {}).filter(([, field]) => !isSection(field));
  const sections = Object.entries(schema.properties ?? {}).filter(([, field]) => isSection(field));
  const top = table(scalars, schema.required);
  return [HEAD, top, ...sections.map(([name, field]) => section(name, field))].join('\n');
}

function section(name: string, field: JsonSchema): string {
  if (field.oneOf) return kinds('##', name, field.oneOf);
  const named = membersOf(field);
  const object = named ?? (field.type === 'array' ? (field.items ?? {}) : field);
  const heading = named ? `${name} (by name)` : field.type === 'array' ? `${name} (a list)` : name;
  const rows = rowsOf(name, object);
  const lists = rows.flatMap(([key, { items }]) => {
    const members = items?.oneOf ?? items?.anyOf?.flatMap(({ oneOf }) => oneOf ?? []) ?? [];
    return members.length > 0 ? [kinds('###', `${name}.${key}`, members)] : [];
  });
  return [`## ${heading}\n\n${table(rows, object.required)}`, ...lists].join('\n');
}

/** A table for each kind of a section that comes in several. */
function kinds(mark: string, name: string, members: readonly JsonSchema[]): string {
  return members
    .flatMap((member) => {
      const rows = rowsOf(name, member);
      const lists = rows.flatMap(([key, { items }]) =>
        items?.properties
          ? [`${mark}# ${name}.${key} (a list)\n\n${table(rowsOf(`${name}.${key}`, items), items.required)}`]
          : [],
      );
      return [`${mark} ${name} (kind: ${member.properties?.kind?.const})\n\n${table(rows, member.required)}`, ...lists];
    })
    .join('\n');
}

/** Fields of an object, nested ones by dotted names. */
function rowsOf(prefix: string, object: JsonSchema): [string, JsonSchema][] {
  return Object.entries(object.properties ?? {}).flatMap(([key, field]): [string, JsonSchema][] => {
    const nested = field.type === 'object' && field.properties !== undefined && !REPEATED.has(`${prefix}.${key}`);
    if (!nested) return [[key, field]];
    const optional = object.required?.includes(key) ? '' : '?';
    return rowsOf(`${prefix}.${key}`, field).map(([inner, value]) => [`${key}${optional}.${inner}`, value]);
  });
}

function table(rows: [string, JsonSchema][], required: string[] = []): string {
  const lines = rows.map(([key, field]) => {
    const fallback =
      field.default !== undefined ? `\`${inline(field.default)}\`` : required.includes(key) ? 'required' : '';
    return `| \`${key.replaceAll('?', '')}\` | ${typeText(field)} | ${fallback} | ${field.description ?? ''} |`;
  });
  return `| key | type | default | meaning |\n|---|---|---|---|\n${lines.join('\n')}\n`;
}

function typeText(field: JsonSchema): string {
  if (field.const !== undefined) return `\`${field.const}\``;
  if (field.enum) return field.enum.map((value) => `\`${value}\``).join(', ');
  if (field.anyOf) return field.anyOf.map(typeText).join(', ');
  if (field.type === 'array') return `list of ${typeText(field.items ?? {})}`;
  if (field.type === 'object' || field.oneOf) return 'section';
  return [field.type === 'string' ? 'text' : field.type, range(field)].filter(Boolean).join(', ');
}

function range({ minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const low = exclusiveMinimum !== undefined ? `> ${exclusiveMinimum}` : minimum !== undefined ? `>= ${minimum}` : '';
  const high = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? `<= ${maximum}` : '';
  return [low, high].filter(Boolean).join(', ');
}

function isSection(field: JsonSchema): boolean {
  return Boolean(field.properties || field.oneOf || field.items?.properties || membersOf(field));
}

/** What the keys of a section of the user's own names hold. */
function membersOf({ additionalProperties }: JsonSchema): JsonSchema | undefined {
  return typeof additionalProperties === 'object' && additionalProperties.properties ? additionalProperties : undefined;
}

function inline(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
}
