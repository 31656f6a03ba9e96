/** Addresses of data sets on the Hugging Face hub, as DuckDB and Python's huggingface_hub write them. */

import { UserError } from '../foundation/errors.ts';

export interface HubAddress {
  /** As written. */
  address: string;
  /** `owner/name`. */
  repo: string;
  /** Branch, tag or commit. */
  revision: string;
  /** File, folder or glob in it; empty for all of it. */
  path: string;
}

const SCHEME = 'hf://';

/** The hub keeps a copy of most data sets in Parquet on this branch; `~parquet` is its usual short form. */
const PARQUET_BRANCH = 'refs/convert/parquet';

/** Whether a corpus path is meant for the hub. */
export function isHubAddress(path: string): boolean {
  return path.startsWith(SCHEME);
}

/**
 * Reads `hf://datasets/<owner>/<name>[@<revision>][/<path or glob>]`. Slashes of a revision are written %2F.
 *
 * @throws UserError for anything else
 */
export function hubAddress(address: string): HubAddress {
  const parts = /^hf:\/\/datasets\/([\w.-]+\/[\w.-]+)(?:@([^/@]+))?(?:\/(.*))?$/.exec(address);
  if (parts === null) {
    throw new UserError(
      `Cannot read ${address}: this is no data set on the hub`,
      'Write hf://datasets/<owner>/<name>, then as needed @<revision> and /<file, folder or glob>',
    );
  }
  const [, repo, revision = 'main', path = ''] = parts;
  return {
    address,
    repo: repo!,
    revision: revision === '~parquet' ? PARQUET_BRANCH : revision.replaceAll(/%2F/gi, '/'),
    path,
  };
}
