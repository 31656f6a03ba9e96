/** Files into a repository of the hub. */

import { openAsBlob } from 'node:fs';
import { relative, sep } from 'node:path';
import { errorMessage, UserError } from '../foundation/errors.ts';
import { hubAccess } from '../foundation/hub-access.ts';

export interface HubPush {
  /** `owner/name`. */
  repo: string;
  type: 'model' | 'dataset';
  /** Folder the paths in the repository are relative to. */
  folder: string;
  paths: readonly string[];
  private: boolean;
  title: string;
}

/**
 * Makes the repository where there is none and adds the files in one commit. `HF_ENDPOINT` and `HF_TOKEN` are read from `env`.
 * Returns the address of the repository.
 *
 * @throws UserError without a token, or with what the hub said
 */
export async function pushToHub(push: HubPush, env: NodeJS.ProcessEnv): Promise<string> {
  const { createRepo, HubApiError, uploadFiles } = await import('@huggingface/hub');
  const { accessToken, hubUrl = 'https://huggingface.co' } = hubAccess(env);
  if (!accessToken)
    throw new UserError('Cannot push to the hub: HF_TOKEN is not set', 'Set it to a token that may write');
  const repo = { type: push.type, name: push.repo };
  try {
    await createRepo({ repo, accessToken, hubUrl, private: push.private }).catch((error: unknown) => {
      // 409: it exists already.
      if (!(error instanceof HubApiError && error.statusCode === 409)) throw error;
    });
    const files = await Promise.all(
      push.paths.map(async (path) => ({
        path: relative(push.folder, path).split(sep).join('/'),
        content: await openAsBlob(path),
      })),
    );
    await uploadFiles({ repo, accessToken, hubUrl, files, commitTitle: push.title });
  } catch (error) {
    throw new UserError(
      `Cannot push to ${hubUrl}/${push.repo}: ${errorMessage(error)}`,
      'Check the name of the repository and what the token may do',
      { cause: error },
    );
  }
  return `${hubUrl}/${push.type === 'dataset' ? 'datasets/' : ''}${push.repo}`;
}
