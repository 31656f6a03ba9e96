/** Dimensions of a model whose weights are not here. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ALIASES } from './aliases.ts';
import type { ModelConfig } from './config.ts';
import { parseHubConfig, readHubConfig } from './hub-config.ts';
import { weightFiles } from './load.ts';

/**
 * The dimensions as an alias (or the hub id it stands for) has them, or the config.json of a folder that holds no weights.
 * Undefined where the name is neither.
 *
 * @throws UserError where a config.json cannot be used
 */
export function knownSizes(name: string): ModelConfig | undefined {
  if (isBareConfig(name)) return readHubConfig(name);
  const hubId = ALIASES[name.toLowerCase()]?.hubId ?? name;
  const alias = Object.values(ALIASES).find((one) => one.hubId === hubId);
  return alias && parseHubConfig(alias.config, name);
}

/** Whether the name is a folder with a config.json and no weights beside it. */
export function isBareConfig(name: string): boolean {
  return existsSync(join(name, 'config.json')) && weightFiles(name).length === 0;
}
