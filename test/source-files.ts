/** The repository's own TypeScript files and what they import, for tests about its structure. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface Import {
  /** What stands between the quotes. */
  specifier: string;
  /** Path in the repository, for relative imports. */
  target: string | undefined;
  /** `type`: gone after compilation; `dynamic`: loaded when reached. */
  kind: 'static' | 'dynamic' | 'type';
}

export interface SourceFile {
  /** Relative to the repository, with forward slashes. */
  path: string;
  text: string;
  lines: number;
  imports: Import[];
}

/** Every .ts and .tsx file below `folder`. */
export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => {
      const path = relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/');
      const text = readFileSync(join(ROOT, path), 'utf8');
      return { path, text, lines: text.split('\n').length - 1, imports: importsOf(path, text) };
    })
    .sort((a, b) => a.path.localeCompare(b.path));
}

const STATIC = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
const DYNAMIC = /(?<!\w)import\(\s*['"]([^'"]+)['"]\s*,?\s*\)(?!\.[A-Z]|\[)/g;

function importsOf(path: string, text: string): Import[] {
  const resolve = (specifier: string) =>
    specifier.startsWith('.') ? join(dirname(path), specifier).replaceAll('\\', '/') : undefined;
  const code = text.replace(/^\s*\*.*$/gm, '');
  const statics = [...code.matchAll(STATIC)].map(([, type, specifier]) => ({
    specifier: specifier!,
    target: resolve(specifier!),
    kind: type ? ('type' as const) : ('static' as const),
  }));
  const dynamics = [...code.matchAll(DYNAMIC)].map(([, specifier]) => ({
    specifier: specifier!,
    target: resolve(specifier!),
    kind: 'dynamic' as const,
  }));
  return [...statics, ...dynamics];
}
