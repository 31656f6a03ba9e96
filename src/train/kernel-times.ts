/** The kernels of onnxruntime's profiles, by op and shapes. */

export interface KernelTensor {
  /** As onnxruntime writes it: float, int8, uint8. */
  readonly type: string;
  readonly shape: readonly number[];
}

export interface KernelTime {
  readonly op: string;
  readonly inputs: readonly KernelTensor[];
  readonly output: KernelTensor | undefined;
  readonly runs: number;
  readonly milliseconds: number;
  /** Milliseconds of the fastest run. */
  readonly fastest: number;
  /** Threads of its session. */
  readonly threads: number;
  /** Multiplications and additions of a run, where it is a product of matrices. */
  readonly flops?: number;
}

type TypedShape = Readonly<Record<string, readonly number[]>>;

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args?: {
    readonly op_name?: string;
    readonly input_type_shape?: readonly TypedShape[];
    readonly output_type_shape?: readonly TypedShape[];
    readonly thread_scheduling_stats?: { readonly sub_threads?: Readonly<Record<string, unknown>> };
  };
}

const PRODUCTS = new Set(['MatMul', 'FusedMatMul', 'Gemm', 'MatMulIntegerToFloat']);

/** Sums the runs of onnxruntime's profiles (lists of trace events) by op and shapes of inputs, the longest first. */
export function kernelTimes(profiles: readonly string[]): KernelTime[] {
  const sums = new Map<string, KernelTime>();
  for (const profile of profiles) {
    for (const { cat, name, dur, args } of JSON.parse(profile) as ProfileEvent[]) {
      const op = args?.op_name;
      if (cat !== 'Node' || op === undefined || !name.endsWith('_kernel_time')) continue;
      const inputs = (args?.input_type_shape ?? []).map(tensorOf);
      const key = `${op} ${JSON.stringify(inputs)}`;
      const sum = sums.get(key) ?? newKernel(op, inputs, args!);
      const milliseconds = dur / 1000;
      sums.set(key, {
        ...sum,
        runs: sum.runs + 1,
        milliseconds: sum.milliseconds + milliseconds,
        fastest: Math.min(sum.fastest, milliseconds),
      });
    }
  }
  return [...sums.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

function newKernel(op: string, inputs: readonly KernelTensor[], args: ProfileEvent['args'] & {}): KernelTime {
  const output = args.output_type_shape?.map(tensorOf)[0];
  const threads = 1 + Object.keys(args.thread_scheduling_stats?.sub_threads ?? {}).length;
  const flops = PRODUCTS.has(op) && inputs[0] && output ? { flops: productFlops(inputs[0].shape, output.shape) } : {};
  return { op, inputs, output, runs: 0, milliseconds: 0, fastest: Number.POSITIVE_INFINITY, threads, ...flops };
}

/** 2 M K N: the inner dimension is what the left matrix has for each row of the output, transposed or not. */
function productFlops(left: readonly number[], output: readonly number[]): number {
  const size = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);
  const rows = size(output) / output.at(-1)!;
  return 2 * size(output) * (size(left) / rows);
}

function tensorOf(typed: TypedShape): KernelTensor {
  const [type, shape] = Object.entries(typed)[0] ?? ['', []];
  return { type, shape };
}
