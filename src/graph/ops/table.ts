/** Every op, one record each. */

import { attention } from './attention.ts';
import { elementwise } from './elementwise.ts';
import { index } from './index.ts';
import { matmul } from './matmul.ts';
import { normalization } from './normalization.ts';
import type { Op } from './op.ts';
import type { OpName } from './op-name.ts';
import { quantized } from './quantized.ts';
import { reduce } from './reduce.ts';
import { rotary } from './rotary.ts';
import { shape } from './shape.ts';

/** A name without a record, or a record without a name, does not compile. */
export const OPS: Readonly<Record<OpName, Op>> = {
  ...elementwise,
  ...reduce,
  ...matmul,
  ...shape,
  ...index,
  ...normalization,
  ...quantized,
  ...attention,
  ...rotary,
} satisfies Record<OpName, Op>;
