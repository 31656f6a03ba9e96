/** The only importer of onnxruntime: graphs become sessions, typed arrays go in and come out. */

import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import type { Tensor, TypedArray } from '../graph/value.ts';
import { discard } from './discard.ts';

export type Device = 'cpu' | 'webgpu' | 'cuda';

export interface SessionSettings {
  readonly device?: Device;
  /** Threads of one operator; default: all cores. */
  readonly threads?: number;
  /** `basic` where fused kernels do not exist for the type (float64). */
  readonly optimization?: 'all' | 'basic';
  /** File prefix: writes a profile on release. */
  readonly profile?: string;
}

export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Runs the graph. Feeds are read where they lie; feeds the graph does not read are ignored.
   *
   * @param into where outputs are written to, by name; the others are new arrays
   */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    into?: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** A session of a model in memory, or of a file (needed where weights lie beside the model). */
export async function createSession(model: Uint8Array | string, settings: SessionSettings = {}): Promise<Session> {
  const options: ort.InferenceSession.SessionOptions = {
    executionProviders: [settings.device ?? 'cpu'],
    intraOpNumThreads: settings.threads ?? availableParallelism(),
    graphOptimizationLevel: settings.optimization ?? 'all',
    logSeverityLevel: 3,
    // A planned run takes one block for all its tensors, 20 to 40 MB that the C library gets from the kernel and gives back
    // each time: three times the page faults of tensors allocated one by one (docs/log.md).
    enableMemPattern: false,
    // Each session would keep an arena as large as its largest run: 20 MB for each attention shape.
    enableCpuMemArena: false,
    ...(settings.profile ? { enableProfiling: true, profileFilePrefix: settings.profile } : {}),
    extra: {
      // Every session has its own threads: those of an idle session must not spin on the cores of the running one.
      session: { force_spinning_stop: '1', set_denormal_as_zero: '1' },
      // Expanded constants would be stored at full size in every session.
      optimization: { constant_folding_max_output_size_in_bytes: '65536' },
    },
  };
  const session =
    typeof model === 'string'
      ? await ort.InferenceSession.create(model, options)
      : await ort.InferenceSession.create(model, options);
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(feeds, into = {}) {
      const inputs: Record<string, ort.Tensor> = {};
      for (const name of session.inputNames) {
        const feed = feeds[name];
        if (!feed) throw new TypeError(`internal: graph input ${name} was not fed`);
        inputs[name] = ortTensor(feed);
      }
      const places = session.outputNames.map((name) => [name, into[name] ? ortTensor(into[name]) : null]);
      const results = Object.entries(await session.run(inputs, Object.fromEntries(places)));
      const outputs = results.map(([name, { type, data, dims }]): [string, Tensor] => [
        name,
        { dtype: type as Tensor['dtype'], data: data as TypedArray, shape: dims },
      ]);
      // The binding returns a copy also of what was written where it belongs.
      discard(outputs.flatMap(([name, copy]) => (into[name] && copy.data !== into[name].data ? [copy] : [])));
      return Object.fromEntries(outputs.map(([name, output]) => [name, into[name] ?? output]));
    },
    async release() {
      if (settings.profile) session.endProfiling();
      await session.release();
    },
  };
}

function ortTensor({ dtype, data, shape }: Tensor): ort.Tensor {
  return new ort.Tensor(dtype, data as Float32Array, shape as number[]);
}
