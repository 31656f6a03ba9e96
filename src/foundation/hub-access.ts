/** How the Hugging Face hub is reached, as the environment says: HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE. */

/** The answer to the first question may take this long; a machine without network should not keep its user waiting. */
const FIRST_ANSWER_MS = 10_000;

/** What every call of the hub's library takes. */
export interface HubAccess {
  hubUrl?: string;
  accessToken?: string;
}

export function hubAccess(env: NodeJS.ProcessEnv = process.env): HubAccess {
  const { HF_ENDPOINT: endpoint, HF_TOKEN: token } = env;
  return {
    ...(endpoint ? { hubUrl: endpoint.replace(/\/+$/, '') } : {}),
    ...(token ? { accessToken: token } : {}),
  };
}

/** Whether the environment forbids asking the hub. */
export function isHubOffline(): boolean {
  return ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'].some((name) => /^(1|true|yes|on)$/i.test(process.env[name] ?? ''));
}

/** `fetch` for questions: gives up when the hub is silent, or when `signal` is aborted. */
export function impatientFetch(signal?: AbortSignal): typeof fetch {
  const timeout = AbortSignal.timeout(FIRST_ANSWER_MS);
  return (input, init) => fetch(input, { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
}
